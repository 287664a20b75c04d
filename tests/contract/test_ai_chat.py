"""`/ai-chat-sessions` and `/ai-chat-messages`: a member's own chats, which nobody else sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Forbidden
from tests.world import OURS, PASSWORD, ROLES, THEIRS, World, email_of

SESSIONS, MESSAGES = "/ai-chat-sessions", "/ai-chat-messages"
OTHERS = [(Role.admin, OURS), (Role.owner, OURS), (Role.owner, THEIRS)]


@dataclass
class Person:
    """Somebody who is logged in."""

    client: httpx.AsyncClient
    user_id: int

    async def begin(self, assistant_id: int, **fields: object) -> int:
        answer = await self.client.post(SESSIONS, json={"assigned_ai_assistant_id": assistant_id, **fields})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    async def say(self, session_id: int, text: str = "Hello?", **fields: object) -> httpx.Response:
        body = {"ai_chat_session_id": session_id, "message_text": text, **fields}
        return await self.client.post(MESSAGES, json=body)

    async def titles(self, query: str = "") -> list[str]:
        found = (await self.client.get(f"{SESSIONS}?{query}")).json()
        return [row["title"] for row in found["data"]]


async def log_in(world: World, role: Role = Role.member, organization_id: int = OURS) -> Person:
    login = {"strategy": "local", "email": email_of(role, organization_id), "password": PASSWORD}
    async with world.client(None) as stranger:
        token = (await stranger.post("/authentication", json=login)).json()["accessToken"]
    return Person(world.client(None, authorization=f"Bearer {token}"), world.users[(role, organization_id)])


@pytest.fixture
async def assistant(world: World) -> int:
    return await world.row("ai-assistants", assistant_type="ai-chat", name="Helper")


@pytest.fixture
async def nora(world: World) -> Person:
    return await log_in(world)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
async def test_every_member_has_chats(world: World, assistant: int, role: Role) -> None:
    person = await log_in(world, role)
    id = await person.begin(assistant, title="  Deals of \n this week ")
    row = (await person.client.get(f"{SESSIONS}/{id}")).json()
    assert (row["title"], row["created_by_user_id"]) == ("Deals of this week", person.user_id)
    assert row["assigned_ai_assistant"] == {"id": assistant, "name": "Helper"}
    assert "contact_id" not in row
    changed = await person.client.patch(f"{SESSIONS}/{id}", json={"title": "Deals"})
    assert (changed.status_code, changed.json()["title"]) == (200, "Deals")


@pytest.mark.parametrize(("role", "organization_id"), OTHERS)
async def test_nobody_else_sees_one(
    world: World, nora: Person, assistant: int, role: Role, organization_id: int
) -> None:
    id = await nora.begin(assistant)
    message = (await nora.say(id)).json()["id"]
    other = (await log_in(world, role, organization_id)).client
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/events?seconds=0")):
        answer = await other.request(method, f"{SESSIONS}/{id}{path}", json={} if method == "PATCH" else None)
        assert answer.status_code == 404, (method, path)
    assert (await other.get(f"{MESSAGES}/{message}")).status_code == 404
    for path in (f"{SESSIONS}?id={id}", f"{MESSAGES}?ai_chat_session_id={id}"):
        assert (await other.get(path)).json()["total"] == 0, path
    written = await other.post(MESSAGES, json={"ai_chat_session_id": id, "message_text": "Hello?"})
    assert written.status_code == 400
    assert written.json()["errors"] == {"ai_chat_session_id": "names no row of ai-chat-sessions"}


async def test_conditions_of_a_client_do_not_widen_the_list(world: World, nora: Person, assistant: int) -> None:
    await nora.begin(assistant)
    omar = await log_in(world, Role.admin)
    for query in (f"created_by_user_id={nora.user_id}", "$or[0][id][$gt]=0", "$and[0][id][$gt]=0"):
        assert (await omar.client.get(f"{SESSIONS}?{query}")).json()["total"] == 0, query
    assert (await omar.client.get(f"{SESSIONS}?$and=1")).status_code == 400


async def test_a_key_is_no_person(world: World, nora: Person, assistant: int) -> None:
    """Not even a key of the very member: it is given to programs."""
    id = await nora.begin(assistant)
    async with world.client(Role.member) as key:
        answers = [
            await key.get(SESSIONS), await key.get(f"{SESSIONS}/{id}"), await key.post(SESSIONS, json={}),
            await key.get(f"{MESSAGES}?ai_chat_session_id={id}"), await key.get(f"{SESSIONS}/{id}/events"),
            await key.post(MESSAGES, json={"ai_chat_session_id": id, "message_text": "Hello?"}),
        ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {403}
    assert "log in at POST /authentication" in answers[0].json()["message"]


@pytest.mark.parametrize("via", ["tool", "job", "system"])
async def test_neither_a_tool_nor_a_job_reads_a_chat(world: World, nora: Person, via: Any) -> None:
    caller = Caller(OURS, nora.user_id, Role.owner, via=via)
    with pytest.raises(Forbidden):
        await world.door.call(caller, "ai-chat-sessions", "find")


@pytest.mark.parametrize("kind", ["conversation", "support-ticket", "voice"])
async def test_a_chat_takes_assistants_of_the_team_only(world: World, nora: Person, kind: str) -> None:
    wrong = await world.row("ai-assistants", assistant_type=kind)
    answer = await nora.client.post(SESSIONS, json={"assigned_ai_assistant_id": wrong})
    assert answer.status_code == 400
    assert f"of the type {kind}" in answer.json()["errors"]["assigned_ai_assistant_id"]


async def test_bad_input_names_its_field(world: World, nora: Person, assistant: int) -> None:
    theirs = await world.row("ai-assistants", THEIRS, assistant_type="ai-chat")
    id = await nora.begin(assistant)
    bodies: list[tuple[str, dict[str, object], str]] = [
        (SESSIONS, {}, "assigned_ai_assistant_id"),
        (SESSIONS, {"assigned_ai_assistant_id": theirs}, "assigned_ai_assistant_id"),
        (SESSIONS, {"assigned_ai_assistant_id": assistant, "title": "x" * 201}, "title"),
        (SESSIONS, {"assigned_ai_assistant_id": assistant, "title": "  "}, "title"),
        (MESSAGES, {"message_text": "Hello?"}, "ai_chat_session_id"),
        (MESSAGES, {"ai_chat_session_id": id}, "message_text"),
        (MESSAGES, {"ai_chat_session_id": id, "message_text": " \n"}, "message_text"),
        (MESSAGES, {"ai_chat_session_id": id, "message_text": "x" * 100_001}, "message_text"),
        (MESSAGES, {"ai_chat_session_id": id, "message_text": "x", "idempotency_key": "k" * 201}, "idempotency_key"),
        (MESSAGES, {"ai_chat_session_id": 999_999, "message_text": "x"}, "ai_chat_session_id"),
        (MESSAGES, {"ai_chat_session_id": id, "message_type": "image"}, "media_url"),
        (MESSAGES, {"ai_chat_session_id": id, "message_type": "image", "s3_path": "b/2/x"}, "s3_path"),
        (MESSAGES, {"ai_chat_session_id": id, "message_type": "note", "message_text": "x"}, "message_type"),
        (MESSAGES, {"ai_chat_session_id": id, "message_text": "x", "file_name": "a.pdf"}, "file_name"),
    ]
    for path, body, name in bodies:
        answer = await nora.client.post(path, json=body)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {name}), body
    assert (await nora.client.patch(f"{SESSIONS}/{id}", json={"title": None})).status_code == 400
    assert (await nora.client.get(MESSAGES)).json()["errors"] == {"ai_chat_session_id": "is required"}


async def test_a_conversation_is_no_session(world: World, nora: Person) -> None:
    talk = await world.row("conversations", assigned_ai_assistant_id=None)
    assert (await nora.client.get(f"{SESSIONS}/{talk}")).status_code == 404
    assert (await nora.say(talk)).status_code == 400


async def test_a_chat_whose_assistant_is_deleted_takes_no_more_words(
    world: World, nora: Person, assistant: int
) -> None:
    id = await nora.begin(assistant)
    async with world.client() as owner:
        await owner.delete(f"/ai-assistants/{assistant}")
    answer = await nora.say(id)
    assert answer.status_code == 409
    assert "has been deleted" in answer.json()["message"]
    assert (await nora.client.post(SESSIONS, json={"assigned_ai_assistant_id": assistant})).status_code == 400


async def test_the_newest_comes_first_and_words_find_it(nora: Person, assistant: int) -> None:
    first = await nora.begin(assistant)
    await nora.begin(assistant, title="Résumé of the week")
    assert (await nora.say(first, "Who is Ana Torres?\nShe called.")).status_code == 201
    assert await nora.titles() == ["Who is Ana Torres?", "Résumé of the week"]
    assert await nora.titles("$limit=1&$skip=1") == ["Résumé of the week"]
    assert await nora.titles("searchTerm=resume week") == ["Résumé of the week"]
    assert await nora.titles("searchTerm=SHE called") == ["Who is Ana Torres?"]
    assert await nora.titles("searchTerm=nothing like it") == []


async def test_a_message_is_stored_once_per_key(nora: Person, assistant: int) -> None:
    id = await nora.begin(assistant)
    first = await nora.say(id, idempotency_key="k1")
    again = await nora.say(id, "Something else", idempotency_key="k1")
    assert (first.status_code, again.json()) == (201, first.json())
    row = first.json()
    assert (row["ai_chat_session_id"], row["position"], row["sender"], row["created_by_user_id"]) == (
        id, 1, "user", nora.user_id,
    )  # fmt: skip
    page = (await nora.client.get(f"{MESSAGES}?ai_chat_session_id={id}")).json()
    assert [found["id"] for found in page["data"]] == [row["id"]]
    assert {"conversation_id", "channel", "kind", "external_id", "contact_id"} & set(row) == set()


async def test_a_file_may_come_with_it(world: World, nora: Person, assistant: int) -> None:
    id = await nora.begin(assistant)
    path = world.door.files.s3_path(await world._stored_key("image/png", OURS))
    row = (await nora.say(id, "", message_type="image", s3_path=path, file_name="shop.png")).json()
    assert (row["message_type"], row["file_name"], row["s3_path"]) == ("image", "shop.png", path)
    assert "/files/" in row["media_url"]
    assert await nora.titles() == [None]


async def test_a_stale_version_changes_nothing(nora: Person, assistant: int) -> None:
    one = f"{SESSIONS}/{await nora.begin(assistant, title='Deals')}"
    for method, body in (("PATCH", {"title": "Other"}), ("DELETE", None)):
        answer = await nora.client.request(method, one, json=body, headers={"if-match": "7"})
        assert answer.status_code == 409, method
    assert (await nora.client.get(one)).json()["title"] == "Deals"


async def test_a_deleted_chat_is_gone(nora: Person, assistant: int) -> None:
    id = await nora.begin(assistant)
    assert (await nora.client.delete(f"{SESSIONS}/{id}")).status_code == 200
    assert (await nora.client.get(f"{SESSIONS}/{id}")).status_code == 404
    assert (await nora.say(id)).status_code == 400
    assert await nora.titles() == []


async def test_the_inbox_knows_nothing_of_it(world: World, nora: Person, assistant: int) -> None:
    id = await nora.begin(assistant)
    await nora.say(id, "A word that only this chat has: zanzibar")
    owner = (await log_in(world, Role.owner)).client
    for path in ("conversations", "support-tickets"):
        assert (await owner.get(f"/{path}/{id}")).status_code == 404
        assert (await owner.get(f"/{path}?messageSearchTerm=zanzibar")).json()["total"] == 0
        assert (await owner.patch(f"/{path}/{id}", json={"status": "closed"})).status_code == 404
    send = {"conversation_id": id, "message_text": "x", "message_type": "text"}
    refused = await owner.post("/conversation-messages-transform-outgoing-webchat", json=send)
    assert set(refused.json()["errors"]) == {"conversation_id"}


TRACES = ("ai-turns", "ai-turn-steps", "ai-decisions")


@pytest.mark.parametrize("path", TRACES)
async def test_the_trace_of_an_answer_is_as_private(world: World, nora: Person, assistant: int, path: str) -> None:
    id = await nora.begin(assistant)
    await nora.say(id)
    turn = await world.row("ai-turns", conversation_id=id, private_to_user_id=nora.user_id)
    row = {"ai-turns": turn, "ai-turn-steps": await world.row("ai-turn-steps", ai_turn_id=turn,
           private_to_user_id=nora.user_id), "ai-decisions": await decision(world)}[path]  # fmt: skip
    omar = (await log_in(world, Role.owner)).client
    async with world.client(Role.member) as key:
        for client in (omar, key):
            assert (await client.get(f"/{path}/{row}")).status_code == 404
            assert (await client.get(f"/{path}?id={row}")).json()["total"] == 0
    assert (await nora.client.get(f"/{path}/{row}")).json()["private_to_user_id"] == nora.user_id


async def decision(world: World) -> int:
    async with world.database.system() as connection:
        return int(await connection.fetchval("SELECT max(id) FROM ai_decisions"))


async def test_the_description_asks_for_a_login(world: World) -> None:
    async with world.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert paths[SESSIONS]["get"]["security"] == paths[MESSAGES]["post"]["security"] == [{"login": []}]
    assert "security" not in paths["/conversations"]["get"]
