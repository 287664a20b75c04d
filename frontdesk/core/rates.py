"""Limits per minute that hold over all processes: counters in PostgreSQL, in a window that slides.

The counts live in an UNLOGGED table: they are lost with a crash, which only forgives, and cost no write-ahead log.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, Table, Text

from .database import Database
from .errors import TooManyRequests
from .schema import Moment, metadata

WINDOW = timedelta(minutes=1)

rate_counters = Table(
    "rate_counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_start", Moment, primary_key=True),
    Column("count", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)

COUNT_SQL = """
    INSERT INTO rate_counters AS c (key, window_start, count) VALUES ($1, $2, 1)
    ON CONFLICT (key, window_start) DO UPDATE SET count = c.count + 1
    RETURNING c.count,
        coalesce((SELECT p.count FROM rate_counters p WHERE p.key = $1 AND p.window_start = $3), 0) AS before
"""
PURGE_SQL = "DELETE FROM rate_counters WHERE window_start < $1"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_minute` requests of one `subject` (a visitor, an address, a channel) for one `purpose`."""

    purpose: str
    subject: str
    per_minute: int

    @property
    def key(self) -> str:
        """The counter's key. Hashed: an address is personal data and a counter must not keep it."""
        return hashlib.blake2b(f"{self.purpose}:{self.subject}".encode(), digest_size=15).hexdigest()


def seconds_to_wait(count: int, before: int, limit: int, elapsed: float) -> int:
    """How long the caller must wait, in whole seconds; 0 when the request is within the limit.

    `count` includes this request; `before` is the count of the window before, of which as much still weighs as the
    sliding minute covers; `elapsed` is the part of the current window that is over, 0 to 1.
    """
    if before * (1 - elapsed) + count <= limit:
        return 0
    if count <= limit and before:
        needed = 1 - (limit - count) / before
        return max(1, math.ceil((needed - elapsed) * 60))
    # The whole of this window must slide out far enough for one more.
    needed = 1 - (limit - 1) / max(count, 1)
    return max(1, math.ceil((1 - elapsed + needed) * 60))


class Rates:
    """Counts requests and refuses those over a limit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, now: datetime, *limits: Limit) -> None:
        """Count one request against each limit, in the order given: the narrowest first.

        Raises `TooManyRequests` with the seconds to wait. What is refused by one limit isn't counted on the wider
        ones, so that a visitor who floods cannot use up the channel's share for all others.
        """
        start = now.replace(second=0, microsecond=0)
        is_first = False
        async with self._database.system() as connection:
            for limit in limits:
                row = await connection.fetchrow(COUNT_SQL, limit.key, start, start - WINDOW)
                assert row is not None
                wait = seconds_to_wait(row["count"], row["before"], limit.per_minute, (now - start) / WINDOW)
                if wait:
                    raise refusal(limit, wait)
                is_first = row["count"] == 1
            if is_first:
                # The first request of a minute sweeps out what no window covers any more.
                await connection.execute(PURGE_SQL, start - WINDOW)


def refusal(limit: Limit, wait: int) -> TooManyRequests:
    return TooManyRequests(
        f"Too many requests: at most {limit.per_minute} per minute. Try again in {wait} seconds.",
        data={"limit": limit.per_minute, "retry_after": wait},
        headers={"Retry-After": str(wait)},
    )
