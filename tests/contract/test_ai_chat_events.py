"""What is told of staff chats: the stream of one of them, and the organization's events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.live import notify
from frontdesk.web import session_events
from tests.contract.test_ai_chat import SESSIONS, Person, log_in
from tests.event_reading import EventReader, all_told
from tests.serving import serving
from tests.world import OURS, World

Listen = Callable[..., AbstractAsyncContextManager[EventReader]]
MANY = """
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, direction, sender,
        message_type, message_text, status, kind, created_by_user_id, created_at, updated_at)
    SELECT 1, $1, n, 'ai-chat', 'inbound', 'user', 'text', 'm' || n, 'stored', 'ai-chat', $2, now(), now()
    FROM generate_series(1, 120) n
"""


@pytest.fixture
async def nora(world: World) -> Person:
    return await log_in(world)


@pytest.fixture
async def session(world: World, nora: Person) -> int:
    return await nora.begin(await world.row("ai-assistants", assistant_type="ai-chat", name="Helper"))


@pytest.fixture
async def listen(world: World, nora: Person, session: int) -> AsyncIterator[Listen]:
    """Nora's stream over real HTTP."""
    async with serving(world.app.app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:

        @asynccontextmanager
        async def listen(query: str = "", **headers: str) -> AsyncIterator[EventReader]:
            headers |= dict(nora.client.headers)
            async with client.stream("GET", f"{SESSIONS}/{session}/events{query}", headers=headers) as response:
                assert response.status_code == 200, await response.aread()
                yield EventReader(response)

        yield listen
        await world.app.app.state.live.stop()  # type: ignore[attr-defined]


async def tell(world: World, session: int, name: str, **data: object) -> None:
    async with world.database.system() as connection:
        await notify(connection, OURS, session, name, data)  # type: ignore[arg-type]


async def test_a_stream_shows_messages_and_drafts_as_they_come(
    world: World, nora: Person, session: int, listen: Listen
) -> None:
    row = (await nora.say(session)).json()
    async with listen() as reader:
        before = await reader.next()
        await tell(world, session, "draft", turn_id=1, epoch=1, seq=1, text="I look")
        draft = await reader.next()
        await nora.say(session, "And?")
        after = await reader.next()
    assert (before.name, before.id, before.data) == ("message", "1", row)
    assert (draft.name, draft.data["text"]) == ("draft", "I look")
    assert (after.id, after.data["message_text"]) == ("2", "And?")


async def texts(nora: Person, session: int, query: str = "", **headers: str) -> list[str]:
    answer = await nora.client.get(f"{SESSIONS}/{session}/events?seconds=0{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [line.removeprefix("id: ") for line in answer.text.splitlines() if line.startswith("id: ")]


async def test_a_stream_goes_on_where_it_was(world: World, nora: Person, session: int) -> None:
    async with world.database.system() as connection:
        await connection.execute(MANY, session, nora.user_id)
    assert await texts(nora, session) == [str(n) for n in range(1, 121)]
    assert await texts(nora, session, "&after=118") == ["119", "120"]
    assert await texts(nora, session, "&after=1", **{"last-event-id": "119"}) == ["120"]


@pytest.mark.parametrize(
    ("query", "name"),
    [("?after=x", "after"), ("?seconds=-1", "seconds"), ("?colour=red", "colour"), (f"?after={2**31}", "after")],
)
async def test_a_wrong_parameter_is_named(nora: Person, session: int, query: str, name: str) -> None:
    answer = await nora.client.get(f"{SESSIONS}/{session}/events{query}")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {name})


async def test_a_stream_is_read_only(nora: Person, session: int) -> None:
    answer = await nora.client.post(f"{SESSIONS}/{session}/events", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert (await nora.client.get(f"{SESSIONS}/{session}/nonsense")).status_code == 404
    assert (await nora.client.get(f"{SESSIONS}/x/events?seconds=0")).status_code == 404


async def test_a_stranger_gets_none(world: World, session: int) -> None:
    async with world.client(None) as stranger:
        assert (await stranger.get(f"{SESSIONS}/{session}/events")).status_code == 401


@pytest.mark.parametrize("end", ["log out", "delete", "remove"])
async def test_a_stream_ends_with_what_opened_it(
    world: World, nora: Person, session: int, listen: Listen, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(session_events, "CHECK_EVERY", 0.0)
    await nora.say(session)
    async with listen() as reader:
        await reader.next()
        if end == "delete":
            await nora.client.delete(f"{SESSIONS}/{session}")
        elif end == "log out":
            await nora.client.delete("/authentication")
        else:
            await remove(world, nora)
        await tell(world, session, "draft", text="for nobody")
        with pytest.raises(StopAsyncIteration):
            await reader.next()


async def remove(world: World, nora: Person) -> None:
    async with world.client() as owner:
        member = (await owner.get(f"/members?user_id={nora.user_id}")).json()["data"][0]["id"]
        assert (await owner.delete(f"/members/{member}")).status_code == 200


async def test_a_member_may_follow_so_many(
    nora: Person, session: int, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_events, "MOST_STREAMS", 1)
    await nora.say(session)
    async with listen() as reader:
        await reader.next()
        refused = await nora.client.get(f"{SESSIONS}/{session}/events?seconds=0")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")


# -- the organization's events ----------------------------------------------------------------


async def told(client: httpx.AsyncClient, query: str = "") -> str:
    return (await client.get(f"/events?seconds=0{query}")).text


def place(stream: str) -> str:
    return [line.removeprefix("id: ") for line in stream.splitlines() if line.startswith("id: ")][-1]


async def test_only_its_member_hears_of_a_chat(world: World, nora: Person, session: int) -> None:
    """Neither admins and owners, nor keys, the member's own among them."""
    after = f"&after={place(await told(nora.client))}"
    await nora.say(session, "A secret")
    await all_told(world.database)
    owner = (await log_in(world, Role.owner)).client
    heard = await told(nora.client, after)
    assert "ai-chat-messages.created" in heard
    assert f'"ai_chat_session_id":{session}' in heard.replace('": ', '":')
    async with world.client(Role.member) as key:
        for client in (owner, key):
            assert "secret" not in await told(client, after)


async def test_webhooks_hear_of_no_chat(world: World) -> None:
    async with world.client() as client:
        for events in (["ai-chat-messages.created"], ["ai-chat-sessions.*"]):
            answer = await client.post("/webhooks", json={"url": "https://example.com/", "events": events})
            assert answer.status_code == 400, answer.text
