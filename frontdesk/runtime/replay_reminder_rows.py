"""What a replay of reminders reads, in the batches of the replay. All statements only read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from frontdesk.core.database import Connection
from frontdesk.runtime.replay_reminders import Outside, Recorded
from frontdesk.runtime.replay_rows import Period

# The versions that were in force at any moment of the period, and whether one of them reminds.
TIMELINE = """
    SELECT version, created_at, coalesce((snapshot -> 'follow_up_config' ->> 'enabled')::boolean, false) AS reminds
    FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND created_at < $4 AND version >= coalesce((
        SELECT max(version) FROM ai_assistant_versions
        WHERE organization_id = $1 AND ai_assistant_id = $2 AND created_at <= $3), 1)
    ORDER BY version
"""
RECORDED = """
    SELECT conversation_id, answer_turn_id, rule_id, mode, answered_at, due_at, status, reason, ended_at
    FROM ai_follow_ups
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND answer_turn_id = ANY($3::bigint[]) ORDER BY id
"""
# A person's own words stop a reminder; what they wrote among themselves does not.
PEOPLE = """
    SELECT conversation_id, created_at FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND direction = 'outbound' AND sender = 'user'
        AND message_type NOT IN ('note', 'reaction') AND created_at >= $3 AND created_at < $4
"""
# The messages of a conversation do not touch `updated_at`: of a closed one it tells when it was closed.
STANDING = """
    SELECT c.id, c.channel, c.epoch, c.status, c.updated_at, c.assigned_user_id, c.blocked, k.opted_out_at
    FROM conversations c LEFT JOIN contacts k ON k.organization_id = c.organization_id AND k.id = c.contact_id
    WHERE c.organization_id = $1 AND c.id = ANY($2::bigint[])
"""
OVER = ("closed", "resolved")


@dataclass(frozen=True, slots=True)
class Stored:
    """Of a batch, by conversation."""

    recorded: dict[int, list[Recorded]] = field(default_factory=dict)
    outside: dict[int, Outside] = field(default_factory=dict)


async def timeline(connection: Connection, period: Period) -> tuple[list[datetime], list[int], bool]:
    """From when on which version was in force, and whether any of them reminds."""
    rows = await connection.fetch(
        TIMELINE, period.organization_id, period.assistant_id, period.start, period.end
    )  # fmt: skip
    return [row[1] for row in rows], [row[0] for row in rows], any(row[2] for row in rows)


async def stored(
    connection: Connection, period: Period, ids: Sequence[int], turn_ids: Collection[int]
) -> Stored:  # fmt: skip
    found = Stored(defaultdict(list))
    where = (period.organization_id, list(ids))
    for row in await connection.fetch(RECORDED, period.organization_id, period.assistant_id, sorted(turn_ids)):
        found.recorded[row["conversation_id"]].append(_recorded(row, period.end))
    stops: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for id, at in await connection.fetch(PEOPLE, *where, period.start, period.end):
        stops[id].append((at, "human"))
    for row in await connection.fetch(STANDING, *where):
        if row["opted_out_at"] is not None:
            stops[row["id"]].append((row["opted_out_at"], "opted_out"))
        now = "closed" if row["status"] in OVER else "human" if row["assigned_user_id"] is not None else "newer_epoch"
        found.outside[row["id"]] = Outside(
            row["channel"], tuple(stops[row["id"]]), row["epoch"], row["updated_at"],
            "contact_blocked" if row["blocked"] else now,
        )  # fmt: skip
    return found


def _recorded(row: Any, end: datetime) -> Recorded:
    """As it was at the end of the period."""
    status, reason, ended_at = row["status"], row["reason"], row["ended_at"]
    if status in ("scheduled", "sending") or (ended_at is not None and ended_at >= end):
        status, reason, ended_at = "waiting", None, None
    return Recorded(
        row["conversation_id"], row["answer_turn_id"], row["rule_id"], row["mode"], row["answered_at"], row["due_at"],
        status, reason, ended_at,
    )  # fmt: skip
