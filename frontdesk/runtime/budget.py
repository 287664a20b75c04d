"""What the models of an organization used today (UTC), and how much they may.

Usage is recorded with the model step that caused it, in the same statement; the gate reads it before a turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Column, Date, Numeric, PrimaryKeyConstraint, Table, text

from frontdesk.core.database import Connection
from frontdesk.core.schema import metadata, organization_column

MILLION = Decimal(1_000_000)

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

_TODAY = """
    SELECT coalesce(u.cost, 0), coalesce(u.input_tokens + u.output_tokens, 0), o.ai_daily_budget
    FROM organizations o
    LEFT JOIN ai_daily_usage u ON u.organization_id = o.id AND u.day = $2
    WHERE o.id = $1
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Cost in US dollars, tokens of input and output together; a limit of None is no limit."""

    cost: Decimal
    tokens: int
    daily_limit: Decimal | None


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


async def today(connection: Connection, organization_id: int, now: datetime) -> Spent:
    """What was used on the day of `now`, with the organization's limit."""
    row = await connection.fetchrow(_TODAY, organization_id, day_of(now))
    assert row is not None
    return Spent(*row)


def cost_of(
    input_tokens: int, output_tokens: int, price_input: Decimal | None, price_output: Decimal | None
) -> Decimal | None:
    """The price of one request; prices are per million tokens. None where the model has no price."""
    if price_input is None and price_output is None:
        return None
    return (input_tokens * (price_input or 0) + output_tokens * (price_output or 0)) / MILLION
