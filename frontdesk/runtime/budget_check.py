"""All limits of cost again, while a turn runs: no further request to a model once one of them is reached."""

from __future__ import annotations

from frontdesk.core.errors import Json
from frontdesk.runtime.budget import of_assistant, subject_of, today
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_failure import BudgetSpent


async def check_budget(held: HeldTurn) -> None:
    """Raises `BudgetSpent`. A turn that has asked no model yet was let through by the gates a moment ago."""
    if not held.steps or (found := await _reached(held)) is None:
        return
    subject, facts = found
    config = held.config
    # A member has nobody to be handed to; in silent mode, and for a reminder, nobody waits.
    is_awaited = not held.turn.is_muted and held.turn.ai_follow_up_id is None and config.assistant_type != "ai-chat"
    stops = config.options.budget.on_exceeded == "stop" or not is_awaited
    raise BudgetSpent(f"{subject}_{'spent' if stops else 'handoff'}", facts, stops=stops)


async def _reached(held: HeldTurn) -> tuple[str, dict[str, Json]] | None:
    """The limit that is reached, with its facts: the organization's of the day, else one of the assistant's own."""
    limits, now = held.config.options.budget, held.clock.now()
    async with held.database.reading(held.organization_id) as connection:
        of_day = await today(connection, held.organization_id, now)
        if (which := of_day.passed()) is not None:
            return f"budget_{which}", of_day.facts()
        if not limits.is_limited:
            return None
        spent = await of_assistant(connection, held.config, held.conversation_id, now)
    member = spent.passed(limits)
    return None if member is None else (subject_of(member), spent.facts(limits, held.config.timezone))
