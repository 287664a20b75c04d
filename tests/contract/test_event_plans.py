"""The log by its indexes: 40,000 events of 400 organizations, read as the roles that read them."""

from __future__ import annotations

import asyncpg
import pytest

from frontdesk.core.database import Connection
from frontdesk.core.event_log import OF_ONE, OF_SEVERAL
from frontdesk.core.subscriptions import COPY_MISSED, COPY_NEW
from frontdesk.runtime.webhook_dispatch import DUE
from frontdesk.runtime.webhooks import CLAIM
from tests.world import NOW, OURS, THEIRS, World

ORGANIZATIONS = """
    INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE SELECT i, 'Other ' || i, 'UTC', 'USD', 'active', now(), now() FROM generate_series(3, 400) i
"""
EVENTS = """
    INSERT INTO events (organization_id, xid, name, resource, row_id, data, created_at)
    SELECT 1 + i % 400, i / 10, 'contacts.created', 'contacts', i, '{"id": 1}', now() FROM generate_series(1, 40000) i
"""
DELIVERIES = """
    INSERT INTO webhook_deliveries (organization_id, webhook_id, event_id, event_name, event_at, row_id, body, status,
        due_at, attempts, created_at, updated_at)
    SELECT 1, $1, i, 'contacts.created', now(), 1, '{}', CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'delivered' END,
        now(), 1, now(), now() FROM generate_series(1, 20000) i
"""
NAMES = ["contacts.created"]


@pytest.fixture
async def webhook_id(world: World, database_url: str) -> int:
    id = await world.row("webhooks", events=["contacts.*"])
    async with world.database.system() as connection:
        await connection.execute(ORGANIZATIONS)
        await connection.execute(EVENTS)
        await connection.execute(DELIVERIES, id)
    # Only the owner may: for everybody else the statement is a warning that nobody sees.
    owner = await asyncpg.connect(database_url)
    await owner.execute("VACUUM ANALYZE events, webhook_deliveries, webhooks")
    await owner.close()
    return id


async def plan(connection: Connection, sql: str, *arguments: object) -> str:
    # The plan for any values, which is what a prepared statement that is used all day has.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    try:
        rows = await connection.fetch(f"EXPLAIN {sql}", *arguments)
    finally:
        await connection.execute("RESET plan_cache_mode")
    return "\n".join(row[0] for row in rows)


@pytest.mark.usefixtures("webhook_id")
async def test_a_stream_that_catches_up_reads_its_organization_by_index(world: World) -> None:
    async with world.database.reading(OURS) as connection:
        found = await plan(connection, OF_ONE, 100, 0, OURS, 500)
    assert "Index Scan using pk_events" in found
    assert "Seq Scan" not in found
    assert "Sort" not in found.split("Limit")[1]


@pytest.mark.usefixtures("webhook_id")
async def test_the_reader_of_a_process_reads_what_is_new_by_index(world: World) -> None:
    async with world.database.system() as connection:
        found = await plan(connection, OF_SEVERAL, 3900, 0, [OURS, THEIRS], 500)
    assert "Seq Scan" not in found


async def test_the_dispatcher_reads_what_is_new_by_index(world: World, webhook_id: int) -> None:
    async with world.database.system() as connection:
        found = await plan(connection, COPY_NEW, "life", NOW, NAMES, 3900, 0, 2000)
        due = await plan(connection, DUE, NOW)
    assert "ix_events_xid_id" in found
    assert "Seq Scan on events" not in found
    assert "Seq Scan" not in due
    assert webhook_id


async def test_a_webhook_finds_what_is_due_and_what_was_missed_by_index(world: World, webhook_id: int) -> None:
    async with world.database.reading(OURS) as connection:
        claim = await plan(connection, CLAIM, OURS, webhook_id, NOW, NOW, 8)
        missed = await plan(connection, COPY_MISSED, "life", NOW, NAMES, OURS, webhook_id, NOW)
    assert "ix_webhook_deliveries_due" in claim
    assert "Seq Scan" not in claim
    assert "pk_events" in missed
    assert "Seq Scan on events" not in missed
