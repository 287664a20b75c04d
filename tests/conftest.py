"""What all tests share: one PostgreSQL per run, a database per worker, and no network."""

import os
import sys
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
import pytest_asyncio

from tests.databases import OpenDatabase, Server, running_server

# The same examples in every run, however slow the machine: what failed fails again. FRONTDESK_NEW_EXAMPLES=1 searches.
SEARCH = "FRONTDESK_NEW_EXAMPLES" in os.environ
hypothesis.settings.register_profile(
    "frontdesk",
    derandomize=not SEARCH,
    deadline=None,
    database=None,
    print_blob=SEARCH,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("frontdesk")

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
async def open_database(database_url: str) -> AsyncIterator[OpenDatabase]:
    database = OpenDatabase(database_url)
    yield database
    await database.close()


@pytest.fixture
async def database(open_database: OpenDatabase) -> OpenDatabase:
    """The migrated database, emptied of what the test before left, ids beginning at 1 again."""
    await open_database.empty()
    return open_database


@pytest.fixture
async def empty_database_url(open_database: OpenDatabase) -> str:
    """For tests that bring their own connections: the same database, emptied."""
    await open_database.empty()
    return open_database.url
