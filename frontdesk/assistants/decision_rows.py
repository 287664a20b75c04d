"""The one writer of `ai_decisions`: every statement that makes, settles or opens a decision again.

Down here, because resources end follow-ups and hand conversations back as the runtime does. Each statement that gives a
reason takes the sentences of both languages with it, so that none can be forgotten in one place (`Told`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from frontdesk.core.database import Connection

OPEN = """
    INSERT INTO ai_decisions (organization_id, conversation_id, message_id, outcome, reason, gates, created_at,
        updated_at, private_to_user_id)
    VALUES ($1, $2, $3, 'pending', 'received', '[]', $4, $4, $5)
"""
_TOLD = """reason = $3, sentence = $4, would_change = $5, sentence_es = $6, would_change_es = $7, updated_at = $8,
        version = version + 1"""
DECIDE = f"""
    UPDATE ai_decisions SET {_TOLD}, outcome = $9, gate = $10, gates = $11, config_path = $12, config_version = $13,
        ai_assistant_id = $14, ai_turn_id = $15, facts = $16, decided_at = $8
    WHERE organization_id = $1 AND id = ANY($2)
"""
SETTLE_TURN = f"""
    UPDATE ai_decisions SET {_TOLD}, outcome = $9
    WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'
"""
SETTLE_WAITING = f"""
    UPDATE ai_decisions SET {_TOLD}, outcome = 'silent'
    WHERE organization_id = $1 AND conversation_id = $2 AND outcome = 'pending'
"""
SETTLE_MESSAGE = f"""
    UPDATE ai_decisions SET {_TOLD}, outcome = 'silent'
    WHERE organization_id = $1 AND message_id = $2 AND outcome = 'pending'
"""
RELEASE = """
    UPDATE ai_decisions SET ai_turn_id = NULL, reason = 'received', updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'
"""
# As it was before the gates saw it; `WAITING` of `handoff_return.py` says which.
REOPEN = """
    UPDATE ai_decisions SET outcome = 'pending', reason = 'received', ai_turn_id = NULL, gate = NULL, gates = '[]',
        config_path = NULL, sentence = NULL, sentence_es = NULL, would_change = NULL, would_change_es = NULL,
        updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id IN ({waiting}) RETURNING conversation_id
"""
KEEP_OUTPUT = """
    UPDATE ai_decisions SET structured_output = $3, version = version + 1
    WHERE organization_id = $1 AND ai_turn_id = $2 AND outcome = 'pending'
"""
# What a follow-up row says of itself stands in its decision; one that was sent after all takes the place of another.
OF_FOLLOW_UPS = """
    INSERT INTO ai_decisions (organization_id, conversation_id, ai_follow_up_id, ai_assistant_id, ai_turn_id, outcome,
        reason, gate, gates, config_path, config_version, sentence, sentence_es, would_change, would_change_es,
        created_at, updated_at)
    SELECT organization_id, conversation_id, id, ai_assistant_id, ai_turn_id, $9, $3, $10, coalesce(gates, '[]'), $11,
        config_version, $4, $6, $5, $7, $8, $8
    FROM ai_follow_ups WHERE organization_id = $1 AND id = ANY($2::bigint[])
    ON CONFLICT (organization_id, ai_follow_up_id) WHERE ai_follow_up_id IS NOT NULL DO UPDATE SET
        outcome = excluded.outcome, reason = excluded.reason, gate = excluded.gate, gates = excluded.gates,
        config_path = excluded.config_path, sentence = excluded.sentence, sentence_es = excluded.sentence_es,
        would_change = excluded.would_change, would_change_es = excluded.would_change_es,
        updated_at = excluded.updated_at, version = ai_decisions.version + 1
"""


@dataclass(frozen=True, slots=True)
class Told:
    """A reason with its sentences: why, and what would have to be different, in English and Spanish."""

    reason: str
    why: str
    would_change: str
    why_es: str
    would_change_es: str

    def arguments(self, now: datetime) -> tuple[str | datetime, ...]:
        """$3 to $8 of the statements above."""
        return self.reason, self.why, self.would_change, self.why_es, self.would_change_es, now


async def of_follow_ups(
    connection: Connection, organization_id: int, ids: Sequence[int], outcome: str, told: Told, now: datetime,
    *, gate: str | None = None, config_path: str | None = None,
) -> None:  # fmt: skip
    """The decisions about follow-ups that have just ended; the rest is in their rows."""
    await connection.execute(
        OF_FOLLOW_UPS, organization_id, list(ids), *told.arguments(now), outcome, gate, config_path
    )  # fmt: skip
