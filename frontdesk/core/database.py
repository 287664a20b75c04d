"""Connections: one asyncpg pool per role, the tenant set on each connection, one transaction per step.

A tenant's connection runs as `frontdesk_app`, whose row-level policies read `app.org`. The setting is sent only when
a connection changes its organization, so a single-statement read costs one round trip. `system` runs as
`frontdesk_system`, for work that belongs to no organization yet: looking up a key, sweeping what is due.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from .errors import Unavailable
from .schema import APP_ROLE, SYSTEM_ROLE

Connection = asyncpg.Connection | PoolConnectionProxy

BROKEN = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
LOST = (OSError, *BROKEN, asyncpg.InterfaceError, asyncpg.TooManyConnectionsError)


class Database:
    """The two pools of a process. `open` before use, `close` at the end.

    Raises `Unavailable` (503) where PostgreSQL cannot be reached; a broken connection is replaced by the pool.
    """

    def __init__(self, url: str, *, app_connections: int = 12, system_connections: int = 4) -> None:
        self.url = url
        self._sizes = {APP_ROLE: app_connections, SYSTEM_ROLE: system_connections}
        self._pools: dict[str, asyncpg.Pool] = {}
        self._tenants: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    async def open(self) -> None:
        for role in (APP_ROLE, SYSTEM_ROLE):
            await self._pool(role)

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _pool(self, role: str) -> asyncpg.Pool:
        pool = self._pools.get(role)
        if pool is None:
            pool = self._pools[role] = await asyncpg.create_pool(
                self.url,
                min_size=0,
                max_size=self._sizes[role],
                max_inactive_connection_lifetime=300,
                statement_cache_size=500,
                server_settings={"role": role, "application_name": "frontdesk", "jit": "off"},
                reset=_keep,
                command_timeout=60,
            )
        return pool

    @asynccontextmanager
    async def reading(self, organization_id: int) -> AsyncIterator[Connection]:
        """A connection for single statements of one organization, without BEGIN."""
        async with self._acquired(APP_ROLE) as connection:
            await self._set_tenant(connection, organization_id)
            yield connection

    @asynccontextmanager
    async def transaction(self, organization_id: int) -> AsyncIterator[Connection]:
        """One transaction of one organization: committed at the end, rolled back by an exception."""
        async with self.reading(organization_id) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """A connection that sees all organizations, without BEGIN."""
        async with self._acquired(SYSTEM_ROLE) as connection:
            yield connection

    @asynccontextmanager
    async def _acquired(self, role: str) -> AsyncIterator[Connection]:
        pool = await self._reach(role)
        try:
            connection = await pool.acquire()
        except LOST as error:
            raise Unavailable("The database cannot be reached; try again in a few seconds.") from error
        try:
            yield connection
        except BROKEN as error:
            raise Unavailable("The database connection was lost; try again in a few seconds.") from error
        finally:
            await pool.release(connection)

    async def _reach(self, role: str) -> asyncpg.Pool:
        try:
            return await self._pool(role)
        except LOST as error:
            raise Unavailable("The database cannot be reached; try again in a few seconds.") from error

    async def _set_tenant(self, connection: Connection, organization_id: int) -> None:
        raw = connection._con  # type: ignore[union-attr]
        if self._tenants.get(raw) != organization_id:
            # Outside of a transaction, so that a rollback cannot take the setting back.
            await connection.execute(f"SET app.org = '{int(organization_id)}'")
            self._tenants[raw] = organization_id


async def _keep(connection: asyncpg.Connection) -> None:
    """No round trip at release: the tenant is checked at each check-out instead."""
