"""Bulk actions beside turns: whoever works in a conversation is stopped as by a PATCH, and a kill loses no batch."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.errors import Json
from frontdesk.resources.messaging.bulk_batches import BATCH
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_kill import PATIENCE, Start, WorkerProcess

PATH = "conversations-bulk-actions"
COLUMNS = (
    "organization_id, contact_id, channel, status, ai_auto_assignment_disabled, blocked, epoch, episode,"
    " is_contact_verified, last_position, unread_count, kind, created_at, updated_at"
)


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    started: list[WorkerProcess] = []

    def begin(*script: object) -> WorkerProcess:
        started.append(WorkerProcess(database_url, *script))
        return started[-1]

    yield begin
    for worker in started:
        worker.kill()


async def bulk(desk: Desk, action: str, **values: Json) -> dict[str, Json]:
    return (await desk.call(PATH, "create", action=action, filter={}, **values)).value


async def crowd(desk: Desk, count: int) -> None:
    """More conversations, without messages."""
    await desk.fetch(
        f"INSERT INTO conversations ({COLUMNS}) SELECT {COLUMNS} FROM conversations, generate_series(1, $1)"
        " WHERE id = $2 RETURNING id",
        count,
        desk.conversation_id,
    )


@pytest.mark.parametrize(
    ("action", "values", "reason"),
    [
        ("update_status", {"status": "closed"}, "conversation_closed"),
        ("assign", {"assigned_user_id": 1}, "person_took_over"),
        ("assign_ai_assistant", {"assigned_ai_assistant_id": None}, "newer_epoch"),
    ],
)
async def test_the_assistant_does_not_speak_after_it(
    desk: Desk, action: str, values: dict[str, Json], reason: str
) -> None:
    given = {name: desk.user_id if value == 1 else value for name, value in values.items()}

    async def interrupted(_: list[ModelMessage]) -> Reply:
        assert (await bulk(desk, action, **given))["status"] == "done"
        return call("update_contact", contact_id=desk.contact_id, phone="5550009")

    assert await desk.ask("Hello?", interrupted) == []
    assert (await desk.decisions())[-1] == ("silent", reason)
    assert await desk.turns() == ["answered", reason]
    assert (await desk.call("contacts", "get", desk.contact_id)).value["phone"] == "5550001"


async def test_a_closed_conversation_begins_anew_with_the_next_message(desk: Desk) -> None:
    await bulk(desk, "update_status", status="closed")
    assert await desk.ask("Are you there?", "Yes.") == ["Yes."]
    talk = await desk.conversation()
    assert (talk["status"], talk["episode"], talk["epoch"]) == ("open", 2, 3)


async def test_handed_back_by_a_bulk_action_the_assistant_answers_again(desk: Desk) -> None:
    await desk.change(assigned_user_id=desk.user_id)
    assert await desk.ask("Hello?") == []
    await bulk(desk, "assign_ai_assistant", assigned_ai_assistant_id=desk.assistant_id)
    assert await desk.ask("And now?", "Here I am.") == ["Here I am."]


async def test_only_where_somebody_is_at_work_a_bell_is_rung(desk: Desk) -> None:
    await crowd(desk, 20)
    await desk.say("Hello?")
    await desk.fetch("DELETE FROM pgqueuer RETURNING id")
    await bulk(desk, "update_status", status="closed")
    assert len(await desk.fetch("SELECT id FROM pgqueuer")) == 1
    await desk.settle()
    assert (await desk.decisions())[-1] == ("silent", "conversation_closed")


async def test_who_waits_for_an_answer_is_known(desk: Desk) -> None:
    async def waiting() -> bool:
        page = await desk.door.call(desk.owner, "conversations", "find", query={"waitingResponseOnly": True})
        return page.value["total"] == 1

    assert not await waiting()
    await desk.say("Hello?")
    since = (await desk.conversation())["waiting_since"]
    await desk.clock.advance(1)
    await desk.say("Anybody?")
    assert await waiting()
    assert (await desk.conversation())["waiting_since"] == since
    await desk.settle()
    assert not await waiting()
    await bulk(desk, "update_status", status="closed")
    assert (await desk.conversation())["waiting_since"] is None


async def test_killed_in_the_middle_another_worker_goes_on_with_the_next_batch(desk: Desk, start: Start) -> None:
    await crowd(desk, 12 * BATCH)
    doomed = start()
    await doomed.heard("ready")
    async with desk.database.transaction(desk.organization_id) as connection:
        begun = await desk.door.call(
            desk.owner, PATH, "create", data={"action": "update_status", "status": "closed", "filter": {}},
            tx=connection,
        )  # fmt: skip
    await processed(desk, BATCH)
    doomed.kill()
    assert 0 < await processed(desk, 0) < 12 * BATCH
    await start().heard("ready")
    assert await processed(desk, 12 * BATCH + 1) == begun.value["total_count"]
    versions = await desk.fetch("SELECT DISTINCT version FROM conversations WHERE id <> $1", desk.conversation_id)
    told = await desk.fetch("SELECT count(*), count(DISTINCT row_id) FROM events WHERE name = 'conversations.updated'")
    assert [row[0] for row in versions] == [2]
    assert told[0][0] == told[0][1]


async def processed(desk: Desk, least: int) -> int:
    """How many are done, once it is so many."""
    async with asyncio.timeout(PATIENCE):
        while (count := (await desk.fetch(f"SELECT processed_count FROM {PATH.replace('-', '_')}"))[0][0]) < least:
            await asyncio.to_thread(signal.sigtimedwait, [], 0.01)
    return int(count)
