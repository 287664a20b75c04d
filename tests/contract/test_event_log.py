"""The log of events: what commits late is not passed over, what is rolled back never was, each is read once."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection, Database
from frontdesk.core.event_log import Cursor, forgotten, horizon, life, purge, read
from frontdesk.core.events import emit_named
from tests.event_reading import BEGIN, events_until
from tests.world import OURS, THEIRS, World

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
US = Caller(OURS, None, Role.owner, via="system")
WRITERS, EACH = 20, 15


async def tell(connection: Connection, name: str, row_id: int = 1, now: datetime = NOW) -> None:
    await emit_named(connection, OURS, name, row_id, {}, now)


async def names_after(connection: Connection, cursor: Cursor) -> list[str]:
    return [event.name for event in (await read(connection, cursor, OURS, 100)).events]


async def test_who_commits_late_is_not_passed_over(world: World) -> None:
    """A writes first, B writes and commits: a reader may have B's event only once A has ended, behind A's."""
    first, second = await asyncpg.connect(world.database.url), await asyncpg.connect(world.database.url)
    try:
        slow = first.transaction()
        await slow.start()
        await tell(first, "contacts.first")
        await tell(second, "contacts.second")
        page = await read(second, BEGIN, OURS, 100)
        assert page.events == ()
        await slow.commit()
    finally:
        await first.close()
        await second.close()
    found = await events_until(world.database, OURS, "contacts.second", page.cursor)
    assert [event.name for event in found] == ["contacts.first", "contacts.second"]


async def test_a_reader_goes_on_behind_a_transaction_that_was_rolled_back(world: World) -> None:
    first = await asyncpg.connect(world.database.url)
    try:
        slow = first.transaction()
        await slow.start()
        await tell(first, "contacts.first")
        async with world.database.system() as connection:
            await tell(connection, "contacts.second")
        await slow.rollback()
    finally:
        await first.close()
    found = await events_until(world.database, OURS, "contacts.second")
    assert [event.name for event in found] == ["contacts.second"]


async def test_events_of_one_transaction_keep_their_order(world: World) -> None:
    async with world.database.transaction(OURS) as connection:
        for i in range(5):
            await tell(connection, f"contacts.step{i}")
    found = await events_until(world.database, OURS, "contacts.step4")
    assert [event.name for event in found] == [f"contacts.step{i}" for i in range(5)]
    assert len({event.cursor.xid for event in found}) == 1


async def test_a_page_ends_at_its_limit_and_the_next_one_goes_on(world: World) -> None:
    async with world.database.transaction(OURS) as connection:
        for i in range(5):
            await tell(connection, f"contacts.step{i}")
    await events_until(world.database, OURS, "contacts.step4")
    cursor, seen = BEGIN, []
    async with world.database.reading(OURS) as connection:
        while not (page := await read(connection, cursor, OURS, 2)).is_last:
            seen += [event.name for event in page.events]
            cursor = page.cursor
    assert seen + [event.name for event in page.events] == [f"contacts.step{i}" for i in range(5)]


async def write_some(world: World, writer: int) -> None:
    """Each in its own transaction, open for some round trips, every third one rolled back."""
    chance = random.Random(writer)
    connection = await asyncpg.connect(world.database.url)
    for number in range(EACH):
        transaction = connection.transaction()
        await transaction.start()
        await tell(connection, "contacts.written", writer * EACH + number)
        for _ in range(chance.randrange(5)):
            await connection.execute("SELECT 1")
        await (transaction.rollback() if number % 3 == 2 else transaction.commit())
    await connection.close()


async def test_a_reader_that_resumes_anywhere_sees_each_event_of_many_writers_once(world: World) -> None:
    expected = {i for i in range(WRITERS * EACH) if i % EACH % 3 != 2}
    chance, cursor, seen = random.Random(7), BEGIN, list[int]()
    writing = asyncio.gather(*(write_some(world, writer) for writer in range(WRITERS)))
    async with asyncio.timeout(120), world.database.system() as connection:
        while len(seen) < len(expected):
            page = await read(connection, cursor, OURS, chance.randint(1, 7))
            # Only some of the page was worked off when the reader was stopped; it goes on behind that.
            kept = page.events[: chance.randint(1, 7)]
            seen += [event.row_id for event in kept]
            cursor = kept[-1].cursor if len(kept) < len(page.events) else page.cursor
            cursor = Cursor.parse(str(cursor)) or BEGIN
        await writing
        assert (await read(connection, cursor, OURS, 10)).events == ()
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


async def test_organizations_do_not_see_each_others_events(world: World) -> None:
    async with world.database.system() as connection:
        await tell(connection, "contacts.ours")
        await emit_named(connection, THEIRS, "contacts.theirs", 1, {}, NOW)
    await events_until(world.database, OURS, "contacts.ours")
    await events_until(world.database, THEIRS, "contacts.theirs")
    async with world.database.reading(OURS) as connection:
        assert await names_after(connection, BEGIN) == ["contacts.ours"]
        assert [event.name for event in (await read(connection, BEGIN, THEIRS, 9)).events] == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await emit_named(connection, THEIRS, "contacts.forged", 1, {}, NOW)


async def test_a_write_that_fails_leaves_no_event(world: World) -> None:
    async with world.client() as client:
        refused = await client.post("/contacts", json={"shoe_size": 43})
        made = await client.post("/contacts", json={"first_name": "Marta"})
        gone = await client.delete(f"/contacts/{made.json()['id']}")
    assert [refused.status_code, made.status_code, gone.status_code] == [400, 201, 200]
    found = await events_until(world.database, OURS, "contacts.deleted")
    assert [event.name for event in found] == ["contacts.created", "contacts.deleted"]


async def test_an_event_holds_the_row_without_secrets_and_joins(world: World) -> None:
    async with world.client() as client:
        made = (await client.post("/api-keys", json={"name": "Site"})).json()
    (event,) = await events_until(world.database, OURS, "api-keys.created")
    row = json.loads(event.data)
    assert row == {name: made[name] for name in row}
    assert made["key"] not in event.data
    assert "key_hash" not in row


async def test_old_events_go_in_order_and_the_log_knows_how_far(world: World) -> None:
    async with world.database.system() as connection:
        for day in range(4):
            await tell(connection, f"contacts.day{day}", now=NOW + timedelta(days=day))
        assert await forgotten(connection) == BEGIN
        assert await purge(connection, NOW + timedelta(days=2), most=1) == 1
        assert await purge(connection, NOW + timedelta(days=2)) == 1
        assert await purge(connection, NOW + timedelta(days=2)) == 0
    left = await events_until(world.database, OURS, "contacts.day3")
    assert [event.name for event in left] == ["contacts.day2", "contacts.day3"]
    async with world.database.system() as connection:
        assert BEGIN < await forgotten(connection) < left[0].cursor


async def test_the_mark_of_what_was_forgotten_never_goes_back(world: World) -> None:
    async with world.database.system() as connection:
        await connection.execute("INSERT INTO event_marks VALUES ('forgotten', '999999999-10')")
        await tell(connection, "contacts.old")
        assert await purge(connection, NOW + timedelta(days=2)) == 1
        assert await forgotten(connection) == Cursor(999999999, 10)


async def test_one_life_has_one_name(database: Database) -> None:
    async with database.system() as connection:
        first = await life(connection)
        assert await life(connection) == first
        await connection.execute("DELETE FROM event_marks")
        assert await life(connection) != first


async def test_a_reader_of_what_is_new_begins_behind_all_that_was(world: World) -> None:
    async with world.database.system() as connection:
        await tell(connection, "contacts.old")
        await events_until(world.database, OURS, "contacts.old")
        place = await horizon(connection)
        await tell(connection, "contacts.new")
    assert [event.name for event in await events_until(world.database, OURS, "contacts.new", place)] == ["contacts.new"]


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "1-2-3", "a-b", "1-2\n", "9" * 19 + "-1", "١-٢"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert Cursor.parse(text) is None
