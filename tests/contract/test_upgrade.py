"""An installation of the first release is brought to the newest schema with its rows."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command

from frontdesk.assistants.record import DEFAULTS
from frontdesk.core.revision import MIGRATIONS
from frontdesk.migrations.upgrade import configuration, upgrade
from tests.databases import Server

FIRST = "0001"
ROWS = """
    INSERT INTO organizations (name, timezone, currency, subscription_status, created_at, updated_at)
        VALUES ('Luna', 'UTC', 'COP', 'active', now(), now()), ('Sol', 'UTC', 'XAF', 'active', now(), now());
    INSERT INTO contacts (organization_id, first_name, system_type, company_id, created_at, updated_at)
        VALUES (1, 'Ana', 'contact', 77, now(), now());
    INSERT INTO ai_models (name, provider, model, supports_images, supports_tools, created_at, updated_at)
        VALUES ('Any', 'openai', 'any', false, true, now(), now());
    INSERT INTO ai_assistants (organization_id, name, assistant_type, ai_model_id, created_at, updated_at)
        SELECT 1, 'Eva', 'conversation', min(id), now(), now() FROM ai_models;
"""


@pytest.fixture
async def upgraded(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """A database that was in use at the first release, at the newest revision."""
    name = f"fd_{server.run}_upgrade_{uuid.uuid4().hex[:8]}"  # tests run side by side
    outside = await asyncpg.connect(server.url)
    await outside.execute(f'CREATE DATABASE "{name}"')
    url = server.url_of(name)
    await asyncio.to_thread(command.upgrade, configuration(url), FIRST)
    inside = await asyncpg.connect(url)
    await inside.execute(ROWS)
    await asyncio.to_thread(upgrade, url)
    try:
        yield inside
    finally:
        await inside.close()
        await outside.execute(f'DROP DATABASE "{name}"')
        await outside.close()


async def test_older_organizations_get_what_new_ones_begin_with_and_keep_the_rest(upgraded: asyncpg.Connection) -> None:
    stages = "SELECT organization_id, name FROM pipeline_stages ORDER BY organization_id, position"
    names = ["New", "Qualified", "Proposal", "Negotiation"]
    assert [tuple(row) for row in await upgraded.fetch(stages)] == [(i, name) for i in (1, 2) for name in names]
    currencies = "SELECT organization_id, code, name, symbol, is_default FROM currencies ORDER BY organization_id"
    assert [tuple(row) for row in await upgraded.fetch(currencies)] == [
        (1, "COP", "Colombian Peso", "COP", True), (2, "XAF", "XAF", "XAF", True),
    ]  # fmt: skip
    # Until now a company could be any number, and named nothing.
    contacts = await upgraded.fetch("SELECT first_name, company_id FROM contacts")
    assert [tuple(row) for row in contacts] == [("Ana", None)]


async def test_older_assistants_get_the_defaults_of_new_fields(upgraded: asyncpg.Connection) -> None:
    """Without them a record that was read would show null where a new one shows its default."""
    first = (MIGRATIONS / "versions" / "0001_initial.sql").read_text("utf-8")
    table = re.search(r"CREATE TABLE ai_assistants \((.*?)\n\);", first, re.DOTALL)
    assert table is not None
    new = {name: value for name, value in DEFAULTS.items() if not re.search(rf"\b{name} ", table[1])}
    row = json.loads(await upgraded.fetchval("SELECT to_jsonb(a)::text FROM ai_assistants a"))
    assert {"mcp_tools", "external_handoff_targets"} <= new.keys()
    assert {name: row[name] for name in new} == new
