"""The decision about each inbound: a row that is written with the message and settled when its turn ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from frontdesk.assistants import decision_rows
from frontdesk.assistants.decision_rows import Told
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.gates import Decision, facts_json
from frontdesk.runtime.sentences import explain

DecisionOutcome = Literal["pending", "answered", "silent", "muted", "failed", "handed_off"]

UNDECIDED = """
    SELECT d.id, m.id AS message_id, m.position, m.created_at, m.message_type FROM ai_decisions d
    JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    WHERE d.organization_id = $1 AND d.conversation_id = $2 AND d.outcome = 'pending' AND d.ai_turn_id IS NULL
    ORDER BY m.position
"""
OF_TURN = "SELECT id FROM ai_decisions WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'"


@dataclass(frozen=True, slots=True)
class Undecided:
    """An inbound that waits: its decision's row, its message, its place, when it came, of what type it is."""

    id: int
    message_id: int
    position: int
    created_at: datetime
    message_type: str = "text"

    @property
    def ends_burst(self) -> bool:
        """Only words are typed in pieces: who has sent a file or a place, or tapped a button, has said it."""
        return self.message_type != "text"


async def open_decision(
    connection: Connection, organization_id: int, conversation_id: int, message_id: int, now: datetime,
    viewer_id: int | None = None,
) -> None:  # fmt: skip
    """`viewer_id` is the only user who sees it, of a staff chat."""
    await connection.execute(decision_rows.OPEN, organization_id, conversation_id, message_id, now, viewer_id)


async def undecided(connection: Connection, organization_id: int, conversation_id: int) -> list[Undecided]:
    """The inbounds that belong to no turn yet, oldest first."""
    rows = await connection.fetch(UNDECIDED, organization_id, conversation_id)
    return [Undecided(*row) for row in rows]


async def decide(
    connection: Connection, organization_id: int, ids: Sequence[int], decision: Decision,
    *, assistant_id: int | None, turn_id: int | None, now: datetime,
) -> None:  # fmt: skip
    """Store what the gates said about these inbounds; with a turn they stay pending until it ends."""
    outcome = "pending" if turn_id is not None else "handed_off" if decision.outcome == "handoff" else "silent"
    english, spanish = decision.explain("ENG"), decision.explain("ESP")
    told = Told(decision.reason, english.why, english.would_change, spanish.why, spanish.would_change)
    await connection.execute(
        decision_rows.DECIDE, organization_id, list(ids), *told.arguments(now), outcome, decision.gate,
        json.dumps(decision.gates_json()), decision.config_path, decision.config_version, assistant_id, turn_id,
        json.dumps(facts_json(decision.facts)),
    )  # fmt: skip


async def of_turn(connection: Connection, organization_id: int, turn_id: int) -> list[int]:
    return [row["id"] for row in await connection.fetch(OF_TURN, organization_id, turn_id)]


def told_of(reason: str, facts: Mapping[str, Json]) -> Told:
    """The reason with its sentences in both languages."""
    english, spanish = explain(reason, facts, "ENG"), explain(reason, facts, "ESP")
    return Told(reason, english.why, english.would_change, spanish.why, spanish.would_change)


async def settle(
    connection: Connection, organization_id: int, turn_id: int, outcome: DecisionOutcome, reason: str, now: datetime,
    facts: Mapping[str, Json] | None = None,
) -> None:  # fmt: skip
    """The end of the turn is the end of the decisions about its inbounds; `facts` are for the sentences."""
    told = told_of(reason, facts or {})
    await connection.execute(decision_rows.SETTLE_TURN, organization_id, turn_id, *told.arguments(now), outcome)


async def settle_waiting(
    connection: Connection, organization_id: int, conversation_id: int, reason: str, now: datetime
) -> None:
    """All inbounds of a conversation that still wait get no answer."""
    told = told_of(reason, {})
    await connection.execute(decision_rows.SETTLE_WAITING, organization_id, conversation_id, *told.arguments(now))


async def settle_message(
    connection: Connection, organization_id: int, message_id: int, reason: str, now: datetime
) -> None:
    """An inbound that no assistant is asked about."""
    told = told_of(reason, {})
    await connection.execute(decision_rows.SETTLE_MESSAGE, organization_id, message_id, *told.arguments(now))


async def release(connection: Connection, organization_id: int, turn_id: int, now: datetime) -> None:
    """Its inbounds have no answer and no turn: the next turn takes them."""
    await connection.execute(decision_rows.RELEASE, organization_id, turn_id, now)
