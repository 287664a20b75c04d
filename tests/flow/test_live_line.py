"""The live line: NOTIFY fanned out to the streams of a process, and what happens when it is lost."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from frontdesk.core.database import Database
from frontdesk.core.live import MAX_PAYLOAD, MAX_WAITING, RESYNC, Live, LiveEvent, notify, payload

DRAFT = LiveEvent("draft", {"turn_id": 1, "text": "Hi"})


async def test_an_event_reaches_the_streams_of_its_conversation_only(database: Database) -> None:
    async with Live(database.url) as live:
        with live.subscribe(7) as mine, live.subscribe(7) as mine_too, live.subscribe(8) as other:
            async with database.transaction(1) as connection:
                await notify(connection, 1, 7, "draft", {"turn_id": 1, "text": "Hi"})
            assert await mine.next_within(5) == DRAFT
            assert await mine_too.next_within(5) == DRAFT
            assert await other.next_within(0.01) is None


async def test_an_event_is_told_when_its_transaction_commits_and_not_when_it_fails(database: Database) -> None:
    async with Live(database.url) as live:
        with live.subscribe(7) as events:
            with suppress(ZeroDivisionError):
                async with database.transaction(1) as connection:
                    await notify(connection, 1, 7, "message", {"position": 1})
                    raise ZeroDivisionError
            async with database.transaction(1) as connection:
                await notify(connection, 1, 7, "message", {"position": 2})
            assert await events.next_within(5) == LiveEvent("message", {"position": 2})


async def test_a_stream_that_lags_behind_is_told_to_read_the_table(database: Database) -> None:
    async with Live(database.url) as live:
        with live.subscribe(7) as events:
            for _ in range(MAX_WAITING + 1):
                events.put(DRAFT)
            assert await events.next_within(5) == RESYNC
            assert await events.next_within(0.01) is None


async def test_after_a_lost_line_every_stream_reads_the_table(database: Database) -> None:
    async with Live(database.url) as live:
        with live.subscribe(7) as events:
            async with database.system() as connection:
                await kill_listeners(database.url)
                assert await events.next_within(10) == RESYNC
                await notify(connection, 1, 7, "message", {"position": 1})
            assert await events.next_within(5) == LiveEvent("message", {"position": 1})


async def kill_listeners(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'frontdesk live' AND datname = current_database()"
    )
    await connection.close()


async def test_a_database_that_is_away_at_the_start_is_waited_for() -> None:
    async with asyncio.timeout(60), Live("postgresql://frontdesk@127.0.0.1:1/none") as live:
        assert not live.is_listening.is_set()


async def test_streams_end_with_the_process_and_leave_nothing_behind(database: Database) -> None:
    live = Live(database.url)
    await live.start()
    with live.subscribe(7) as events:
        assert live.stream_count == 1
        await live.stop()
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    assert live.stream_count == 0


@pytest.mark.parametrize("text", ["x" * 9_000, "ñ" * 9_000, "\n" * 9_000, "😀" * 9_000, '"' * 9_000])
def test_a_draft_too_long_for_one_notification_is_cut_at_its_end(text: str) -> None:
    said = payload(1, 7, "draft", {"turn_id": 1, "text": text})
    assert MAX_PAYLOAD * 0.9 < len(said.encode()) <= MAX_PAYLOAD
    assert said.endswith('…"}')


def test_an_event_that_is_too_long_without_a_text_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="more than"):
        payload(1, 7, "typing", {"on": "x" * 9_000})
