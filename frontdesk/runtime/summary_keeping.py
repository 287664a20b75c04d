"""What a summary leaves: a step of the turn with its cost, and the summary itself, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse

from frontdesk.core.errors import Json
from frontdesk.runtime import budget
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.summary import Summary, is_still_true
from frontdesk.runtime.tool_history import Status, StepKind, StoredStep
from frontdesk.runtime.tooling import Superseded

STEP = """
    INSERT INTO ai_turn_steps (organization_id, ai_turn_id, position, kind, status, messages, result, ai_model_id,
        model, is_change, duration_ms, input_tokens, output_tokens, cost, created_at, updated_at, private_to_user_id)
    SELECT $1, $2, $3, $14, $4, $5, $6, $7, $8, false, $9, $10, $11, $12, $13, $13, t.private_to_user_id
    FROM ai_turns t WHERE t.organization_id = $1 AND t.id = $2
"""
ON_TURN = """
    UPDATE ai_turns SET input_tokens = input_tokens + $3, output_tokens = output_tokens + $4,
        cost = CASE WHEN $5::numeric IS NULL THEN cost ELSE coalesce(cost, 0) + $5 END
    WHERE organization_id = $1 AND id = $2
"""
KEEP = """
    INSERT INTO conversation_summaries AS s (organization_id, conversation_id, ai_turn_id, ai_assistant_id,
        summary_text, up_to_position, message_count, ai_context_cut, model, created_at, updated_at, private_to_user_id)
    SELECT $1, $2, $3, t.ai_assistant_id, $4, $5, $6, $7, $8, $9, $9, t.private_to_user_id
    FROM ai_turns t WHERE t.organization_id = $1 AND t.id = $3
    ON CONFLICT (organization_id, conversation_id) DO UPDATE SET ai_turn_id = excluded.ai_turn_id,
        ai_assistant_id = excluded.ai_assistant_id, summary_text = excluded.summary_text,
        up_to_position = excluded.up_to_position, message_count = excluded.message_count,
        ai_context_cut = excluded.ai_context_cut, model = excluded.model, updated_at = excluded.updated_at,
        version = s.version + 1
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The summary that was made, the one before it, what was added, and the begin of the context that it is of."""

    made: Summary
    known: Summary
    positions: Sequence[int]
    cut: datetime | None


async def record(
    held: HeldTurn, response: ModelResponse | None, result: Json, started: datetime, took: int, cost: Decimal | None,
    kept: Kept | None = None, *, kind: StepKind = "summary", status: Status | None = None,
) -> bool:  # fmt: skip
    """The step, its cost and the summary itself: all of it or nothing. Gives whether there is a new summary."""
    is_kept = False
    now, position = held.clock.now(), held.take_position()
    status = status or ("failed" if response is None else "done")
    stored = "[]" if response is None else ModelMessagesTypeAdapter.dump_json([response]).decode()
    tokens = (0, 0) if response is None else (response.usage.input_tokens, response.usage.output_tokens)
    overtaken: Superseded | None = None
    async with held.database.transaction(held.organization_id) as connection:
        try:
            await held.hold(connection)
        except Superseded as lost:
            # It was paid for, and the next turn can use it.
            overtaken = lost
        turn = (held.organization_id, held.turn_id)
        await connection.execute(
            STEP, *turn, position, status, stored.replace("\\u0000", "\\ufffd"), json.dumps(result), *held.answering,
            took, *tokens, cost, started, kind,
        )  # fmt: skip
        await connection.execute(ON_TURN, *turn, *tokens, cost)
        await budget.count(
            connection, held.organization_id, held.turn.ai_assistant_id, held.config.timezone, tokens, cost, now
        )
        where = (held.organization_id, held.conversation_id)
        if kept is not None and await is_still_true(connection, *where, kept.known, kept.positions):
            made, is_kept = kept.made, True
            await connection.execute(
                KEEP, *where, held.turn_id, made.text, made.up_to, made.count, kept.cut, held.answering[1], now
            )
    if overtaken is not None:
        raise overtaken
    held.steps.append(StoredStep(position, kind, status, result=result, created_at=started))
    return is_kept
