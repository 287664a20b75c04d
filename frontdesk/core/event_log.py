"""Events: what happened, written in the transaction in which it happened.

An event is `(xid, id)`: the transaction that wrote it, and its place among that transaction's. Ids alone are handed out
before their transactions commit, so a reader that went by them would pass over whoever commits late. A reader therefore
reads up to the oldest transaction that still runs (`horizon`): everything below is finished for good, and everything
that comes later sorts behind it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, Identity, Index, PrimaryKeyConstraint, Table, Text, text
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

KEPT = timedelta(days=7)

# What the log knows of itself: the life of this database, up to where events are forgotten, up to where webhooks read.
# No backup holds it, nor the events: in a restored database both begin anew.
event_marks = Table(
    "event_marks",
    metadata,
    Column("name", Text, primary_key=True),
    text_column("value", nullable=False),
    info={"app_grants": "SELECT"},
)

_COLUMNS = "organization_id, xid, id, name, resource, row_id, data::text AS data, created_at"
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# One statement is one snapshot: nothing below the horizon that it gives can still come.
PAGE = f"""
    SELECT h.horizon, e.* FROM ({HORIZON} AS horizon) h LEFT JOIN LATERAL (
        SELECT {_COLUMNS} FROM events
        WHERE {{whose}} AND (xid, id) > ($1, $2) AND xid < h.horizon ORDER BY xid, id LIMIT $4
    ) e ON true ORDER BY e.xid, e.id
"""
OF_SEVERAL = PAGE.format(whose="organization_id = ANY($3::int[])")
OF_ONE = PAGE.format(whose="organization_id = $3")
# Older events go first, so that what is left has no holes.
PURGE = """
    WITH gone AS (
        DELETE FROM events e USING (SELECT xid, id FROM events ORDER BY xid, id LIMIT $2) oldest
        WHERE e.xid = oldest.xid AND e.id = oldest.id AND e.created_at < $1 RETURNING e.xid, e.id
    ), marked AS (
        INSERT INTO event_marks (name, value)
        SELECT 'forgotten', xid || '-' || id FROM gone ORDER BY gone.xid DESC, gone.id DESC LIMIT 1
        -- Two workers may purge at once; the mark never goes back.
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        WHERE string_to_array(event_marks.value, '-')::bigint[] < string_to_array(excluded.value, '-')::bigint[]
    )
    SELECT count(*) FROM gone
"""
MARK = "SELECT value FROM event_marks WHERE name = $1"
BEGIN_LIFE = "INSERT INTO event_marks (name, value) VALUES ('life', $1) ON CONFLICT (name) DO NOTHING"
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
        match = CURSOR.fullmatch(text)
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


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order, and the cursor from which to read on. `is_last`: there was no more at that moment."""

    events: tuple[Event, ...]
    cursor: Cursor
    is_last: bool


async def read(connection: Connection, cursor: Cursor, organizations: int | Sequence[int], limit: int) -> Page:
    """The next events of one organization, or of several at once. Never skips one that commits late."""
    if isinstance(organizations, int):
        rows = await connection.fetch(OF_ONE, cursor.xid, cursor.id, organizations, limit)
    else:
        rows = await connection.fetch(OF_SEVERAL, cursor.xid, cursor.id, list(organizations), limit)
    events = tuple(
        Event(row[1], Cursor(row[2], row[3]), row[4], row[5], row[6], row[7] or "null", row[8])
        for row in rows
        if row[2] is not None
    )
    if len(events) == limit:
        return Page(events, events[-1].cursor, is_last=False)
    # No event has the id 0, so this is the place before all events of the oldest transaction that still runs.
    return Page(events, max(cursor, Cursor(rows[0][0], 0)), is_last=True)


async def horizon(connection: Connection) -> Cursor:
    """Where a reader that wants only what is new begins."""
    return Cursor(await connection.fetchval(HORIZON), 0)


async def life(connection: Connection) -> str:
    """The name of this database's life. Cursors of another life, from before a restore, mean nothing in this one."""
    if (known := await connection.fetchval(MARK, "life")) is not None:
        return str(known)
    await connection.execute(BEGIN_LIFE, secrets.token_hex(3))
    return str(await connection.fetchval(MARK, "life"))


async def forgotten(connection: Connection) -> Cursor:
    """The last event that was purged; who has read less far has lost events."""
    return Cursor.parse(await connection.fetchval(MARK, "forgotten") or "") or Cursor(0, 0)


async def purge(connection: Connection, before: datetime, most: int = 5000) -> int:
    """Forget the oldest events; gives how many of at most `most` went. `connection` is the system's."""
    return int(await connection.fetchval(PURGE, before, most))
