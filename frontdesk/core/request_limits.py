"""The rate limit of an organization's API keys: a window that slides, one limit over all processes.

A process holds a small lease of requests in hand, so that most of them cost a few instructions and no statement. When
it has none left, it goes to the organization's ledger, a locked row; whoever waits meanwhile goes along. One that was
refused is told so from memory until asking again makes sense.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import Column, ForeignKey, Integer, Table
from sqlalchemy.dialects.postgresql import JSONB

from .clock import Clock
from .database import Connection, Database
from .errors import Json, TooManyRequests, Unavailable
from .ledger import Grant, Ledger, Uses
from .quota import NAME, Quota
from .schema import metadata

HeaderList = list[tuple[bytes, bytes]]
ASK_AGAIN = 1.0  # seconds; other processes may have given back what they did not use
MOST_SHARES = 10_000

# No `organization_id`: the application's role, as which requests run, has no rights on it.
rate_ledgers = Table(
    "rate_ledgers",
    metadata,
    Column("id", Integer, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("ledger", JSONB, nullable=False),
)

MAKE = "INSERT INTO rate_ledgers (id, ledger) VALUES ($1, '{}') ON CONFLICT (id) DO NOTHING"
# The time is read when the row is locked, not before the wait for it.
LOCK = """
    WITH locked AS MATERIALIZED (SELECT ledger FROM rate_ledgers WHERE id = $1 FOR UPDATE)
    SELECT ledger, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now FROM locked
"""
WRITE = "UPDATE rate_ledgers SET ledger = $2 WHERE id = $1"


class RateLimited(TooManyRequests):
    """The published 429: exactly these members, all numbers in `data`, times in seconds."""

    def __init__(self, quota: Quota, current: int, wait: int) -> None:
        data: Json = {"limit": quota.requests, "current": current, "window": quota.window, "retryAfter": wait}
        headers = {"Retry-After": str(wait), "RateLimit-Policy": quota.policy.decode()}
        super().__init__("Rate limit exceeded", data=data, headers=headers | {"RateLimit": f'"{NAME}";r=0;t={wait}'})

    def as_json(self) -> dict[str, Json]:
        return {"name": self.name, "message": self.message, "code": self.status, "data": self.data}


class Ledgers(Protocol):
    """Where ledgers are kept; `take` changes one while nobody else can."""

    async def take(
        self, organization_id: int, quota: Quota, process: str, spent: Uses, waiting: int, wish: int
    ) -> Grant: ...


class LedgerRows:
    """The ledgers in PostgreSQL. `clock` is for tests; without one the database's clock is everybody's."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock

    async def take(
        self, organization_id: int, quota: Quota, process: str, spent: Uses, waiting: int, wish: int
    ) -> Grant:
        async with self._database.system() as connection, connection.transaction():
            row = await connection.fetchrow(LOCK, organization_id) or await self._made(connection, organization_id)
            now = int(row["now"]) if self._clock is None else round(self._clock.now().timestamp() * 1000)
            ledger = Ledger.from_json(from_json(str(row["ledger"])))
            grant = ledger.take(quota, process, spent, now, waiting, wish)
            if spent or grant.counted or grant.leased:
                await connection.execute(WRITE, organization_id, to_json(ledger.as_json()).decode())
        return grant

    async def _made(self, connection: Connection, organization_id: int) -> asyncpg.Record:
        await connection.execute(MAKE, organization_id)
        row = await connection.fetchrow(LOCK, organization_id)
        assert row is not None
        return row


@dataclass(slots=True, eq=False)
class Ticket:
    """A request that waits for the ledger; None is not yet answered."""

    is_counted: bool | None = None


@dataclass(slots=True, eq=False)
class Share:
    """What this process holds of an organization's quota. Times are the process's monotonic seconds."""

    quota: Quota
    in_hand: int = 0
    usable_until: float = 0.0
    ledger_time: int = 0  # the ledger's milliseconds at `learned_at`
    learned_at: float = 0.0
    spent: Uses = field(default_factory=list)
    spent_of: int = 0  # the lease's size
    wish: int = 0
    free: int = 0
    back_at: float = 0.0
    refused_until: float = 0.0
    enough_at: float = 0.0
    current: int = 0
    waiting: list[Ticket] = field(default_factory=list)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has(self, now: float) -> bool:
        return self.in_hand > 0 and now < self.usable_until

    def spend(self, now: float) -> None:
        self.in_hand -= 1
        moment, part = self.ledger_time + math.ceil((now - self.learned_at) * 1000), self.quota.part
        if self.spent and moment // part == self.spent[-1][0] // part:
            self.spent[-1][0] = moment
            self.spent[-1][1] += 1
        else:
            self.spent.append([moment, 1])

    def headers(self, now: float) -> HeaderList:
        """`r` is what is left to this organization as this process knows it; `t` is when some of it comes back."""
        left, wait = self.free + self.in_hand, max(1, math.ceil(self.back_at - now))
        return [(b"ratelimit-policy", self.quota.policy), (b"ratelimit", b'"default";r=%d;t=%d' % (left, wait))]

    def refusal(self, now: float) -> RateLimited:
        return RateLimited(self.quota, self.current, max(1, math.ceil(self.enough_at - now)))

    def next_wish(self, now: float) -> int:
        """Leases grow while they are used up in time and shrink when they are not, so that idle ones hold little."""
        most = self.quota.most_leased
        used = sum(count for _, count in self.spent)
        if self.spent_of and used == self.spent_of and now < self.usable_until:
            return min(most, self.wish * 2)
        return min(most, max(1, most // 8, used))

    def learn(self, grant: Grant, asked_at: float) -> None:
        # The answer was made after the question was asked, so these times err to the safe side.
        self.ledger_time, self.learned_at = grant.now, asked_at
        self.in_hand = self.spent_of = grant.leased
        self.usable_until = asked_at + (grant.expires - grant.now) / 1000
        self.free, self.current = grant.free, grant.current
        self.back_at = asked_at + (grant.back - grant.now) / 1000
        self.enough_at = asked_at + (grant.enough - grant.now) / 1000


class RequestLimits:
    """Counts the requests of this process against the limits of all."""

    def __init__(self, ledgers: Ledgers, clock: Clock) -> None:
        self._ledgers, self._clock = ledgers, clock
        self._process = secrets.token_hex(6)
        self._shares: dict[int, Share] = {}

    async def admit(self, organization_id: int, quota: Quota) -> HeaderList:
        """Count one request. Returns the headers of its answer; raises `RateLimited`."""
        now = self._clock.monotonic()
        share = self._shares.get(organization_id)
        if share is None or (share.quota is not quota and share.quota != quota):
            share = self._share(organization_id, quota, now)
        if share.has(now):
            share.spend(now)
            return share.headers(now)
        if now < share.refused_until:
            raise share.refusal(now)
        return await self._ask(organization_id, share)

    async def give_back(self) -> None:
        """Return what is in hand, at the end of the process."""
        shares, self._shares = self._shares, {}
        for organization_id, share in shares.items():
            if share.has(self._clock.monotonic()):
                # Without the database it stays leased, and is over a window after the lease.
                with suppress(Unavailable):
                    await self._ledgers.take(organization_id, share.quota, self._process, share.spent, 0, 0)

    def _share(self, organization_id: int, quota: Quota, now: float) -> Share:
        known = self._shares.get(organization_id)
        if known is not None:
            # The operator has changed the limit; what was leased under the old one is settled by the next question.
            known.quota, known.in_hand, known.refused_until = quota, 0, 0.0
            return known
        if len(self._shares) >= MOST_SHARES:
            idle = [key for key, share in self._shares.items() if now >= share.usable_until and not share.waiting]
            for key in idle:
                del self._shares[key]
        share = self._shares[organization_id] = Share(quota)
        return share

    async def _ask(self, organization_id: int, share: Share) -> HeaderList:
        ticket = Ticket()
        share.waiting.append(ticket)
        try:
            async with share.asking:
                if ticket.is_counted is None:
                    await self._take(organization_id, share)
        except BaseException:
            if ticket in share.waiting:
                share.waiting.remove(ticket)
            raise
        now = self._clock.monotonic()
        if not ticket.is_counted:
            raise share.refusal(now)
        return share.headers(now)

    async def _take(self, organization_id: int, share: Share) -> None:
        """Count all who wait by now in one transaction, the first ones where there is not enough for all."""
        asked_at = self._clock.monotonic()
        wish = share.next_wish(asked_at)
        tickets, share.waiting = share.waiting, []
        spent, share.spent = share.spent, []
        share.in_hand = 0
        try:
            grant = await self._ledgers.take(organization_id, share.quota, self._process, spent, len(tickets), wish)
        except BaseException:
            # Whoever is next asks for all of them, and tells what was spent.
            share.waiting, share.spent = [*tickets, *share.waiting], spent
            raise
        share.wish = wish
        share.learn(grant, asked_at)
        for number, ticket in enumerate(tickets):
            ticket.is_counted = number < grant.counted
        if grant.counted < len(tickets):
            share.refused_until = min(share.enough_at, asked_at + ASK_AGAIN)
