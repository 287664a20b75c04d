"""What a replay reads: the record of a period, in batches of conversations, with bounded memory.

All statements only read. A batch costs three or four of them, whatever it holds; none is asked for one row.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from frontdesk.core.database import Connection
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.replay_lane import Given, Heard

BATCH = 100  # conversations
ROWS = 1_000  # of one statement
CONVERSATIONS = """
    SELECT DISTINCT d.conversation_id FROM ai_decisions d
    JOIN conversations c ON c.organization_id = d.organization_id AND c.id = d.conversation_id AND c.deleted_at IS NULL
    WHERE d.organization_id = $1 AND d.ai_assistant_id = $2 AND d.conversation_id > $3 AND d.created_at >= $4
        AND d.created_at < $5 AND d.message_id IS NOT NULL AND ($6::bigint[] IS NULL OR d.conversation_id = ANY($6))
    ORDER BY 1 LIMIT $7
"""
# The gates only of what was decided before the facts were kept whole.
DECISIONS = """
    SELECT d.id, d.conversation_id, d.message_id, coalesce(d.decided_at, d.created_at) AS at, d.outcome, d.reason,
        d.gate, d.ai_turn_id, d.config_version, d.facts::text AS facts,
        CASE WHEN d.facts IS NULL THEN d.gates::text END AS gates, d.private_to_user_id,
        coalesce(m.message_text, '') AS said, m.message_type, m.kind, m.position, t.cost,
        m.created_at AS arrived, t.ended_at
    FROM ai_decisions d
    JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    LEFT JOIN ai_turns t ON t.organization_id = d.organization_id AND t.id = d.ai_turn_id
    WHERE d.organization_id = $1 AND d.conversation_id = ANY($2::bigint[]) AND d.created_at >= $3 AND d.created_at < $4
        AND d.outcome <> 'pending' AND (d.conversation_id, d.id) > ($5, $6)
    ORDER BY d.conversation_id, d.id LIMIT $7
"""
HANDOFFS = """
    SELECT ai_turn_id, rule, rule_id, detail FROM ai_handoffs
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND kind = 'human' AND ai_turn_id IS NOT NULL
    ORDER BY id
"""
VERSIONS = """
    SELECT version, snapshot::text AS snapshot FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version = ANY($3::int[])
"""
COUNTS = """
    SELECT x.conversation_id, (
        SELECT count(*) FROM conversation_messages m
        WHERE m.organization_id = $1 AND m.conversation_id = x.conversation_id AND m.direction = 'inbound'
            AND m.message_type <> 'reaction' AND m.position < x.position AND m.position >= (
                SELECT min(t.first_position) FROM ai_turns t WHERE t.organization_id = $1
                    AND t.conversation_id = x.conversation_id AND t.epoch = x.epoch))
    FROM unnest($2::bigint[], $3::int[], $4::int[]) AS x(conversation_id, epoch, position)
"""
TURN_COSTS = """
    SELECT conversation_id, created_at, cost FROM ai_turns
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND cost > 0 ORDER BY conversation_id, created_at
"""
# Summed by five minutes, so that months of an assistant's turns fit into memory.
DAY_COSTS = """
    SELECT date_bin('5 minutes', created_at, 'epoch'::timestamptz) AS at, sum(cost) FROM ai_turns
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND created_at >= $3 AND created_at < $4 AND cost > 0
    GROUP BY 1 ORDER BY 1
"""
FACTS = TypeAdapter(Facts)
# How the gates call what they saw, where it is not the name of the fact itself.
SEEN_AS = {
    "blocked": "is_blocked", "closed": "is_closed", "ai_auto_assignment_disabled": "is_auto_assignment_disabled",
    "ai_auto_assignment_disabled_reason": "auto_assignment_disabled_reason", "message_sent_at": "schedule_message_at",
}  # fmt: skip
KNOWN = set(Facts.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Period:
    """Of which inbounds, and of which conversations; None is all. `after` is the last one that is done already."""

    organization_id: int
    assistant_id: int
    start: datetime
    end: datetime
    conversation_ids: Sequence[int] | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs by time, each sum up to and without its moment."""

    times: list[datetime] = field(default_factory=list)
    sums: list[Decimal] = field(default_factory=lambda: [Decimal(0)])

    def add(self, at: datetime, cost: Decimal) -> None:
        """In the order of time."""
        self.times.append(at)
        self.sums.append(self.sums[-1] + cost)

    def between(self, start: datetime | None, end: datetime) -> Decimal:
        first = 0 if start is None else bisect_left(self.times, start)
        return max(self.sums[bisect_left(self.times, end)] - self.sums[first], Decimal(0))

    def of_day(self, at: datetime, timezone: str) -> Decimal:
        """Since the local midnight."""
        zone = ZoneInfo(timezone)
        midnight = datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(UTC)
        return self.between(midnight, at)


async def conversations(connection: Connection, period: Period, after: int, limit: int = BATCH) -> list[int]:
    """The next conversations in which the assistant decided anything."""
    ids = None if period.conversation_ids is None else list(period.conversation_ids)
    rows = await connection.fetch(
        CONVERSATIONS, period.organization_id, period.assistant_id, after, period.start, period.end, ids, limit
    )
    return [row[0] for row in rows]


async def decisions(
    connection: Connection, period: Period, ids: Sequence[int], is_late: Callable[[], bool] = lambda: False
) -> tuple[list[Heard], dict[int, int], bool]:
    """All that was decided in these conversations, the place of each one's first message, and whether it is all.

    Once it is late no further page is read, but the first conversation is always whole.
    """
    handed = {
        row[0]: Given(row[1], row[2], row[3])
        for row in await connection.fetch(HANDOFFS, period.organization_id, list(ids))
    }
    last, places = (0, 0), dict[int, int]()
    found: list[Heard] = []
    while True:
        rows = await connection.fetch(
            DECISIONS, period.organization_id, list(ids), period.start, period.end, *last, ROWS
        )
        for row in rows:
            found.append(_heard(row, handed))
            places.setdefault(row["conversation_id"], row["position"])
        if len(rows) < ROWS:
            return found, places, True
        last = rows[-1]["conversation_id"], rows[-1]["id"]
        if len(places) > 1 and is_late():
            del places[last[0]]
            return [heard for heard in found if heard.conversation_id != last[0]], places, False


def _heard(row: Any, handed: Mapping[int, Given]) -> Heard:
    turn_id = row["ai_turn_id"]
    is_judged = turn_id is not None or row["gate"] is not None
    return Heard(
        row["conversation_id"], row["message_id"], row["at"], row["outcome"], row["reason"],
        _facts(row["facts"], row["gates"]) if is_judged else None, row["gate"], turn_id, row["config_version"],
        row["said"], row["message_type"], handed.get(turn_id), row["cost"] or Decimal(0), row["kind"],
        row["private_to_user_id"], row["arrived"], row["ended_at"],
    )  # fmt: skip


def _facts(stored: str | None, gates: str | None) -> Facts:
    if stored is not None:
        return FACTS.validate_json(stored)
    seen: dict[str, object] = {}
    for gate in json.loads(gates or "[]"):
        seen |= {SEEN_AS.get(name, name): value for name, value in (gate.get("facts") or {}).items()}
    return FACTS.validate_python({name: value for name, value in seen.items() if name in KNOWN})


async def snapshots(connection: Connection, period: Period, versions: Collection[int]) -> dict[int, dict[str, object]]:
    rows = await connection.fetch(VERSIONS, period.organization_id, period.assistant_id, sorted(versions))
    return {row["version"]: json.loads(row["snapshot"]) for row in rows}


async def counts_before(
    connection: Connection, period: Period, first: Mapping[int, Heard], places: Mapping[int, int]
) -> dict[int, int]:
    """How many messages each conversation's assistant had before the first one of the period."""
    ids = list(first)
    epochs = [heard.facts.epoch if heard.facts is not None else 0 for heard in first.values()]
    rows = await connection.fetch(COUNTS, period.organization_id, ids, epochs, [places[id] for id in ids])
    return {row[0]: row[1] for row in rows}


async def costs_of_conversations(connection: Connection, period: Period, ids: Sequence[int]) -> dict[int, Costs]:
    found: dict[int, Costs] = {id: Costs() for id in ids}
    for row in await connection.fetch(TURN_COSTS, period.organization_id, list(ids)):
        found[row[0]].add(row[1], row[2])
    return found


async def costs_of_days(connection: Connection, period: Period) -> Costs:
    """Of the assistant over the period, with the day in which it begins."""
    costs = Costs()
    start = period.start - timedelta(days=2)
    for row in await connection.fetch(DAY_COSTS, period.organization_id, period.assistant_id, start, period.end):
        costs.add(row[0], row[1])
    return costs
