"""The connections of one role: asyncpg's pool, with those that were used last kept at hand.

A check-out and check-in of asyncpg's pool costs more CPU than all else that a read of one row does. So a connection
that comes back in order waits here for its next use. One that does not (cancelled, in a transaction, lost) goes back
to the pool, which mends or replaces it; so does one that was not needed for `IDLE_FOR`, and the pool closes it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg
from asyncpg.pool import PoolConnectionProxy

IDLE_FOR = 300.0  # seconds
LONGEST_STATEMENT = 60  # seconds


@dataclass(slots=True, eq=False)
class Line:
    """A checked-out connection, and the organization that is set on it."""

    connection: PoolConnectionProxy
    tenant: int | None = None
    used_at: float = 0.0  # by the event loop's clock

    @property
    def is_lost(self) -> bool:
        raw = self.connection._con  # type: ignore[attr-defined]
        return raw is None or raw.is_closed()

    @property
    def is_in_order(self) -> bool:
        raw = self.connection._con  # type: ignore[attr-defined]
        # Whether a statement is still being cancelled asyncpg tells its own pool only.
        return not (raw is None or raw.is_closed() or raw.is_in_transaction() or raw._protocol._is_cancelling())

    def hang_up(self) -> None:
        """Close it without a word: it is of no use to anybody, though its other end may not be gone yet."""
        raw = self.connection._con  # type: ignore[attr-defined]
        if raw is not None:
            raw.terminate()


class Pool:
    """At most `size` connections as `role`; who comes when all are in use waits in line."""

    def __init__(self, url: str, role: str, size: int) -> None:
        self._url, self._role, self._size = url, role, size
        self._turns = asyncio.Semaphore(size)
        self._at_hand: list[Line] = []
        self._pool: asyncpg.Pool | None = None
        self._is_closing = False

    async def acquire(self, tenant: int | None) -> Line:
        """A line on which `tenant` is set, if there is one at hand. Raises what asyncpg raises."""
        await self._turns.acquire()
        try:
            while self._at_hand:
                line = self._at_hand.pop(self._place(tenant))
                if line.is_in_order:
                    return line
                await self._give_back(line)
            return Line(await (await self._opened()).acquire())
        except BaseException:
            self._turns.release()
            raise

    async def release(self, line: Line) -> None:
        try:
            if self._is_closing or not line.is_in_order:
                await self._give_back(line)
                return
            line.used_at = asyncio.get_running_loop().time()
            self._at_hand.append(line)
            if line.used_at - self._at_hand[0].used_at > IDLE_FOR:
                await self._give_back(self._at_hand.pop(0))
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Wait for the lines in use, and close all."""
        if self._pool is None:
            return
        self._is_closing = True
        while self._at_hand:
            await self._give_back(self._at_hand.pop())
        await self._pool.close()
        self._pool, self._is_closing = None, False

    def _place(self, tenant: int | None) -> int:
        """The newest line of the tenant, else the newest."""
        for place in range(len(self._at_hand) - 1, -1, -1):
            if self._at_hand[place].tenant == tenant:
                return place
        return -1

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                max_inactive_connection_lifetime=1.0,  # nobody needs what was given back
                statement_cache_size=500,
                server_settings={"role": self._role, "application_name": "frontdesk", "jit": "off"},
                reset=_keep,
                command_timeout=LONGEST_STATEMENT,
            )
        return await self._pool

    async def _give_back(self, line: Line) -> None:
        if self._pool is not None:
            await self._pool.release(line.connection)


async def _keep(_: asyncpg.Connection) -> None:
    """No round trip at release: the tenant is checked at each check-out instead."""
