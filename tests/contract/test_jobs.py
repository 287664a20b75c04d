"""Doorbells: rung with the transaction that caused them, as either role, once where asked so."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from frontdesk.core import jobs
from frontdesk.core.database import Database
from frontdesk.core.errors import BadRequest, Unavailable


@pytest.fixture
async def bells(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.system() as connection:
        yield connection


async def waiting(connection: asyncpg.Connection) -> list[tuple[int, int]]:
    return [jobs.read_payload(row[0]) for row in await connection.fetch("SELECT payload FROM pgqueuer ORDER BY id")]


async def test_a_bell_is_rung_by_the_commit(database: Database, bells: asyncpg.Connection) -> None:
    async with database.transaction(7) as connection:
        await jobs.enqueue(connection, "conversation", 7, 42)
        assert await waiting(bells) == []
    assert await waiting(bells) == [(7, 42)]


async def test_a_rollback_takes_the_bell_along(database: Database, bells: asyncpg.Connection) -> None:
    async def refuse() -> None:
        async with database.transaction(7) as connection:
            await jobs.enqueue(connection, "conversation", 7, 42)
            raise BadRequest("no")

    with pytest.raises(BadRequest):
        await refuse()
    assert await waiting(bells) == []


@pytest.mark.parametrize("ring", [jobs.enqueue, jobs.enqueue_once])
async def test_a_delay_counts_from_the_ringing_however_long_the_transaction_took(
    bells: asyncpg.Connection, ring: Callable[..., Awaitable[None]]
) -> None:
    async with bells.transaction():
        rung = await bells.fetchval("SELECT clock_timestamp()")
        await ring(bells, "conversation", 7, 42)
        assert await bells.fetchval("SELECT execute_after FROM pgqueuer") >= rung


async def test_who_rings_again_and_again_rings_once(bells: asyncpg.Connection) -> None:
    for id in (1, 1, 2, 1):
        await jobs.enqueue_once(bells, "conversation", 7, id)
    assert await waiting(bells) == [(7, 1), (7, 2)]


async def test_the_application_reads_no_payload_of_another_organization(database: Database) -> None:
    async with database.reading(7) as connection:
        await jobs.enqueue(connection, "conversation", 7, 1)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT payload FROM pgqueuer")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM pgqueuer")


async def test_old_log_rows_are_forgotten(bells: asyncpg.Connection) -> None:
    await jobs.enqueue(bells, "conversation", 7, 1)
    await bells.execute("UPDATE pgqueuer_log SET created = now() - interval '2 hours'")
    await jobs.purge(bells)
    assert await bells.fetchval("SELECT count(*) FROM pgqueuer_log") == 0


async def a_job(connection: asyncpg.Connection, attempts: int) -> jobs.Job:
    await jobs.enqueue(connection, "conversation", 7, 1)
    row = await connection.fetchrow("UPDATE pgqueuer SET attempts = $1 RETURNING *", attempts)
    assert row is not None
    return jobs.Job.model_validate(dict(row))


@pytest.mark.parametrize(
    ("failure", "attempts", "expected"),
    [(Unavailable("away"), 9, jobs.RetryRequested), (BadRequest("no"), 0, None), (KeyError("bug"), 0,
     jobs.RetryRequested), (KeyError("bug"), 5, KeyError)],
)  # fmt: skip
async def test_what_becomes_of_a_job_that_fails(
    bells: asyncpg.Connection, failure: Exception, attempts: int, expected: type[Exception] | None
) -> None:
    async def fail(organization_id: int, id: int) -> None:
        raise failure

    job = await a_job(bells, attempts)
    if expected is None:
        await jobs.run_job(fail, job)
    else:
        with pytest.raises(expected):
            await jobs.run_job(fail, job)
