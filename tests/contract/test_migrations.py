"""The declarations and a migrated database agree, row-level security included."""

import subprocess
import sys

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from frontdesk.core.database import Database
from frontdesk.core.revision import current, head
from frontdesk.core.schema import APP_ROLE, SYSTEM_ROLE
from frontdesk.migrations.scope import is_ours
from frontdesk.migrations.tables import metadata
from frontdesk.migrations.upgrade import configuration

TENANT_TABLES = sorted(name for name, table in metadata.tables.items() if "organization_id" in table.c)
PROTECTION = """
SELECT relrowsecurity, relforcerowsecurity,
    array(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY polname) AS policies
FROM pg_class c WHERE oid = $1::regclass
"""


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    return list(compare_metadata(context, metadata))


async def test_no_migration_is_missing(database_url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_whoever_writes_a_migration_sees_every_table() -> None:
    """In a process of its own: this one has imported more than `make migration` does."""
    program = "from frontdesk.migrations.tables import metadata; print(*metadata.tables)"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {*metadata.tables} == {*seen}
    assert {"events", "heartbeats", "webchat_visitors"} < {*seen}


async def test_the_database_is_at_the_newest_revision(database_url: str) -> None:
    assert await current(database_url) == head()


def test_the_head_that_a_start_reads_is_alembics() -> None:
    script = ScriptDirectory.from_config(configuration("postgresql://unused"))
    assert script.get_heads() == [head()]


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_every_tenant_table_is_protected(database: Database, table: str) -> None:
    async with database.system() as connection:
        found = await connection.fetchrow(PROTECTION, table)
    assert tuple(found) == (True, True, ["of_organization", "of_system"])


async def test_the_programs_roles_cannot_pass_row_level_security_by(database: Database) -> None:
    async with database.system() as connection:
        rows = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname = any($1) AND (rolsuper OR rolbypassrls OR rolcanlogin)",
            [APP_ROLE, SYSTEM_ROLE],
        )
    assert rows == []


async def test_a_stranger_to_the_organization_sees_nothing(database: Database) -> None:
    async with database.system() as connection:
        await connection.execute(
            "INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)"
            " SELECT n, 'x', 'UTC', 'USD', 'active', now(), now() FROM generate_series(1, 2) n"
        )
        await connection.execute(
            "INSERT INTO products (organization_id, name, status, type, created_at, updated_at)"
            " VALUES (1, 'a', 'active', 'service', now(), now())"
        )
    async with database.reading(1) as connection:
        assert await connection.fetchval("SELECT count(*) FROM products") == 1
    async with database.reading(2) as connection:
        assert await connection.fetchval("SELECT count(*) FROM products") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO products (organization_id, name, status, type, created_at, updated_at)"
                " VALUES (1, 'b', 'active', 'service', now(), now())"
            )
