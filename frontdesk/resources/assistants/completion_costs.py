"""What answers outside of conversations cost: on the organization's day like those of turns, under its budget."""

from __future__ import annotations

from datetime import UTC

from frontdesk.core.completions import Completed, Completion, CompletionFailed, Completions
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, TooManyRequests, Unavailable, Unprocessable

SPENT = """
    SELECT o.ai_daily_budget FROM organizations o JOIN ai_daily_usage u ON u.organization_id = o.id AND u.day = $2
    WHERE o.id = $1 AND u.cost >= o.ai_daily_budget
"""
USED = """
    INSERT INTO ai_daily_usage AS u (organization_id, day, input_tokens, output_tokens, cost)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (organization_id, day) DO UPDATE SET input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens, cost = u.cost + excluded.cost
"""


def completions_of(door: Door) -> Completions:
    """Who answers. Raises `Unavailable` in a process without models."""
    if door.completions is None:
        raise Unavailable("This process has no models.")
    return door.completions


async def check_budget(door: Door, organization_id: int) -> None:
    """Raises `TooManyRequests` where the organization's budget of today (UTC) is used up."""
    today = door.clock.now().astimezone(UTC).date()
    async with door.database.reading(organization_id) as connection:
        budget = await connection.fetchval(SPENT, organization_id, today)
    if budget is not None:
        raise TooManyRequests(f"The organization's AI budget of today is used up ({budget:f} US dollars).")


async def count(door: Door, organization_id: int, done: Completed) -> None:
    """Add an answer to what the organization used today."""
    today = door.clock.now().astimezone(UTC).date()
    async with door.database.transaction(organization_id) as connection:
        await connection.execute(USED, organization_id, today, done.input_tokens, done.output_tokens, done.cost or 0)


async def ask(door: Door, asked: Completion) -> Completed:
    """One whole answer within the budget, counted. Raises `ApiError`."""
    await check_budget(door, asked.organization_id)
    try:
        done = await completions_of(door).complete(asked)
    except CompletionFailed as failed:
        raise refusal(failed) from failed
    await count(door, asked.organization_id, done)
    return done


def refusal(failed: CompletionFailed) -> ApiError:
    """422 where the same question will fail again, 503 where trying later may help."""
    kind = Unprocessable if failed.is_lasting else Unavailable
    return kind(failed.sentence, data={"code": failed.code})
