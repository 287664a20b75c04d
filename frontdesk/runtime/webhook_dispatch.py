"""The dispatcher: from the log of events to deliveries, in order, exactly once, whatever number of workers runs.

A row of `event_marks` holds the place up to which the log was copied. Who locks it is the one dispatcher of that
moment; deliveries, place and bells are one transaction. The same loop rings for what is due again and forgets what is
old: the log after 7 days, deliveries after 30.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import Unavailable
from frontdesk.core.event_log import KEPT, Cursor, life, purge
from frontdesk.core.jobs import enqueue_once
from frontdesk.core.resource import Registry
from frontdesk.core.subscriptions import COPY_NEW, told_to_webhooks

log = structlog.get_logger(__name__)

DOORBELL = "webhook"  # rings for all that is due at one webhook
EVERY = 0.5  # seconds
DUE_EVERY, PURGE_EVERY = 2.0, 60.0  # seconds
PAGE = 2_000  # events of one transaction
# Where nobody listens, the place is moved only so often, lest an idle installation write for ever.
MOVE_EVERY = 10.0  # seconds
DELIVERIES_KEPT = timedelta(days=30)
MOST_PURGES = 50  # batches of one round

MARK = "SELECT value FROM event_marks WHERE name = 'webhooks' FOR UPDATE SKIP LOCKED"
BEGIN = "INSERT INTO event_marks (name, value) VALUES ('webhooks', '0-0') ON CONFLICT (name) DO NOTHING"
MOVE = "UPDATE event_marks SET value = $1 WHERE name = 'webhooks'"
DUE = """
    SELECT DISTINCT organization_id, webhook_id FROM webhook_deliveries
    WHERE status IN ('pending', 'failed') AND due_at <= $1 LIMIT 500
"""
PURGE_DELIVERIES = """
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2
    )
"""


class WebhookDispatch:
    """One step of the dispatcher; `dispatch_for_ever` takes them."""

    def __init__(self, database: Database, registry: Registry, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.names = told_to_webhooks(registry)
        self._moved_at = clock.monotonic()

    async def copy(self, page: int = PAGE) -> bool:
        """Make deliveries of what is new. True where more waits behind a full page."""
        async with self.database.system() as connection, connection.transaction():
            name = await life(connection)
            # The first time in this life of the database there is nothing to lock yet.
            await connection.execute(BEGIN)
            if (mark := await connection.fetchval(MARK)) is None:
                return False  # another worker is at it
            place = Cursor.parse(mark) or Cursor(0, 0)
            now = self.clock.now()
            row = await connection.fetchrow(COPY_NEW, name, now, self.names, place.xid, place.id, page)
            assert row is not None
            is_full = bool(row["read"] == page)
            reached = Cursor(row["xid"], row["id"]) if is_full else Cursor(row["horizon"], 0)
            is_late = self.clock.monotonic() - self._moved_at >= MOVE_EVERY
            if reached > place and (is_full or row["told"] or is_late):
                self._moved_at = self.clock.monotonic()
                await connection.execute(MOVE, str(reached))
            for told in row["told"]:
                organization_id, _, webhook_id = told.partition("-")
                await enqueue_once(connection, DOORBELL, int(organization_id), int(webhook_id))
        return is_full

    async def ring(self) -> int:
        """Ring for every webhook at which something is due; gives how many."""
        async with self.database.system() as connection:
            rows = await connection.fetch(DUE, self.clock.now())
            for organization_id, webhook_id in rows:
                await enqueue_once(connection, DOORBELL, organization_id, webhook_id)
        return len(rows)

    async def purge(self, most: int = 5000) -> None:
        """Forget old events and deliveries, a batch a transaction."""
        now = self.clock.now()
        for _ in range(MOST_PURGES):
            async with self.database.system() as connection:
                events = await purge(connection, now - KEPT, most)
                deliveries = await _count(connection, PURGE_DELIVERIES, now - DELIVERIES_KEPT, most)
            if max(events, deliveries) < most:
                return


async def _count(connection: Connection, sql: str, *arguments: object) -> int:
    return int((await connection.execute(sql, *arguments)).split()[-1])


async def dispatch_for_ever(database: Database, registry: Registry, clock: Clock, stopping: asyncio.Event) -> None:
    """Dispatch until told to stop. A lost database is tried again at the next round."""
    dispatch = WebhookDispatch(database, registry, clock)
    rung_at = purged_at = clock.monotonic()
    while not stopping.is_set():
        try:
            while await dispatch.copy():
                if stopping.is_set():
                    return
            if clock.monotonic() - rung_at >= DUE_EVERY:
                rung_at = clock.monotonic()
                await dispatch.ring()
            if clock.monotonic() - purged_at >= PURGE_EVERY:
                purged_at = clock.monotonic()
                await dispatch.purge()
        except Unavailable as error:
            log.warning("the webhooks wait for the database", error=error.message)
        except (asyncpg.PostgresError, TimeoutError) as error:
            # What one page cannot do must not end the process that answers customers.
            log.exception("the webhooks' dispatcher broke", error=str(error) or type(error).__name__)
        pause = asyncio.ensure_future(clock.sleep(EVERY))
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({pause, stopped}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        stopped.cancel()
