"""Events: what happened, written in the transaction in which it happened.

An event is `(xid, id)`: the transaction that wrote it, and its place among that transaction's. Ids alone are handed out
before their transactions commit, so a reader that went by them would pass over whoever commits late. A reader therefore
reads up to the oldest transaction that still runs (`horizon`): everything below is finished for good, and everything
that comes later sorts behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, PrimaryKeyConstraint, Table, text
from sqlalchemy.dialects.postgresql import JSON

from .database import Connection
from .schema import Moment, metadata, organization_column, text_column

events = Table(
    "events",
    metadata,
    # No 64-bit transaction id ever comes again, so the two columns order all events of an installation for ever.
    Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text::bigint)")),
    Column("id", BigInteger, Identity(), nullable=False),
    organization_column(),
    text_column("name", nullable=False),
    text_column("resource", nullable=False),
    Column("row_id", BigInteger, nullable=False),
    Column("data", JSON(none_as_null=True)),
    Column("created_at", Moment, nullable=False),
    # A page of one organization, and what is new in all of them.
    PrimaryKeyConstraint("organization_id", "xid", "id"),
    Index("ix_events_xid_id", "xid", "id"),
)

_COLUMNS = "organization_id, xid, id, name, resource, row_id, data::text AS data, created_at"
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
AFTER = f"""
    SELECT {_COLUMNS} FROM events
    WHERE (xid, id) > ($1, $2) AND xid < ({HORIZON}) AND organization_id = ANY($3::int[])
    ORDER BY xid, id LIMIT $4
"""
OF_ONE_AFTER = f"""
    SELECT {_COLUMNS} FROM events
    WHERE organization_id = $3 AND (xid, id) > ($1, $2) AND xid < ({HORIZON})
    ORDER BY xid, id LIMIT $4
"""
PURGE = """
    DELETE FROM events e USING (SELECT xid, id FROM events ORDER BY xid, id LIMIT $2) oldest
    WHERE e.xid = oldest.xid AND e.id = oldest.id AND e.created_at < $1
"""
CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place between events: everything up to and with it was read."""

    xid: int
    id: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"

    @staticmethod
    def parse(text: str) -> Cursor | None:
        """The cursor that `str` wrote; None for anything else."""
        match = CURSOR.fullmatch(text.strip())
        return Cursor(int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `data` is the row as JSON text, without joined members, as it was then."""

    organization_id: int
    cursor: Cursor
    name: str
    resource: str
    row_id: int
    data: str
    created_at: datetime


async def horizon(connection: Connection) -> Cursor:
    """Where a reader that wants only what is new begins."""
    return Cursor(await connection.fetchval(HORIZON) - 1, 2**62)


async def after(connection: Connection, cursor: Cursor, organizations: int | Sequence[int], limit: int) -> list[Event]:
    """The next events of one organization, or of several at once, in order. Never skips one that commits late."""
    if isinstance(organizations, int):
        rows = await connection.fetch(OF_ONE_AFTER, cursor.xid, cursor.id, organizations, limit)
    else:
        rows = await connection.fetch(AFTER, cursor.xid, cursor.id, list(organizations), limit)
    return [Event(row[0], Cursor(row[1], row[2]), row[3], row[4], row[5], row[6] or "null", row[7]) for row in rows]


async def purge(connection: Connection, before: datetime, most: int = 5000) -> int:
    """Forget the oldest events; gives how many of at most `most` went. `connection` is the system's."""
    status = await connection.execute(PURGE, before, most)
    return int(status.split()[-1])
