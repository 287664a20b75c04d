"""`GET /events`: who hears what, how a stream is taken up again, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from starlette.types import ASGIApp

from frontdesk.core import event_feed
from frontdesk.core.caller import Role
from frontdesk.core.event_log import purge
from frontdesk.core.events import emit_named
from frontdesk.web.events import EventsEdge
from tests.event_reading import EventReader, all_told
from tests.serving import serving
from tests.world import NOW, OURS, THEIRS, World, key_of

Listen = Callable[..., AbstractAsyncContextManager[EventReader]]


def edge_of(world: World) -> EventsEdge:
    return world.app.app.state.events  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
async def listen(world: World) -> AsyncIterator[Listen]:
    """Opens a stream over real HTTP and reads its `ready`."""
    app: ASGIApp = world.app.app

    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:

        @asynccontextmanager
        async def listen(
            query: str = "", role: Role = Role.owner, organization_id: int = OURS, **headers: str
        ) -> AsyncIterator[EventReader]:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            headers["x-api-key"] = key_of(role, organization_id)
            async with client.stream("GET", f"/events{query}", headers=headers) as response:
                assert response.status_code == 200, await response.aread()
                reader = EventReader(response)
                if "no-ready" not in headers:
                    assert (await reader.next()).name == "ready"
                yield reader

        yield listen
        edge_of(world).feed.close_all()


async def make(world: World, name: str, organization_id: int = OURS) -> int:
    async with world.client(organization_id=organization_id) as client:
        return int((await client.post("/contacts", json={"first_name": name})).json()["id"])


async def refused(world: World, query: str = "", role: Role | None = Role.owner, **headers: str) -> httpx.Response:
    async with world.client(role, **headers) as client:
        return await client.get(f"/events{query}")


async def test_a_write_is_heard_with_its_row(world: World, listen: Listen) -> None:
    async with listen() as reader:
        id = await make(world, "Marta")
        frame = await reader.next()
    assert frame.name == "message"
    assert frame.data["type"] == "contacts.created"
    assert frame.data["id"] == frame.id
    assert frame.data["organization_id"] == OURS
    row = frame.data["data"]
    assert isinstance(row, dict)
    assert (row["id"], row["first_name"], row["created_at"]) == (id, "Marta", frame.data["timestamp"])


async def test_another_organization_hears_nothing_of_it(world: World, listen: Listen) -> None:
    async with listen(organization_id=THEIRS) as reader:
        await make(world, "Ours")
        await make(world, "Theirs", THEIRS)
        frame = await reader.next()
    assert frame.data["organization_id"] == THEIRS
    assert frame.data["data"]["first_name"] == "Theirs"  # type: ignore[index, call-overload]


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(world: World, listen: Listen) -> None:
    async with listen() as reader:
        await make(world, "One")
        first = (await reader.next()).id
    await make(world, "Two")
    await make(world, "Three")
    async with listen(last_event_id=first) as reader:
        names = [(await reader.next()).data["data"]["first_name"] for _ in range(2)]  # type: ignore[index, call-overload]
        await make(world, "Four")
        last = (await reader.next()).data["data"]["first_name"]  # type: ignore[index, call-overload]
    assert [*names, last] == ["Two", "Three", "Four"]


async def test_after_in_the_query_is_for_clients_that_cannot_set_the_header(world: World, listen: Listen) -> None:
    async with listen() as reader:
        begin = reader.last_id
    await make(world, "Missed")
    async with listen(f"?after={begin}") as reader:
        assert await reader.types(1) == ["contacts.created"]


async def test_a_client_that_cannot_wait_gets_what_is_there_and_the_end(world: World, listen: Listen) -> None:
    async with listen() as reader:
        begin = reader.last_id
    for name in ("One", "Two"):
        await make(world, name)
    await all_told(world.database)
    async with listen(f"?seconds=0&after={begin}") as reader:
        assert await reader.types(2) == ["contacts.created", "contacts.created"]
        with pytest.raises(StopAsyncIteration):
            await reader.next()
    async with listen(f"?seconds=0&after={reader.last_id}") as reader:
        with pytest.raises(StopAsyncIteration):
            await reader.next()


@pytest.mark.parametrize(
    ("names", "heard"),
    [
        ("contacts.*", ["contacts.created", "contacts.deleted"]),
        ("contacts.deleted", ["contacts.deleted"]),
        ("*.deleted", ["contacts.deleted", "notes.deleted"]),
        ("notes.created, contacts.deleted", ["notes.created", "contacts.deleted"]),
    ],
)
async def test_names_choose(world: World, listen: Listen, names: str, heard: list[str]) -> None:
    body = await world.body("notes")
    async with listen(f"?names={names}") as reader:
        async with world.client() as client:
            contact = (await client.post("/contacts", json={"first_name": "A"})).json()["id"]
            note = (await client.post("/notes", json=body)).json()["id"]
            await client.delete(f"/contacts/{contact}")
            await client.delete(f"/notes/{note}")
        assert await reader.types(len(heard)) == heard


async def test_a_member_does_not_hear_of_what_only_admins_read(world: World, listen: Listen) -> None:
    async with listen(role=Role.member) as reader, listen(role=Role.admin) as admin:
        async with world.client() as client:
            await client.post("/api-keys", json={"name": "Site"})
        await make(world, "Marta")
        assert await reader.types(1) == ["contacts.created"]
        assert await admin.types(2) == ["api-keys.created", "contacts.created"]


async def test_private_rows_are_told_to_their_user_alone(world: World, listen: Listen) -> None:
    edge = edge_of(world)
    notes = world.registry["notes"]
    object.__setattr__(notes, "private_to", lambda row: row["created_by_user_id"])
    try:
        async with listen("?names=notes.*", Role.member) as other, listen("?names=notes.*") as author:
            async with world.client() as client:
                await client.post("/notes", json=await world.body("notes"))
            assert await author.types(1) == ["notes.created"]
            async with world.client(Role.member) as client:
                await client.post("/notes", json=await world.body("notes"))
            frame = await other.next()
    finally:
        object.__setattr__(notes, "private_to", None)
    assert edge.names["notes.created"] is notes
    assert frame.data["data"]["created_by_user_id"] == world.users[(Role.member, OURS)]  # type: ignore[index, call-overload]


async def test_a_cursor_of_before_a_restore_is_told_to_read_anew(world: World, listen: Listen) -> None:
    async with listen() as reader:
        before = reader.last_id
    async with world.database.system() as connection:
        await connection.execute("DELETE FROM event_marks")
    async with listen(last_event_id=before, no_ready="1") as reader:
        frame = await reader.next()
        assert (frame.name, frame.data["reason"]) == ("resync", "The database was restored since.")
        await reader.next()
        await make(world, "Marta")
        assert await reader.types(1) == ["contacts.created"]


async def test_a_cursor_older_than_what_is_kept_is_told_to_read_anew(world: World, listen: Listen) -> None:
    async with listen() as reader:
        before = reader.last_id
    async with world.database.system() as connection:
        await emit_named(connection, OURS, "contacts.old", 1, {}, NOW)
        assert await purge(connection, NOW.replace(year=2027)) == 1
    async with listen(last_event_id=before, no_ready="1") as reader:
        frame = await reader.next()
    assert (frame.name, frame.data["reason"]) == ("resync", "Older events than this are not kept.")


async def test_a_client_that_is_too_slow_misses_nothing(
    world: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More events at once than may wait for a listener: it reads the table instead."""
    monkeypatch.setattr(event_feed, "MOST_WAITING", 3)
    async with listen("?names=contacts.updated") as reader:
        async with world.database.transaction(OURS) as connection:
            for i in range(20):
                await emit_named(connection, OURS, "contacts.updated", i, {"number": i}, NOW)
        numbers = [(await reader.next()).data["data"]["number"] for _ in range(20)]  # type: ignore[index, call-overload]
    assert numbers == list(range(20))


async def test_a_revoked_key_loses_its_stream(world: World, listen: Listen) -> None:
    async with listen(role=Role.member) as reader, listen() as other:
        async with world.database.system() as connection:
            await connection.execute(
                "UPDATE api_keys SET deleted_at = now() WHERE user_id = $1", world.users[(Role.member, OURS)]
            )
        with pytest.raises(StopAsyncIteration):
            await reader.next()
        await make(world, "Marta")
        assert await other.types(1) == ["contacts.created"]


async def test_a_member_who_becomes_less_loses_the_stream(world: World, listen: Listen) -> None:
    async with listen(role=Role.admin) as reader:
        async with world.database.system() as connection:
            await connection.execute(
                "UPDATE members SET role = 'member' WHERE user_id = $1", world.users[(Role.admin, OURS)]
            )
        with pytest.raises(StopAsyncIteration):
            await reader.next()


async def test_a_stream_holds_no_connection_and_leaves_nothing_behind(world: World, listen: Listen) -> None:
    edge = edge_of(world)
    async with listen(), listen(), listen(organization_id=THEIRS):
        assert edge.feed.count == 3
    async with asyncio.timeout(60), world.database.system() as connection:
        while edge.feed.count:
            await connection.execute("SELECT 1")
    assert edge.feed.count_of(OURS) == 0


async def test_the_end_of_the_process_ends_the_streams(world: World, listen: Listen) -> None:
    async with listen() as reader:
        await edge_of(world).feed.stop()
        with pytest.raises(StopAsyncIteration):
            await reader.next()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?names=contacts.burned", "names"),
        ("?names=nothing.*", "names"),
        ("?names=con*", "names"),
        ("?names=contacts.created,shoes.created", "names"),
        ("?after=yesterday", "after"),
        ("?after=1-2", "after"),
        ("?after=1-x-abc", "after"),
        ("?seconds=-1", "seconds"),
        ("?seconds=99999999999999", "seconds"),
        ("?shoe_size=43", "shoe_size"),
        ("?organization_id=²", "organization_id"),
        (f"?organization_id={THEIRS}", "organization_id"),
    ],
)
async def test_each_wrong_parameter_is_named(world: World, query: str, field: str) -> None:
    answer = await refused(world, query)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


async def test_a_stranger_hears_nothing(world: World) -> None:
    assert (await refused(world, role=None)).status_code == 401
    assert (await refused(world, role=None, **{"x-api-key": "fd_wrong"})).status_code == 401
    async with world.client() as client:
        answer = await client.post("/events", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_streams_of_an_organization_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.web.events.MOST_STREAMS", 0)
    assert (await refused(world)).status_code == 429
