"""What all tests share: one PostgreSQL per run, a database per worker, and no network."""

import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from frontdesk.core.database import Database
from tests.databases import Server, running_server

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


class NetworkBlocked(OSError):
    """A test tried to leave this machine."""


def block_network(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if isinstance(host, str) and host and not host.startswith(LOOPBACK):
        raise NetworkBlocked(f"a test tried to reach {host}")


def pytest_configure() -> None:
    sys.addaudithook(block_network)


def pytest_collection_finish() -> None:
    # Only where some test has loaded it: importing it costs more than all unit tests together.
    if models := sys.modules.get("pydantic_ai.models"):
        models.ALLOW_MODEL_REQUESTS = False


@pytest.fixture(scope="session")
def server(testrun_uid: str) -> Iterator[Server]:
    """The run's PostgreSQL: TEST_DATABASE_URL, or an embedded one that all workers share."""
    with running_server(testrun_uid) as server:
        yield server


@pytest.fixture(scope="session")
def database_url(server: Server, worker_id: str) -> Iterator[str]:
    """This worker's own database, migrated. Tests that start processes or need a raw connection use it."""
    with server.database(worker_id) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def open_database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        yield database


@pytest.fixture
async def database(open_database: Database, database_url: str) -> Database:
    """The migrated database, emptied of what the test before left, ids beginning at 1 again."""
    await empty(database_url)
    return open_database


@pytest.fixture
async def empty_database_url(database_url: str) -> str:
    """For tests that bring their own connections: the same database, emptied."""
    await empty(database_url)
    return database_url


async def empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT testing.clean()")
    finally:
        await connection.close()
