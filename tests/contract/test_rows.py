"""What PostgreSQL itself enforces when our SQL forgets: row-level security and references within the tenant."""

from __future__ import annotations

import asyncpg
import pytest

from frontdesk.core.resource import Resource
from frontdesk.core.tenancy import is_tenant
from frontdesk.migrations.tables import metadata
from frontdesk.registry import make_registry
from tests.world import OURS, THEIRS, World

TENANT_TABLES = sorted(table.name for table in metadata.tables.values() if is_tenant(table))
OWNED = [resource for resource in make_registry() if resource.is_tenant and resource.is_stored and not resource.of]


@pytest.mark.parametrize("resource", OWNED, ids=lambda r: r.path)
async def test_a_forgotten_filter_shows_only_the_own_rows(world: World, resource: Resource) -> None:
    ours, theirs = await world.row(resource.path, OURS), await world.row(resource.path, THEIRS)
    async with world.database.reading(OURS) as connection:
        ids = [row["id"] for row in await connection.fetch(f'SELECT id FROM "{resource.table_name}"')]
        changed = await connection.execute(f'UPDATE "{resource.table_name}" SET version = 9 WHERE id = {theirs}')
    assert ours in ids
    assert theirs not in ids
    assert changed == "UPDATE 0"


@pytest.mark.parametrize("name", TENANT_TABLES)
async def test_each_tenant_table_is_fenced(world: World, name: str) -> None:
    flags = "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = $1::regclass"
    async with world.database.system() as connection:
        assert await connection.fetchval(flags, f'"{name}"')


async def test_nobody_writes_into_another_organization(world: World) -> None:
    async with world.database.reading(OURS) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO products (organization_id, name, status, type, created_at, updated_at)"
                " VALUES (2, 'x', 'active', 'service', now(), now())"
            )


@pytest.mark.parametrize("path", ["users", "login_sessions"])
async def test_the_application_does_not_read_passwords_or_logins(world: World, path: str) -> None:
    column = "password_hash" if path == "users" else "id"
    async with world.database.reading(OURS) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT {column} FROM {path}")


async def test_a_reference_to_another_tenants_row_is_refused(world: World) -> None:
    theirs = await world.row("contacts", THEIRS)
    async with world.client() as client:
        answer = await client.post("/notes", json={"text": "x", "contact_id": theirs})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"contact_id": "names no row of contacts"}


async def test_a_reference_to_a_removed_row_is_refused(world: World) -> None:
    contact = await world.row("contacts")
    async with world.client() as client:
        await client.delete(f"/contacts/{contact}")
        answer = await client.post("/notes", json={"text": "x", "contact_id": contact})
    assert answer.status_code == 400


async def test_two_changes_with_the_same_version_lose_nothing(world: World) -> None:
    contact = await world.row("contacts")
    headers = {"if-match": "1"}
    async with world.client() as client:
        first = await client.patch(f"/contacts/{contact}", json={"first_name": "A"}, headers=headers)
        second = await client.patch(f"/contacts/{contact}", json={"last_name": "B"}, headers=headers)
        stored = (await client.get(f"/contacts/{contact}")).json()
    assert [first.status_code, second.status_code] == [200, 409]
    assert (stored["first_name"], stored["last_name"], stored["version"]) == ("A", None, 2)
