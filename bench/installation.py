"""A Frontdesk of its own for one benchmark: an embedded PostgreSQL with the schema, and one organization in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from bench import processes
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.resources.organization.api_keys import hash_key

SEED = """
WITH o AS (INSERT INTO organizations (name, timezone, currency, subscription_status, created_at, updated_at)
           VALUES ('Bench', 'UTC', 'USD', 'active', now(), now()) RETURNING id),
     u AS (INSERT INTO users (email, created_at, updated_at) VALUES ('bench@example.com', now(), now()) RETURNING id),
     m AS (INSERT INTO members (organization_id, user_id, role, created_at, updated_at)
           SELECT o.id, u.id, 'owner', now(), now() FROM o, u)
INSERT INTO api_keys (organization_id, user_id, name, key_hash, key_mask, created_at, updated_at)
SELECT o.id, u.id, 'bench', $1, 'fd_…', now(), now() FROM o, u RETURNING organization_id
"""
CONTACT_SEED = """
INSERT INTO contacts (organization_id, first_name, last_name, email, phone, phone_country_code, phone_country_iso,
                      system_type, avatar_url, created_at, updated_at)
SELECT $1, 'Ana', 'Torres ' || i, 'ana' || i || '@example.com', '5550' || lpad(i::text, 6, '0'), '+1', 'US',
       'contact', 'https://example.com/avatars/' || i || '.png', now() - i * interval '1 minute', now()
FROM generate_series(1, $2) i
"""


@dataclass(frozen=True)
class Seeded:
    """What the seed has made."""

    organization_id: int
    contacts: range


@contextmanager
def database(folder: Path, options: Mapping[str, str] | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """A PostgreSQL of the embedded kind with the schema of the product; `options` are settings of the server."""
    folder.chmod(0o711)  # as root, PostgreSQL's own user must pass through
    data = folder / "data"
    postgres = EmbeddedPostgres(data, options=options)
    url = postgres.join()
    try:
        env = processes.environment(DATABASE_URL=url, FRONTDESK_DATA=str(data))
        subprocess.run(processes.frontdesk("migrate", "--quiet"), cwd=processes.ROOT, env=env, check=True)
        yield url, processes.postmaster(data)
    finally:
        postgres.leave()


async def seed(url: str, key: str, contacts: int) -> Seeded:
    """One organization with an API key and contacts."""
    connection = await asyncpg.connect(url)
    try:
        organization_id = await connection.fetchval(SEED, hash_key(key))
        await connection.execute(CONTACT_SEED, organization_id, contacts)
        await connection.execute("ANALYZE")
        first = await connection.fetchval("SELECT min(id) FROM contacts")
    finally:
        await connection.close()
    return Seeded(organization_id, range(first, first + contacts))


def variables(url: str, folder: Path, **own: str) -> dict[str, str]:
    """The environment of this installation's processes. Requests are counted, with room for the load."""
    data = str(folder / "data")
    return processes.environment(DATABASE_URL=url, FRONTDESK_DATA=data, FRONTDESK_RATE_LIMIT="999999999/3600", **own)
