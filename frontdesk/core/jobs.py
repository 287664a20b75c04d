"""The job engine's thin face: PgQueuer. A job is a doorbell: an organization and an id, and nothing else.

A bell may ring twice, late, or on two machines; the state in our own tables decides what is to be done. It is rung in
the transaction that caused it, and a lost one costs seconds, because the sweeper rings for everything that is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pydantic_core import from_json, to_json

from .database import LOST, Connection
from .errors import ApiError, Unavailable
from .schema import APP_ROLE, SYSTEM_ROLE

log = structlog.get_logger(__name__)

Handler = Callable[[int, int], Awaitable[None]]

# All names are given here: PgQueuer would take them from variables as common as CHANNEL or FUNCTION.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel="ch_pgqueuer",
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.balanced,
)

QUEUE = QueryQueueBuilder(SETTINGS)
# A delay counts from the ringing. Counted from the transaction's begin, the bell would come a little before what it
# rings for is due, change nothing, and the sweeper's would come seconds later.
FROM_NOW = ("execute_after + NOW()", "execute_after + clock_timestamp()")
ENQUEUE = QUEUE.build_enqueue_query("raise").replace(*FROM_NOW)
ENQUEUE_ONCE = QUEUE.build_enqueue_query("skip").replace(*FROM_NOW)
PURGE = "DELETE FROM pgqueuer_log WHERE created < now() - interval '1 hour'"
PURGE_STATISTICS = "DELETE FROM pgqueuer_statistics WHERE created < now() - interval '1 day'"

BATCH = 25
AT_ONCE = 2_000  # handlers of one process; the pool of connections is what they wait for
HEARTBEAT = timedelta(seconds=6)  # a killed worker's jobs are picked up by another one after this
LONGEST_WAIT = timedelta(seconds=5)
MOST_ATTEMPTS = 5
PATIENT = -1  # the priority of bells that nobody waits for: those of people who wait for an answer go first
RECONNECT_AFTER = 0.5  # seconds
GRACE = 3.0  # seconds that handlers get to end when the process is told to stop


def installation() -> str:
    """The engine's own schema, as one script for the migration."""
    return QueryBuilderEnvironment(SETTINGS).build_install_query(create_schema=False)


def grants() -> Iterator[str]:
    """Both roles may ring; only the system role, as which the worker runs, may take and read jobs."""
    yield f"GRANT INSERT, SELECT (id, entrypoint, priority, dedupe_key, status) ON pgqueuer TO {APP_ROLE}"
    yield f"GRANT INSERT ON pgqueuer_log TO {APP_ROLE}"
    yield f"GRANT USAGE ON pgqueuer_id_seq, pgqueuer_statistics_id_seq TO {APP_ROLE}, {SYSTEM_ROLE}"
    for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics", "pgqueuer_schedules"):
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {SYSTEM_ROLE}"


async def enqueue(
    connection: Connection, doorbell: str, organization_id: int, id: int, *, delay: timedelta = timedelta(0),
    priority: int = 0,
) -> None:  # fmt: skip
    """Ring `doorbell` after `delay`, when the transaction of `connection` has committed."""
    await connection.execute(ENQUEUE, *_arguments(doorbell, organization_id, id, delay, None, priority))


async def enqueue_all(
    connection: Connection, doorbell: str, organization_id: int, ids: Sequence[int], *, priority: int = 0
) -> None:
    """Ring the same bell for many at once."""
    count = len(ids)
    payloads = [to_json({"o": organization_id, "i": id}) for id in ids]
    if count:
        await connection.execute(
            ENQUEUE, [priority] * count, [doorbell] * count, payloads, [timedelta(0)] * count, [None] * count,
            ["{}"] * count,
        )  # fmt: skip


async def enqueue_once(connection: Connection, doorbell: str, organization_id: int, id: int) -> None:
    """Ring unless the same bell, rung by this function, still waits: for who rings again and again."""
    key = f"{doorbell}:{id}"
    await connection.execute(ENQUEUE_ONCE, *_arguments(doorbell, organization_id, id, timedelta(0), key))


def _arguments(
    doorbell: str, organization_id: int, id: int, delay: timedelta, key: str | None, priority: int = 0
) -> tuple[object, ...]:
    payload = to_json({"o": organization_id, "i": id})
    return [priority], [doorbell], [payload], [delay], [key], ["{}"]


def read_payload(payload: bytes | None) -> tuple[int, int]:
    """The organization and the id of a job."""
    body = from_json(payload or b"{}")
    return body["o"], body["i"]


async def purge(connection: Connection) -> None:
    """Forget completed jobs: what they did is in our own tables."""
    await connection.execute(PURGE)
    await connection.execute(PURGE_STATISTICS)


class Worker:
    """Takes jobs until told to stop, over one connection that is made anew when PostgreSQL was away."""

    def __init__(self, url: str, handlers: Mapping[str, Handler]) -> None:
        self._url, self._handlers = url, dict(handlers)
        self._running: set[asyncio.Task[object]] = set()
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. What then still runs after a grace is cancelled, to be resumed later."""
        while not stopping.is_set():
            try:
                await self._work(stopping)
            except (*LOST, TimeoutError, FailingListenerError) as error:
                log.warning("the job engine's line to the database is down", error=str(error) or type(error).__name__)
            if not stopping.is_set():
                await _first(stopping.wait(), asyncio.sleep(RECONNECT_AFTER))
        await self._end()

    async def _work(self, stopping: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=10,
            # Which bells were taken and which are done need not survive a loss of power: they may ring twice.
            server_settings={"role": SYSTEM_ROLE, "application_name": "frontdesk jobs", "synchronous_commit": "off"},
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        manager = self._manager(connection)
        task = asyncio.create_task(self._consume(manager, connection))
        try:
            await _first(stopping.wait(), lost.wait(), asyncio.shield(task))
        finally:
            manager.shutdown.set()
        if task.done():
            task.result()
        else:
            # Handlers may still be at work; a new connection does not wait for them.
            self._ending.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("a job connection ended", error=str(error) or type(error).__name__)

    def _manager(self, connection: asyncpg.Connection) -> QueueManager:
        queries = Queries(
            AsyncpgDriver(connection), QueryBuilderEnvironment(SETTINGS), QUEUE, QuerySchedulerBuilder(SETTINGS)
        )
        manager = QueueManager(queries, SETTINGS.channel)
        for name, handler in self._handlers.items():
            manager.entrypoint(name, accepts_context=False)(self._entry(handler))
        return manager

    async def _consume(self, manager: QueueManager, connection: asyncpg.Connection) -> None:
        try:
            await manager.run(
                batch_size=BATCH,
                dequeue_timeout=LONGEST_WAIT,
                max_concurrent_tasks=AT_ONCE,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=HEARTBEAT,
            )
        finally:
            connection.terminate()

    def _entry(self, handler: Handler) -> Callable[[Job], Awaitable[None]]:
        async def entry(job: Job) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await run_job(handler, job)
            finally:
                self._running.discard(task)

        return entry

    async def _end(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=GRACE)
        for task in self._running:
            task.cancel()
        if self._ending:
            await asyncio.wait(self._ending, timeout=GRACE)


async def run_job(handler: Handler, job: Job) -> None:
    """The job edge: an expected failure is tried again later, an unexpected one is logged with its trace."""
    organization_id, id = read_payload(job.payload)
    delay = timedelta(seconds=min(60, 2**job.attempts))
    try:
        await handler(organization_id, id)
    except Unavailable as error:
        raise RetryRequested(delay=delay, reason=error.message) from error
    except ApiError as error:
        log.warning("a job failed", doorbell=job.entrypoint, id=id, error=error.message)
    except Exception as error:
        log.exception("a job broke", doorbell=job.entrypoint, id=id, attempt=job.attempts)
        if job.attempts < MOST_ATTEMPTS:
            raise RetryRequested(delay=delay, reason=type(error).__name__) from error
        raise


async def _first(*waits: Awaitable[object]) -> None:
    """Wait for the first of several; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
