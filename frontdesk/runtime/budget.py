"""What the models of an organization used today (UTC) and those of an assistant on its own day, and how much they may.

Usage is recorded with the model step that caused it, in the same statement; the gate reads it before a turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Column, Date, Numeric, PrimaryKeyConstraint, Table, text

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.spending import Budget
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.schema import metadata, organization_column

ai_daily_usage = Table(
    "ai_daily_usage",
    metadata,
    organization_column(),
    Column("day", Date, nullable=False),
    Column("input_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("cost", Numeric, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("organization_id", "day"),
)

# For the limit of an assistant (`advanced_options.budget`); its day is one of its own time zone.
ai_assistant_daily_usage = Table(
    "ai_assistant_daily_usage",
    metadata,
    organization_column(),
    Column("ai_assistant_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("input_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("cost", Numeric, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("organization_id", "ai_assistant_id", "day"),
)

_TODAY = """
    SELECT coalesce(u.cost, 0), coalesce(u.input_tokens + u.output_tokens, 0), o.ai_daily_budget
    FROM organizations o
    LEFT JOIN ai_daily_usage u ON u.organization_id = o.id AND u.day = $2
    WHERE o.id = $1
"""

# The cost of a conversation is that of all its turns since the context began, whichever assistant ran them.
_OF_ASSISTANT = """
    SELECT coalesce((SELECT sum(t.cost) FROM ai_turns t WHERE t.organization_id = $1 AND t.conversation_id = c.id
            AND (c.ai_context_cut IS NULL OR t.created_at > c.ai_context_cut)), 0),
        coalesce((SELECT u.cost FROM ai_assistant_daily_usage u
            WHERE u.organization_id = $1 AND u.ai_assistant_id = $3 AND u.day = $4), 0)
    FROM conversations c WHERE c.organization_id = $1 AND c.id = $2
"""
_COUNT = """
    INSERT INTO ai_daily_usage AS u (organization_id, day, input_tokens, output_tokens, cost)
    VALUES ($1, $2, $3, $4, coalesce($5::numeric, 0))
    ON CONFLICT (organization_id, day) DO UPDATE SET input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens, cost = u.cost + excluded.cost
"""
_COUNT_OF_ASSISTANT = """
    INSERT INTO ai_assistant_daily_usage AS u (organization_id, ai_assistant_id, day, input_tokens, output_tokens, cost)
    VALUES ($1, $2, $3, $4, $5, coalesce($6::numeric, 0))
    ON CONFLICT (organization_id, ai_assistant_id, day) DO UPDATE SET
        input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens, cost = u.cost + excluded.cost
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Cost in US dollars, tokens of input and output together; a limit of None is no limit."""

    cost: Decimal
    tokens: int
    daily_limit: Decimal | None
    token_limit: int | None = None

    def facts(self) -> dict[str, Json]:
        """What a decision tells of it."""
        return {
            "cost_today": str(self.cost), "daily_cost_limit": None if self.daily_limit is None else
            str(self.daily_limit), "tokens_today": self.tokens, "daily_token_limit": self.token_limit,
        }  # fmt: skip

    def passed(self) -> str | None:
        """Which limit is reached, if one is: that of the `cost` or of the `tokens`."""
        if self.daily_limit is not None and self.cost >= self.daily_limit:
            return "cost"
        return "tokens" if self.token_limit is not None and self.tokens >= self.token_limit else None


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


def local_day(now: datetime, timezone: str) -> date:
    """The day at an assistant's place."""
    return now.astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True, slots=True)
class AssistantSpent:
    """US dollars: of the conversation since its context began, and of the assistant on its day."""

    conversation: Decimal = Decimal(0)
    today: Decimal = Decimal(0)

    def facts(self, limits: Budget, timezone: str) -> dict[str, Json]:
        """What a decision tells of it."""
        return {
            "conversation_cost": _told(self.conversation), "assistant_cost_today": _told(self.today),
            "max_cost_per_conversation": None if limits.per_conversation is None else str(limits.per_conversation),
            "max_cost_per_day": None if limits.per_day is None else str(limits.per_day),
            "timezone": timezone, "on_exceeded": limits.on_exceeded,
        }  # fmt: skip

    def passed(self, limits: Budget) -> str | None:
        """The member of `budget` whose limit is reached, if one is."""
        if limits.per_conversation is not None and self.conversation >= limits.per_conversation:
            return "max_cost_per_conversation"
        if limits.per_day is not None and self.today >= limits.per_day:
            return "max_cost_per_day"
        return None


def subject_of(member: str) -> str:
    """The begin of a decision's code: which limit. It goes on with `_spent` where the conversation stays with its
    assistant, and with `_handoff` where not."""
    return f"{'conversation' if member == 'max_cost_per_conversation' else 'assistant'}_budget"


def _told(dollars: Decimal) -> str:
    """To a hundredth of a cent, which is what a message may cost."""
    return f"{dollars.quantize(Decimal('0.0001')).normalize():f}"


async def of_assistant(
    connection: Connection, config: AssistantConfig, conversation_id: int, now: datetime
) -> AssistantSpent:
    """What stands against the assistant's own limits."""
    day = local_day(now, config.timezone)
    row = await connection.fetchrow(_OF_ASSISTANT, config.organization_id, conversation_id, config.id, day)
    return AssistantSpent() if row is None else AssistantSpent(*row)


async def count(
    connection: Connection, organization_id: int, assistant_id: int, timezone: str, tokens: tuple[int, int],
    cost: Decimal | None, now: datetime,
) -> None:  # fmt: skip
    """Put a request to a model on the books of the day; `tokens` are input and output."""
    await connection.execute(_COUNT, organization_id, day_of(now), *tokens, cost)
    day = local_day(now, timezone)
    await connection.execute(_COUNT_OF_ASSISTANT, organization_id, assistant_id, day, *tokens, cost)


async def today(connection: Connection, organization_id: int, now: datetime) -> Spent:
    """What was used on the day of `now`, with the organization's limit."""
    row = await connection.fetchrow(_TODAY, organization_id, day_of(now))
    assert row is not None
    return Spent(*row)
