"""Connections are kept from one use to the next: what one user leaves behind, the next must not meet."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from frontdesk.core import pool
from frontdesk.core.database import Database
from frontdesk.core.errors import Unavailable

TENANT = "SELECT current_setting('app.org', true)"
PROCESS = "SELECT pg_backend_pid()"

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT sum(i) FROM n"


@pytest_asyncio.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A database with one connection for each role."""
    async with Database(database_url, app_connections=1, system_connections=1) as database:
        yield database


async def end(url: str, process: int) -> None:
    """As an operator, or a restart of the server, ends a connection."""
    operator = await asyncpg.connect(url)
    await operator.execute("SELECT pg_terminate_backend($1, 5000)", process)
    await operator.close()


async def test_a_connection_is_used_again_and_its_tenant_follows_the_caller(single: Database) -> None:
    seen = []
    for organization_id in (1, 1, 2, 1):
        async with single.reading(organization_id) as connection:
            seen.append((await connection.fetchval(PROCESS), await connection.fetchval(TENANT)))
    assert [tenant for _, tenant in seen] == ["1", "1", "2", "1"]
    assert len({process for process, _ in seen}) == 1


async def test_a_connection_of_the_same_tenant_is_preferred(database_url: str) -> None:
    async with Database(database_url) as database:
        async with database.reading(1) as first, database.reading(2):
            wanted = await first.fetchval(PROCESS)
        for _ in range(3):
            async with database.reading(1) as connection:
                assert await connection.fetchval(PROCESS) == wanted


async def test_who_comes_when_all_connections_are_in_use_waits(single: Database) -> None:
    async def ask() -> int:
        async with single.reading(1) as connection:
            return int(await connection.fetchval(PROCESS))

    assert len(set(await asyncio.gather(*(ask() for _ in range(5))))) == 1


async def test_a_cancelled_statement_leaves_nothing_to_the_next_user(single: Database) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), single.reading(1) as connection:
            await connection.execute(ENDLESS)
    async with single.reading(1) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_statement_given_up_inside_the_block_leaves_nothing_either(single: Database) -> None:
    async with single.reading(1) as connection:
        with pytest.raises(TimeoutError):
            await connection.execute(ENDLESS, timeout=0.05)
    async with single.reading(1) as connection:
        assert await connection.fetchval("SELECT 1") == 1


GOODBYE = b"SFATAL\0VFATAL\0C57P02\0Mterminating connection because of crash of another server process\0\0"


def say_goodbye(connection: asyncpg.Connection) -> None:
    """As a server does that is about to close: the client reads it before it sees the end."""
    raw = connection._con
    raw._protocol.data_received(b"E" + (len(GOODBYE) + 4).to_bytes(4, "big") + GOODBYE)


@pytest.mark.parametrize("tenant", [1, 2], ids=["the same tenant", "another tenant"])
async def test_a_connection_that_the_server_is_leaving_is_used_no_more(single: Database, tenant: int) -> None:
    async with single.reading(1) as connection:
        say_goodbye(connection)
    with pytest.raises(Unavailable):
        async with single.reading(tenant) as connection:
            await connection.fetchval("SELECT 1")
    async with single.reading(1) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_transaction_left_open_is_rolled_back(single: Database) -> None:
    async with single.reading(1) as connection:
        await connection.execute("BEGIN")
    async with single.reading(1) as connection:
        assert not connection.is_in_transaction()


async def test_a_connection_that_the_server_closed_is_replaced(single: Database, database_url: str) -> None:
    async with single.reading(1) as connection:
        process = await connection.fetchval(PROCESS)
    await end(database_url, process)
    async with single.reading(1) as connection:
        assert await connection.fetchval(PROCESS) != process


async def test_a_connection_lost_in_use_is_a_503(single: Database, database_url: str) -> None:
    with pytest.raises(Unavailable):  # noqa: PT012
        async with single.reading(1) as connection:
            await end(database_url, await connection.fetchval(PROCESS))
            await connection.execute("SELECT 1")


async def test_a_connection_that_was_long_not_needed_is_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_FOR", -1.0)
    async with Database(database_url) as database:
        async with database.reading(1):
            pass
        assert database._app._at_hand == []


async def test_a_server_that_is_not_there_is_a_503() -> None:
    async with Database("postgresql://nobody@127.0.0.1:1/nothing") as database:
        for _ in range(30):  # more often than there are connections
            with pytest.raises(Unavailable):
                async with database.reading(1):
                    pass
