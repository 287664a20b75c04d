"""The decision about each inbound: a row that is written with the message and settled when its turn ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.gates import Decision, facts_json
from frontdesk.runtime.sentences import explain

DecisionOutcome = Literal["pending", "answered", "silent", "muted", "failed", "handed_off"]

OPEN = """
    INSERT INTO ai_decisions (organization_id, conversation_id, message_id, outcome, reason, gates, created_at,
        updated_at, private_to_user_id)
    VALUES ($1, $2, $3, 'pending', 'received', '[]', $4, $4, $5)
"""
UNDECIDED = """
    SELECT d.id, m.id AS message_id, m.position, m.created_at, m.message_type FROM ai_decisions d
    JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    WHERE d.organization_id = $1 AND d.conversation_id = $2 AND d.outcome = 'pending' AND d.ai_turn_id IS NULL
    ORDER BY m.position
"""
DECIDE = """
    UPDATE ai_decisions SET outcome = $3, reason = $4, gate = $5, gates = $6, config_path = $7, config_version = $8,
        sentence = $9, would_change = $10, sentence_es = $11, ai_assistant_id = $12, ai_turn_id = $13,
        would_change_es = $16, facts = $15, decided_at = $14, updated_at = $14, version = version + 1
    WHERE organization_id = $1 AND id = ANY($2)
"""
OF_TURN = "SELECT id FROM ai_decisions WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'"
SETTLE = """
    UPDATE ai_decisions SET outcome = $3, reason = $4, sentence = $5, would_change = $6, sentence_es = $7,
        would_change_es = $9, updated_at = $8, version = version + 1
    WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'
"""
SETTLE_WAITING = """
    UPDATE ai_decisions SET outcome = 'silent', reason = $3, sentence = $4, would_change = $5, sentence_es = $6,
        would_change_es = $8, updated_at = $7, version = version + 1
    WHERE organization_id = $1 AND conversation_id = $2 AND outcome = 'pending'
"""
SETTLE_MESSAGE = """
    UPDATE ai_decisions SET outcome = 'silent', reason = $3, sentence = $4, would_change = $5, sentence_es = $6,
        would_change_es = $8, updated_at = $7, version = version + 1
    WHERE organization_id = $1 AND message_id = $2 AND outcome = 'pending'
"""
RELEASE = """
    UPDATE ai_decisions SET ai_turn_id = NULL, reason = 'received', updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'
"""


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
    await connection.execute(OPEN, organization_id, conversation_id, message_id, now, viewer_id)


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
    await connection.execute(
        DECIDE, organization_id, list(ids), outcome, decision.reason, decision.gate, json.dumps(decision.gates_json()),
        decision.config_path, decision.config_version, english.why, english.would_change, spanish.why, assistant_id,
        turn_id, now, json.dumps(facts_json(decision.facts)), spanish.would_change,
    )  # fmt: skip


async def of_turn(connection: Connection, organization_id: int, turn_id: int) -> list[int]:
    return [row["id"] for row in await connection.fetch(OF_TURN, organization_id, turn_id)]


def _told(reason: str, facts: Mapping[str, Json], now: datetime) -> tuple[str | datetime | None, ...]:
    """The reason and its sentences in both languages, in the order of the statements that settle."""
    english, spanish = explain(reason, facts, "ENG"), explain(reason, facts, "ESP")
    return reason, english.why, english.would_change, spanish.why, now, spanish.would_change


async def settle(
    connection: Connection, organization_id: int, turn_id: int, outcome: DecisionOutcome, reason: str, now: datetime,
    facts: Mapping[str, Json] | None = None,
) -> None:  # fmt: skip
    """The end of the turn is the end of the decisions about its inbounds; `facts` are for the sentences."""
    await connection.execute(SETTLE, organization_id, turn_id, outcome, *_told(reason, facts or {}, now))


async def settle_waiting(
    connection: Connection, organization_id: int, conversation_id: int, reason: str, now: datetime
) -> None:
    """All inbounds of a conversation that still wait get no answer."""
    await connection.execute(SETTLE_WAITING, organization_id, conversation_id, *_told(reason, {}, now))


async def settle_message(
    connection: Connection, organization_id: int, message_id: int, reason: str, now: datetime
) -> None:
    """An inbound that no assistant is asked about."""
    await connection.execute(SETTLE_MESSAGE, organization_id, message_id, *_told(reason, {}, now))


async def release(connection: Connection, organization_id: int, turn_id: int, now: datetime) -> None:
    """Its inbounds have no answer and no turn: the next turn takes them."""
    await connection.execute(RELEASE, organization_id, turn_id, now)
