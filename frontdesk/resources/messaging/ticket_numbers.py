"""Reference numbers of tickets: one sequence per organization and year, without gaps.

A sequence of PostgreSQL leaves a gap where a transaction is rolled back. So the last number is a row: who takes the
next one holds its lock to the end of the transaction, and a create that fails gives the number back.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from frontdesk.core.door import Call
from frontdesk.core.schema import metadata, organization_column

ticket_counters = Table(
    "ticket_counters",
    metadata,
    organization_column(),
    Column("year", Integer, nullable=False),
    Column("last_number", Integer, nullable=False),
    PrimaryKeyConstraint("organization_id", "year"),
)

# The year is the organization's: a ticket of New Year's Eve in Bogota is not one of next year.
TAKE = """
    INSERT INTO ticket_counters (organization_id, year, last_number)
    SELECT id, extract(year FROM $2::timestamptz AT TIME ZONE timezone)::int, 1 FROM organizations WHERE id = $1
    ON CONFLICT (organization_id, year) DO UPDATE SET last_number = ticket_counters.last_number + 1
    RETURNING year, last_number
"""


async def next_reference(call: Call) -> str:
    """The next reference number, for instance TK-2026-001. Other creates of the organization wait until the commit."""
    row = await call.connection.fetchrow(TAKE, call.organization_id, call.door.clock.now())
    assert row is not None
    return f"TK-{row['year']}-{row['last_number']:03}"
