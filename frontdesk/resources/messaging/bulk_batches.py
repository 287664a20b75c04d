"""The batches of a bulk action: each is one transaction that changes its conversations as a PATCH of each would.

Owners, epochs and episodes follow the same rules (`conversation_change.py`), each changed row leaves its event, and the
bell rings in each conversation where somebody is at work. What was committed is never done twice: the last id done is
stored with the batch.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from frontdesk.assistants.handoff_return import returning_on_close
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import Invalid, Json
from frontdesk.core.events import emit, emit_named
from frontdesk.core.fields import Plain
from frontdesk.core.jobs import enqueue_all

from .bulk_changes import check_changes
from .bulk_hand_backs import HAND_BACK, takers
from .conversation_change import SEEN, consequences, turning_points
from .conversation_place import PLACE
from .conversation_return import Settled, closes_for, settle_returns

DOORBELL = "conversations-bulk-action"
BATCH = 500  # conversations; what waits for one of their row locks waits this long at most

TAKE = """
    SELECT id, organization_id, action, changes, last_conversation_id, created_at FROM conversations_bulk_actions
    WHERE organization_id = $1 AND id = $2 AND status = 'running' FOR UPDATE SKIP LOCKED
"""
NEXT = """
    SELECT conversation_id FROM conversations_bulk_targets
    WHERE organization_id = $1 AND bulk_action_id = $2 AND conversation_id > $3 ORDER BY conversation_id LIMIT $4
"""
# In the order of ids, so that two bulk actions at once cannot hold what the other one waits for.
LOCK = f"""
    SELECT id, handed_off_by_ai_assistant_id, updated_at, {", ".join((*SEEN, *PLACE))} FROM conversations
    WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND kind = 'conversation' AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
"""
AT_WORK = """
    SELECT conversation_id FROM ai_turns
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND status <> 'ended'
    UNION SELECT conversation_id FROM outbox
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND status IN ('pending', 'sending')
    UNION SELECT conversation_id FROM ai_decisions
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND outcome = 'pending'
"""
GO_ON = """
    UPDATE conversations_bulk_actions
    SET last_conversation_id = $3, processed_count = processed_count + $4, skipped_count = skipped_count + $5,
        updated_at = $6, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
END = """
    UPDATE conversations_bulk_actions
    SET status = $3, error = $4, finished_at = $5, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
COUNTS = """
    SELECT total_count, processed_count, skipped_count FROM conversations_bulk_actions
    WHERE organization_id = $1 AND id = $2
"""
FORGET = "DELETE FROM conversations_bulk_targets WHERE organization_id = $1 AND bulk_action_id = $2"


@dataclass(frozen=True, slots=True)
class BulkAction:
    """What is left to do of one."""

    id: int
    organization_id: int
    action: str
    changes: Mapping[str, Plain]
    done_to: int  # the last conversation that was done
    begun_at: datetime | None = None  # of one that is not done in its own request

    @property
    def key(self) -> tuple[int, int]:
        return self.organization_id, self.id


class BulkWork:
    """What a worker does when the bell of a bulk action rings."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def advance(self, organization_id: int, id: int) -> None:
        """Work batch by batch to the end. Safe to ring twice, late, or on two machines: one of them works."""
        while await self.step(organization_id, id):
            pass

    async def step(self, organization_id: int, id: int) -> bool:
        """One batch in one transaction. False where nothing is left, or somebody else is at it."""
        async with self.door.database.transaction(organization_id) as connection:
            row = await connection.fetchrow(TAKE, organization_id, id)
            return row is not None and await work(connection, _read(row), self.door.clock.now())


def _read(row: asyncpg.Record) -> BulkAction:
    return BulkAction(
        row["id"], row["organization_id"], row["action"], json.loads(row["changes"]), row["last_conversation_id"],
        row["created_at"],
    )  # fmt: skip


async def work(connection: Connection, bulk: BulkAction, now: datetime) -> bool:
    """Do the next batch. True where there is another one."""
    try:
        await check_changes(connection, bulk.organization_id, bulk.changes)
    except Invalid as error:
        # Whom or what it assigns was deleted meanwhile: each PATCH would be refused from now on.
        await _end(connection, bulk, "failed", "; ".join(f"{k} {v}" for k, v in error.errors.items()), now)
        return False
    ids = [row[0] for row in await connection.fetch(NEXT, *bulk.key, bulk.done_to, BATCH)]
    if ids:
        rows = await connection.fetch(LOCK, bulk.organization_id, ids)
        await _change(connection, bulk, rows, now)
        await connection.execute(GO_ON, *bulk.key, ids[-1], len(rows), len(ids) - len(rows), now)
    if len(ids) < BATCH:
        await _end(connection, bulk, "done", None, now)
    return len(ids) == BATCH


async def _change(connection: Connection, bulk: BulkAction, found: Iterable[asyncpg.Record], now: datetime) -> None:
    """Rows that get the same values are written by one statement; rows that have them already stay as they are."""
    rows = [dict(row) for row in found]
    wanted = await _wanted(connection, bulk, rows)
    alike: dict[tuple[tuple[str, Plain], ...], list[int]] = defaultdict(list)
    told: dict[tuple[tuple[str, ...], bool], list[int]] = defaultdict(list)
    for row in rows:
        changes = wanted[row["id"]]
        if any(row[name] != value for name, value in changes.items()):
            data = consequences(dict(row), changes, now)
            goes_to_assistant = data.get("assigned_ai_assistant_id") is not None
            told[turning_points(dict(row), data), goes_to_assistant].append(row["id"])
            for name in ("epoch", "episode"):
                data[name] = int(str(data.get(name, row[name]))) - row[name]
            alike[tuple(sorted(data.items()))].append(row["id"])
    for values, ids in alike.items():
        await _write(connection, bulk.organization_id, dict(values), ids, now)
    for (points, goes_to_assistant), ids in told.items():
        written = {"assigned_ai_assistant_id": goes_to_assistant or None}
        settled = Settled(points, written, is_answering=bulk.action == HAND_BACK)
        await settle_returns(connection, bulk.organization_id, settled, ids, now)
        await emit(connection, bulk.organization_id, "conversations", "updated", *ids, also=points)
    ended = [id for values, ids in alike.items() if dict(values)["epoch"] for id in ids]
    at_work = [row[0] for row in await connection.fetch(AT_WORK, bulk.organization_id, ended)]
    await enqueue_all(connection, "conversation", bulk.organization_id, at_work)


async def _wanted(
    connection: Connection, bulk: BulkAction, rows: list[dict[str, Any]]
) -> dict[int, Mapping[str, Plain]]:
    """What each row is to get: the same for all, but for the assistants that get back what they had."""
    if bulk.action == HAND_BACK:
        # Nobody has previewed what has changed since: a person who took one meanwhile keeps it.
        rows_as_seen = [row for row in rows if bulk.begun_at is None or row["updated_at"] <= bulk.begun_at]
        found = await takers(
            connection, bulk.organization_id, rows_as_seen, bulk.changes.get("assigned_ai_assistant_id")
        )
        return {row["id"]: {"assigned_ai_assistant_id": found[row["id"]]} if row["id"] in found else {} for row in rows}
    closing = {row["id"]: closes_for(row, bulk.changes) for row in rows}
    ids = sorted({id for id in closing.values() if id is not None})
    takers_back = await returning_on_close(connection, bulk.organization_id, ids)
    return {
        id: {**bulk.changes, "assigned_ai_assistant_id": back} if back in takers_back else bulk.changes
        for id, back in closing.items()
    }


async def _write(
    connection: Connection, organization_id: int, values: dict[str, Plain], ids: list[int], now: datetime
) -> None:
    steps = {name: values.pop(name) for name in ("epoch", "episode")}
    names = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 4))
    await connection.execute(
        f"UPDATE conversations SET {names}, epoch = epoch + {steps['epoch']}, episode = episode + {steps['episode']},"
        " version = version + 1, updated_at = $3 WHERE organization_id = $1 AND id = ANY($2::bigint[])",
        organization_id, ids, now, *values.values(),
    )  # fmt: skip


async def _end(connection: Connection, bulk: BulkAction, status: str, error: str | None, now: datetime) -> None:
    await connection.execute(END, *bulk.key, status, error, now)
    await connection.execute(FORGET, *bulk.key)
    told: dict[str, Json] = {"status": status, **dict(await connection.fetchrow(COUNTS, *bulk.key) or {})}
    await emit_named(connection, bulk.organization_id, "conversations-bulk-actions.finished", bulk.id, told, now)
