"""The outbox: the parts of an answer, single lines and people's messages, each with one idempotency key for ever.

A part of an answer becomes a message when it was accepted. A person's message is there at once, as `pending`, and its
row in the outbox names it; whatever becomes of that row is written to the message in the same statement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

import asyncpg

from frontdesk.assistants import follow_up_endings
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.runtime.refusals import said_of
from frontdesk.runtime.thread import NewMessage, append, messages_path

Kind = Literal[
    "answer",
    "out_of_schedule",
    "budget",
    "fixed_line",
    "handoff",
    "written",
    "image",
    "follow_up",
    "opt_out",
    "approval",
]

SENDERS = {"answer": "assistant", "out_of_schedule": "assistant", "fixed_line": "system", "budget": "system",
           "handoff": "system", "image": "assistant", "follow_up": "assistant", "opt_out": "system",
           "approval": "system"}  # fmt: skip

ADD = """
    INSERT INTO outbox (organization_id, conversation_id, ai_turn_id, position, epoch, status, idempotency_key, payload,
        due_at, message_id, attempts, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9, 0, $8, $8)
    ON CONFLICT (organization_id, idempotency_key) DO NOTHING
"""
OPEN_PARTS = """
    SELECT id, conversation_id, ai_turn_id, position, epoch, status, idempotency_key, payload, due_at, attempts,
        message_id FROM outbox
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
    WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'sending', 'unknown') RETURNING id
"""
# What is with the provider cannot be withdrawn any more: whether it arrived is unknown.
CLOSE = """
    WITH closed AS (
        UPDATE outbox SET status = CASE WHEN status = 'sending' AND $3 = 'withdrawn' THEN 'unknown' ELSE $3 END,
            reason = $4, updated_at = $5, version = version + 1
        WHERE organization_id = $1 AND id = ANY($2) AND status IN ('pending', 'sending') RETURNING message_id, status
    )
    UPDATE conversation_messages m SET status = closed.status, error = $6, updated_at = $5, version = m.version + 1
    FROM closed WHERE m.organization_id = $1 AND m.id = closed.message_id AND m.status = 'pending'
    RETURNING m.id, m.channel, m.kind
"""
# What may have arrived has its place in the thread, or whoever takes the conversation over would not know of it.
PLACELESS = """
    SELECT id FROM outbox o WHERE organization_id = $1 AND id = ANY($2) AND status = 'unknown' AND message_id IS NULL
        AND EXISTS (SELECT FROM conversations c WHERE c.organization_id = $1 AND c.id = o.conversation_id
            AND c.deleted_at IS NULL)
    ORDER BY id
"""
PLACED = """
    WITH placed AS (
        UPDATE outbox SET message_id = $3, version = version + 1 WHERE organization_id = $1 AND id = $2
    )
    UPDATE conversation_messages SET error = $4 WHERE organization_id = $1 AND id = $3
"""
PLACE = "SELECT status, message_id FROM outbox WHERE organization_id = $1 AND id = $2"
# A status callback may have been faster than we are; it knows more.
MARK_SENT = """
    UPDATE conversation_messages SET status = CASE WHEN status IN ('pending', 'unknown') THEN 'sent' ELSE status END,
        error = CASE status WHEN 'unknown' THEN NULL ELSE error END, external_id = $3, updated_at = $4,
        version = version + 1
    WHERE organization_id = $1 AND id = $2 RETURNING id, channel, kind
"""
AGAIN = """
    UPDATE outbox SET status = $6, reason = $3, due_at = $4, updated_at = $5, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status = 'sending'
"""
DELAY = "UPDATE outbox SET due_at = $3, version = version + 1 WHERE organization_id = $1 AND id = $2"
COUNT_SENT = """
    SELECT count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'unknown'),
        count(*) FILTER (WHERE status = 'failed') FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id = $3
"""

IS_SENDING = """
    SELECT EXISTS (SELECT FROM outbox WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id IS NOT NULL
        AND status = 'sending')
"""
HAS_OPEN_LINES = """
    SELECT EXISTS (SELECT FROM outbox WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id IS NULL
        AND status IN ('pending', 'sending'))
"""
WRITTEN = """
    SELECT m.message_type, m.deleted_at IS NOT NULL AS is_deleted, m.media_url, m.s3_path, m.file_name, m.file_type,
        m.file_size, m.location, m.template, m.emoji, r.external_id AS reply_to, t.external_id AS reaction_to
    FROM conversation_messages m
    LEFT JOIN conversation_messages r ON r.organization_id = m.organization_id AND r.id = m.reply_to_message_id
    LEFT JOIN conversation_messages t ON t.organization_id = m.organization_id AND t.id = m.reaction_to_message_id
    WHERE m.organization_id = $1 AND m.id = $2
"""
HAS_LINES = """
    SELECT due_at <= $3 FROM outbox WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id IS NULL
        AND status IN ('pending', 'sending')
    ORDER BY id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message is beside its text. `reply_to` and `reaction_to` are ids of the provider."""

    message_type: str = "text"
    is_deleted: bool = False
    media_url: str | None = None
    s3_path: str | None = None
    file_name: str | None = None
    file_type: str | None = None
    file_size: int | None = None
    location: Mapping[str, Json] | None = None
    template: Mapping[str, Json] | None = None
    emoji: str | None = None
    reply_to: str | None = None
    reaction_to: str | None = None

    @property
    def extras(self) -> dict[str, Json]:
        """The columns of a new message that hold its file or its template."""
        names = ("media_url", "s3_path", "file_name", "file_type", "file_size", "template")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


PLAIN = Content()


@dataclass(frozen=True, slots=True)
class Part:
    """A row of `outbox` that is not closed. `delay_seconds` is waited before it, after the part before it.

    `ai_turn_id` is the turn whose parts are sent under its lease; `about_turn_id` the one that a message belongs to.
    """

    id: int
    conversation_id: int
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
    message_id: int | None = None  # of a message that is there already
    structured_output: Json = None
    content: Content = PLAIN
    follow_up_id: int | None = None  # of a follow-up that no turn writes

    @property
    def is_image(self) -> bool:
        """An image of an answer: the words go on without it where it cannot be sent."""
        return self.kind == "image"

    @property
    def is_written(self) -> bool:
        """Its message is there already: a person or a tool wrote it."""
        return self.kind == "written"


@dataclass(frozen=True, slots=True)
class Draft:
    """A part before it is stored; `message_id` where its message is there already."""

    text: str
    kind: Kind
    key: str
    position: int = 1
    delay_seconds: float = 0
    about_turn_id: int | None = None
    message_id: int | None = None
    structured_output: Json = None  # the values beside the reply, with the first part of an answer
    content: Content = PLAIN  # of a part whose message is not there yet
    follow_up_id: int | None = None


async def add(
    connection: Connection, organization_id: int, conversation_id: int, turn_id: int | None, epoch: int,
    assistant_id: int | None, drafts: Sequence[Draft], now: datetime,
) -> None:  # fmt: skip
    """Store parts; a repeated key changes nothing."""
    for draft in drafts:
        payload: dict[str, Json] = {
            "text": draft.text, "kind": draft.kind, "delay_seconds": draft.delay_seconds,
            "ai_assistant_id": assistant_id, "about_turn_id": draft.about_turn_id,
        }  # fmt: skip
        if draft.structured_output is not None:
            payload["structured_output"] = draft.structured_output
        if draft.follow_up_id is not None:
            payload["follow_up_id"] = draft.follow_up_id
        if draft.content != PLAIN:
            payload["content"] = {name: value for name, value in asdict(draft.content).items() if value is not None}
        await connection.execute(
            ADD, organization_id, conversation_id, turn_id, draft.position, epoch, draft.key, json.dumps(payload), now,
            draft.message_id,
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
        row["id"], row["conversation_id"], row["ai_turn_id"], row["position"], row["epoch"], row["status"],
        row["idempotency_key"], body["text"], body["kind"], body["delay_seconds"], body["ai_assistant_id"],
        body["about_turn_id"], row["due_at"], row["attempts"], row["message_id"], body.get("structured_output"),
        Content(**body.get("content", {})), body.get("follow_up_id"),
    )  # fmt: skip


async def claim(connection: Connection, organization_id: int, part: Part, until: datetime, now: datetime) -> None:
    """The part is about to be handed over; it may be claimed again after `until`."""
    await connection.execute(CLAIM, organization_id, part.id, until, now)


async def sent(
    connection: Connection, organization_id: int, part: Part, message_id: int, reason: str | None, now: datetime
) -> bool:
    """Accepted. False where somebody else closed it."""
    if part.follow_up_id is not None:
        await follow_up_endings.end(
            connection, organization_id, [part.follow_up_id], "sent", "sent", now, message_id=message_id
        )
    return await connection.fetchval(SENT, organization_id, part.id, message_id, reason, now) is not None


async def close(
    connection: Connection, organization_id: int, parts: Sequence[Part], status: str, reason: str, now: datetime
) -> None:
    """Withdrawn, failed or unknown, with its reason: a code, or the provider's sentence."""
    ids = [part.id for part in parts]
    for part in parts:
        if part.follow_up_id is not None:
            own = "unknown" if part.status == "sending" and status == "withdrawn" else status
            await follow_up_endings.not_sent(connection, organization_id, part.follow_up_id, own, reason, now)
    rows = await connection.fetch(CLOSE, organization_id, ids, status, reason, now, said_of(reason))
    for row in rows:
        await emit(connection, organization_id, messages_path(row["kind"], row["channel"]), "updated", row["id"])
    if status == "unknown" or any(part.status == "sending" for part in parts):
        await _place_unknown(connection, organization_id, parts, reason, now)


async def _place_unknown(
    connection: Connection, organization_id: int, parts: Sequence[Part], reason: str, now: datetime
) -> None:
    """Give the parts that may have arrived their messages, with the status `unknown` and the reason as its error."""
    by_id = {part.id: part for part in parts}
    for row in await connection.fetch(PLACELESS, organization_id, list(by_id)):
        part = by_id[row["id"]]
        message = message_of(part, "unknown")
        message_id, _ = await append(connection, organization_id, part.conversation_id, message, now)
        await connection.execute(PLACED, organization_id, part.id, message_id, said_of(reason))


def message_of(part: Part, status: str, external_id: str | None = None) -> NewMessage:
    """What a part of an answer, or a line, becomes in the thread."""
    output = part.structured_output
    extras: dict[str, Json] = {} if output is None else {"structured_output": output}
    return NewMessage(
        "outbound", SENDERS[part.kind], part.text, part.content.message_type, extras=extras | part.content.extras,
        status=status, external_id=external_id, ai_turn_id=part.ai_turn_id or part.about_turn_id,
        ai_assistant_id=part.ai_assistant_id,
    )  # fmt: skip


async def placed(connection: Connection, organization_id: int, part: Part) -> Part | None:
    """The part after it was with the provider, under the conversation's lock: with the message that it was given where
    it was taken to be lost. None where another worker has been told meanwhile what became of it."""
    row = await connection.fetchrow(PLACE, organization_id, part.id)
    if row is None or row["status"] not in ("pending", "sending", "unknown"):
        return None
    return replace(part, message_id=row["message_id"])


async def mark_sent(
    connection: Connection, organization_id: int, message_id: int, external_id: str | None, now: datetime
) -> None:
    """The provider has taken a message that was pending; `external_id` is its name there."""
    row = await connection.fetchrow(MARK_SENT, organization_id, message_id, external_id, now)
    assert row is not None
    await emit(connection, organization_id, messages_path(row["kind"], row["channel"]), "updated", row["id"])


async def again(
    connection: Connection, organization_id: int, part: Part, reason: str, due_at: datetime, now: datetime
) -> None:
    """Not accepted this time. Of a part that may have arrived before, that stays unknown."""
    await connection.execute(AGAIN, organization_id, part.id, reason, due_at, now, part.status)


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
    """Whether the next line that belongs to no turn is due; the others wait behind it."""
    return bool(await connection.fetchval(HAS_LINES, organization_id, conversation_id, now))


async def is_sending(connection: Connection, organization_id: int, conversation_id: int) -> bool:
    """Whether a part of a turn is with the provider at this moment."""
    return bool(await connection.fetchval(IS_SENDING, organization_id, conversation_id))


async def has_open_lines(connection: Connection, organization_id: int, conversation_id: int) -> bool:
    """Whether a line or a person's message is on its way, due or not."""
    return bool(await connection.fetchval(HAS_OPEN_LINES, organization_id, conversation_id))


async def with_content(connection: Connection, organization_id: int, part: Part) -> Part:
    """The part with what its message says, as it is now."""
    if part.message_id is None:
        return part
    row = await connection.fetchrow(WRITTEN, organization_id, part.message_id)
    assert row is not None
    values = dict(row)
    for name in ("location", "template"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return replace(part, content=Content(**values))
