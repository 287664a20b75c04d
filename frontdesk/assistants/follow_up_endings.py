"""How follow-ups end, as statements that both the runtime and the resources make: each ending with its decision.

Set-wise, so that one conversation and a bulk action of thousands do the same. What was sent has been sent: it wins
over every reason not to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from frontdesk.assistants import decision_rows
from frontdesk.assistants.decision_rows import Told
from frontdesk.assistants.follow_up_words import FOLLOW_UPS, PREFIX
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit

Ending = Literal["sent", "cancelled", "failed"]
OUTCOMES: dict[Ending, str] = {"sent": "answered", "cancelled": "silent", "failed": "failed"}

_ENDED = """
    UPDATE ai_follow_ups SET status = $3, reason = $4, sentence = $5, sentence_es = $6, would_change = $7,
        would_change_es = $8, gates = coalesce($9, gates), message_id = coalesce($10, message_id), ended_at = $11,
        updated_at = $11, version = version + 1
    WHERE organization_id = $1 AND {which} AND (status IN ('scheduled', 'sending')
        OR ($3 = 'sent' AND status <> 'sent'))
    RETURNING id
"""
BY_ID = _ENDED.format(which="id = ANY($2::bigint[])")
BY_CONVERSATION = _ENDED.format(which="conversation_id = ANY($2::bigint[])")
BY_REPLY = _ENDED.format(which="conversation_id = ANY($2::bigint[]) AND stops_on_reply")
BY_CONTACT = _ENDED.format(
    which="conversation_id IN (SELECT id FROM conversations WHERE organization_id = $1 AND contact_id = ANY($2))"
)


def told_of(reason: str) -> Told:
    """Of a reason whose sentences need no facts."""
    pair = FOLLOW_UPS[PREFIX + reason]
    return Told(PREFIX + reason, *pair["ENG"], *pair["ESP"])


@dataclass(frozen=True, slots=True)
class Why:
    """What a decision tells beside its sentences: the gates tried, the one that decided, the setting behind it."""

    told: Told
    gates: Sequence[Json] | None = None
    gate: str | None = None
    config_path: str | None = None


async def end(
    connection: Connection, organization_id: int, ids: Sequence[int], ending: Ending, reason: str, now: datetime,
    why: Why | None = None, message_id: int | None = None,
) -> None:  # fmt: skip
    """These follow-ups are over; those that ended before stay as they are."""
    await _end(connection, BY_ID, organization_id, ids, ending, reason, now, why, message_id)


# What delivery calls by other names.
REASONS = {"outside_window": "window_closed", "conversation_closed": "closed", "person_took_over": "human",
           "superseded": "replied"}  # fmt: skip


async def not_sent(
    connection: Connection, organization_id: int, id: int, status: str, reason: str, now: datetime
) -> None:
    """Its message did not go out, or nobody knows: `status` and `reason` are those of its part in the outbox."""
    if status == "unknown":
        await end(connection, organization_id, [id], "sent", "unknown", now)
    elif status == "failed":
        await end(connection, organization_id, [id], "failed", "undelivered", now)
    else:
        known = REASONS.get(reason, reason)
        known = known if PREFIX + known in FOLLOW_UPS else "newer_epoch"
        await end(connection, organization_id, [id], "cancelled", known, now)


async def stop(connection: Connection, organization_id: int, ids: Sequence[int], reason: str, now: datetime) -> None:
    """What happened to these conversations leaves nothing to follow up."""
    await _end(connection, BY_CONVERSATION, organization_id, ids, "cancelled", reason, now)


async def stop_by_reply(connection: Connection, organization_id: int, conversation_id: int, now: datetime) -> None:
    """The customer wrote: what is set to, waits no longer."""
    await _end(connection, BY_REPLY, organization_id, [conversation_id], "cancelled", "replied", now)


async def stop_by_opting_out(
    connection: Connection, organization_id: int, contact_ids: list[int], now: datetime
) -> None:
    """These contacts want no follow-ups, in none of their conversations."""
    await _end(connection, BY_CONTACT, organization_id, contact_ids, "cancelled", "opted_out", now)


async def _end(
    connection: Connection, sql: str, organization_id: int, ids: Sequence[int], ending: Ending, reason: str,
    now: datetime, why: Why | None = None, message_id: int | None = None,
) -> None:  # fmt: skip
    why = why or Why(told_of(reason))
    told, gates = why.told, None if why.gates is None else json.dumps(why.gates)
    rows = await connection.fetch(
        sql, organization_id, list(ids), ending, None if reason == "sent" else reason, told.why, told.why_es,
        told.would_change, told.would_change_es, gates, message_id, now,
    )  # fmt: skip
    if ended := [row[0] for row in rows]:
        await decision_rows.of_follow_ups(
            connection, organization_id, ended, OUTCOMES[ending], told, now, gate=why.gate, config_path=why.config_path
        )
        points = ("sent",) if ending == "sent" else ("cancelled",)
        await emit(connection, organization_id, "ai-follow-ups", "updated", *ended, also=points)
