"""Connections: one pool per role, the tenant set on each connection, one transaction per step.

A tenant's connection runs as `frontdesk_app`, whose row-level policies read `app.org`. The setting is sent only when
a connection changes its organization, so a single-statement read costs one round trip. `system` runs as
`frontdesk_system`, for work that belongs to no organization yet: looking up a key, sweeping what is due.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from .errors import Unavailable
from .pool import Line, Pool
from .schema import APP_ROLE, SYSTEM_ROLE

Connection = asyncpg.Connection | PoolConnectionProxy

# In a `RETURNING`: the transaction commits without waiting for the disk. The log is written in order, so the next
# commit that does wait takes it along; only a loss of power within half a second can undo it. For what may be done
# again as long as nothing outside has followed from it (`docs/why`).
SOON = "set_config('synchronous_commit', 'off', true)"

BROKEN = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # The server has said goodbye, and the connection is not closed yet.
    asyncpg.InternalClientError,
)
LOST = (OSError, *BROKEN, asyncpg.InterfaceError, asyncpg.TooManyConnectionsError)


class Database:
    """The two pools of a process; `close` at the end.

    Raises `Unavailable` (503) where PostgreSQL cannot be reached; a broken connection is replaced by the pool.
    """

    def __init__(self, url: str, *, app_connections: int = 12, system_connections: int = 4) -> None:
        self.url = url
        self._app = Pool(url, APP_ROLE, app_connections)
        self._system = Pool(url, SYSTEM_ROLE, system_connections)

    async def close(self) -> None:
        await self._app.close()
        await self._system.close()

    async def __aenter__(self) -> Database:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def reading(self, organization_id: int) -> AbstractAsyncContextManager[Connection]:
        """A connection for single statements of one organization, without BEGIN."""
        return _Held(self._app, organization_id)

    @asynccontextmanager
    async def transaction(self, organization_id: int) -> AsyncIterator[Connection]:
        """One transaction of one organization: committed at the end, rolled back by an exception."""
        async with _Held(self._app, organization_id) as connection, connection.transaction():
            yield connection

    def system(self) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees all organizations, without BEGIN."""
        return _Held(self._system, None)


class _Held:
    """A connection for as long as a block lasts. A class, because a generator costs three times as much."""

    __slots__ = ("line", "pool", "tenant")

    def __init__(self, pool: Pool, tenant: int | None) -> None:
        self.pool, self.tenant = pool, tenant

    async def __aenter__(self) -> Connection:
        try:
            self.line = line = await self.pool.acquire(self.tenant)
            if line.tenant != self.tenant:
                await self._set_tenant(line)
        except LOST as error:
            raise Unavailable("The database cannot be reached; try again in a few seconds.") from error
        return line.connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Of a connection that was lost between two statements asyncpg says only that it cannot be used.
        was_lost = isinstance(error, BROKEN) or (isinstance(error, asyncpg.InterfaceError) and self.line.is_lost)
        if was_lost:
            self.line.hang_up()
        await self.pool.release(self.line)
        if was_lost:
            raise Unavailable("The database connection was lost; try again in a few seconds.") from error

    async def _set_tenant(self, line: Line) -> None:
        """Outside of a transaction, so that a rollback cannot take the setting back."""
        try:
            line.tenant = None
            await line.connection.execute(f"SET app.org = '{int(self.tenant or 0)}'")
            line.tenant = self.tenant
        except BaseException as error:
            if isinstance(error, LOST):
                line.hang_up()
            await self.pool.release(line)
            raise
