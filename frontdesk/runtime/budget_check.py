"""The assistant's own limits again, while a turn runs: no further request to a model once one of them is reached."""

from __future__ import annotations

from frontdesk.runtime.budget import of_assistant, reason_of
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_failure import BudgetSpent


async def check_budget(held: HeldTurn) -> None:
    """Raises `BudgetSpent`. A turn that has asked no model yet was let through by the gate a moment ago."""
    limits = held.config.options.budget
    if not limits.is_limited or not held.steps:
        return
    async with held.database.reading(held.organization_id) as connection:
        spent = await of_assistant(connection, held.config, held.conversation_id, held.clock.now())
    if (member := spent.passed(limits)) is None:
        return
    stops = limits.on_exceeded == "stop" or held.turn.is_muted or spent.is_staff_chat
    raise BudgetSpent(reason_of(member, stops=stops), spent.facts(limits, held.config.timezone), stops=stops)
