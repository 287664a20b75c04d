"""The outbox: the parts of an answer and single lines, in order, each with one idempotency key for ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import asyncpg

from frontdesk.core.database import Connection

Kind = Literal["answer", "out_of_schedule", "fixed_line"]

ADD = """
    INSERT INTO outbox (organization_id, conversation_id, ai_turn_id, position, epoch, status, idempotency_key, payload,
        due_at, attempts, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, 0, $9, $9)
    ON CONFLICT (organization_id, idempotency_key) DO NOTHING
"""
OPEN_PARTS = """
    SELECT id, ai_turn_id, position, epoch, status, idempotency_key, payload, due_at, attempts FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id IS NOT DISTINCT FROM $3
        AND status IN ('pending', 'sending')
    ORDER BY id FOR UPDATE
"""
CLAIM = """
    UPDATE outbox SET status = 'sending', attempts = attempts + 1, due_at = $3, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'sending')
"""
SENT = """
    UPDATE outbox SET status = 'sent', message_id = $3, reason = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'sending') RETURNING id
"""
CLOSE = """
    UPDATE outbox SET status = $3, reason = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = ANY($2) AND status IN ('pending', 'sending')
"""
AGAIN = """
    UPDATE outbox SET status = 'pending', reason = $3, due_at = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status = 'sending'
"""
DELAY = "UPDATE outbox SET due_at = $3, version = version + 1 WHERE organization_id = $1 AND id = $2"
COUNT_SENT = """
    SELECT count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'unknown'),
        count(*) FILTER (WHERE status = 'failed') FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id = $3
"""

HAS_LINES = """
    SELECT EXISTS (SELECT FROM outbox WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id IS NULL
        AND status IN ('pending', 'sending') AND due_at <= $3)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A row of `outbox` that is not closed. `delay_seconds` is waited before it, after the part before it.

    `ai_turn_id` is the turn whose parts are sent under its lease; `about_turn_id` the one that a message belongs to.
    """

    id: int
    ai_turn_id: int | None
    position: int
    epoch: int
    status: str
    idempotency_key: str
    text: str
    kind: str
    delay_seconds: float
    ai_assistant_id: int | None
    about_turn_id: int | None
    due_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A part before it is stored."""

    text: str
    kind: Kind
    key: str
    position: int = 1
    delay_seconds: float = 0
    about_turn_id: int | None = None


async def add(
    connection: Connection, organization_id: int, conversation_id: int, turn_id: int | None, epoch: int,
    assistant_id: int | None, drafts: Sequence[Draft], now: datetime,
) -> None:  # fmt: skip
    """Store parts; a repeated key changes nothing."""
    for draft in drafts:
        payload = {
            "text": draft.text, "kind": draft.kind, "delay_seconds": draft.delay_seconds,
            "ai_assistant_id": assistant_id, "about_turn_id": draft.about_turn_id,
        }  # fmt: skip
        await connection.execute(
            ADD, organization_id, conversation_id, turn_id, draft.position, epoch, draft.key, json.dumps(payload), now,
            now,
        )  # fmt: skip


async def open_parts(
    connection: Connection, organization_id: int, conversation_id: int, turn_id: int | None
) -> list[Part]:
    """The parts of a turn (or the lines of none) that are not closed, in order."""
    rows = await connection.fetch(OPEN_PARTS, organization_id, conversation_id, turn_id)
    return [_part(row) for row in rows]


def _part(row: asyncpg.Record) -> Part:
    body = json.loads(row["payload"])
    return Part(
        row["id"], row["ai_turn_id"], row["position"], row["epoch"], row["status"], row["idempotency_key"],
        body["text"], body["kind"], body["delay_seconds"], body["ai_assistant_id"], body["about_turn_id"],
        row["due_at"], row["attempts"],
    )  # fmt: skip


async def claim(connection: Connection, organization_id: int, part: Part, until: datetime, now: datetime) -> None:
    """The part is about to be handed over; it may be claimed again after `until`."""
    await connection.execute(CLAIM, organization_id, part.id, until, now)


async def sent(
    connection: Connection, organization_id: int, part: Part, message_id: int, reason: str | None, now: datetime
) -> bool:
    """Accepted. False where somebody else closed it."""
    return await connection.fetchval(SENT, organization_id, part.id, message_id, reason, now) is not None


async def close(
    connection: Connection, organization_id: int, parts: Sequence[Part], status: str, reason: str, now: datetime
) -> None:
    """Withdrawn, failed or unknown, with its reason."""
    await connection.execute(CLOSE, organization_id, [part.id for part in parts], status, reason, now)


async def again(
    connection: Connection, organization_id: int, part: Part, reason: str, due_at: datetime, now: datetime
) -> None:
    """Not accepted this time."""
    await connection.execute(AGAIN, organization_id, part.id, reason, due_at, now)


async def delay(connection: Connection, organization_id: int, part: Part, due_at: datetime) -> Part:
    """The part waits until `due_at`."""
    await connection.execute(DELAY, organization_id, part.id, due_at)
    return replace(part, due_at=due_at)


async def counts(
    connection: Connection, organization_id: int, conversation_id: int, turn_id: int
) -> tuple[int, int, int]:
    """How many parts of the turn were sent, are unknown, failed."""
    row = await connection.fetchrow(COUNT_SENT, organization_id, conversation_id, turn_id)
    assert row is not None
    return row[0], row[1], row[2]


async def has_lines(connection: Connection, organization_id: int, conversation_id: int, now: datetime) -> bool:
    """Whether a line that belongs to no turn is due."""
    return bool(await connection.fetchval(HAS_LINES, organization_id, conversation_id, now))
