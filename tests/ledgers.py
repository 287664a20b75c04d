"""Processes that share one ledger, without a database, on a clock that a test turns."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from datetime import UTC, datetime, timedelta

from frontdesk.core.clock import FakeClock
from frontdesk.core.errors import Json
from frontdesk.core.ledger import Grant, Ledger, Uses
from frontdesk.core.quota import Quota
from frontdesk.core.request_limits import RateLimited, RequestLimits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(clock: FakeClock) -> int:
    """The clock's time, exact: a float of seconds would move the edge of a window by one."""
    return (clock.now() - EPOCH) // timedelta(milliseconds=1)


async def turn() -> None:
    """Let all others run once."""
    loop = asyncio.get_running_loop()
    others = loop.create_future()
    loop.call_soon(others.set_result, None)
    await others


class MemoryLedgers:
    """Keeps what PostgreSQL would keep, as the JSON that it would keep."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.stored, self.questions = clock, dict[int, dict[str, Json]](), 0
        self.failure: Exception | None = None

    async def take(
        self, organization_id: int, quota: Quota, process: str, spent: Uses, waiting: int, wish: int
    ) -> Grant:
        self.questions += 1
        await turn()  # a database takes its time; others come meanwhile
        if self.failure is not None:
            raise self.failure
        ledger = Ledger.from_json(self.stored.get(organization_id, {}))
        now = milliseconds(self.clock)
        grant = ledger.take(quota, process, spent, now, waiting, wish)
        self.stored[organization_id] = ledger.as_json()
        return grant


class Processes:
    """Several processes that count against one quota, and when each request was let in."""

    def __init__(self, quota: Quota, number: int = 1) -> None:
        self.quota, self.clock = quota, FakeClock()
        self.ledgers = MemoryLedgers(self.clock)
        self.all = [self.new() for _ in range(number)]
        self.admitted: list[int] = []
        self.refusals: list[RateLimited] = []

    def new(self) -> RequestLimits:
        return RequestLimits(self.ledgers, self.clock)

    def wait(self, seconds: float) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    async def send(self, process: int = 0, number: int = 1) -> int:
        """How many of so many requests were let in."""
        before = len(self.admitted)
        for _ in range(number):
            try:
                await self.all[process].admit(1, self.quota)
                self.admitted.append(milliseconds(self.clock))
            except RateLimited as refusal:
                self.refusals.append(refusal)
        return len(self.admitted) - before

    @property
    def most_in_a_window(self) -> int:
        """The fullest window that ends with a request."""
        ends, window = self.admitted, self.quota.window * 1000
        # Windows are half open: what happened a whole window ago is outside.
        return max((index + 1 - bisect_right(ends, end - window) for index, end in enumerate(ends)), default=0)
