"""Databases for tests: a template that was migrated once, cloned for each worker, emptied before each test."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from frontdesk.core.database import Database
from frontdesk.core.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[1]
LOCK = 7_450_021
QUICK = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "300",
    # It comes when it likes, and changes then where rows lie and how queries are planned.
    "autovacuum": "off",
}  # fmt: skip

# Rows that migrations insert survive: they are kept aside and put back.
CLEAN = """
CREATE SCHEMA testing;
CREATE TABLE testing.sequences AS
    SELECT sequencename AS name, coalesce(last_value, 1) AS value, last_value IS NOT NULL AS is_called
    FROM pg_sequences WHERE schemaname = 'public';
CREATE TABLE testing.seeds (name text, columns text);
DO $$
DECLARE t record; found bool; names text;
BEGIN
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t.relname) INTO found;
        IF found AND t.relname <> 'alembic_version' THEN
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO names FROM pg_attribute
            WHERE attrelid = format('public.%I', t.relname)::regclass AND attnum > 0 AND NOT attisdropped
              AND attgenerated = '';
            EXECUTE format('CREATE TABLE testing.%I AS SELECT %s FROM public.%I',
                           'seed_' || t.relname, names, t.relname);
            INSERT INTO testing.seeds VALUES (t.relname, names);
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION testing.clean() RETURNS void LANGUAGE plpgsql SET lock_timeout = '60s' AS $$
DECLARE t record; found bool; may_skip_keys bool := true; small int := 30 * 8192;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
    EXCEPTION WHEN insufficient_privilege THEN may_skip_keys := false;
    END;
    FOR t IN SELECT relname, pg_relation_size(oid) < small AS is_small FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t.relname) INTO found;
        IF (found OR NOT t.is_small) AND t.relname <> 'alembic_version' THEN
            -- To delete a few rows is quicker, but leaves the file as long as it is.
            EXECUTE format(CASE WHEN may_skip_keys AND t.is_small THEN 'DELETE FROM public.%I'
                           ELSE 'TRUNCATE public.%I CASCADE' END, t.relname);
        END IF;
    END LOOP;
    FOR t IN SELECT * FROM testing.seeds LOOP
        EXECUTE format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM testing.%I',
                       t.name, t.columns, t.columns, 'seed_' || t.name);
    END LOOP;
    PERFORM setval(format('public.%I', name)::regclass, value, is_called) FROM testing.sequences;
END $$;
"""


class Kept(Database):
    """Connections that outlive the applications that use them."""

    async def close(self) -> None:
        """An application's end is not theirs."""

    async def end(self) -> None:
        await super().close()


class OpenDatabase(Database):
    """A worker's database, emptied before each test.

    All its connections stay open: a new one reads the catalog and plans each statement anew, which takes longer than
    most tests."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.served = Kept(url, app_connections=10)
        self.broom: asyncpg.Connection | None = None

    async def empty(self) -> None:
        """Take away what the test before left, and begin ids at 1 again."""
        if self.broom is None or self.broom.is_closed():
            self.broom = await asyncpg.connect(self.url)
        await self.broom.execute("SELECT testing.clean()")

    async def close(self) -> None:
        if self.broom is not None:
            await self.broom.close()
        await self.served.end()
        await super().close()


@dataclass(frozen=True)
class Server:
    """A PostgreSQL for one test run; `run` marks its databases."""

    url: str
    run: str

    @property
    def template(self) -> str:
        return f"fd_{self.run}_template"

    def url_of(self, name: str) -> str:
        parts = urlsplit(self.url)
        # urlunsplit would drop the empty host that a socket's URL has.
        return f"{parts.scheme}://{parts.netloc}/{name}" + (f"?{parts.query}" if parts.query else "")

    @contextmanager
    def database(self, worker: str) -> Iterator[str]:
        name = f"fd_{self.run}_{worker}"
        asyncio.run(self.clone(name))
        try:
            yield self.url_of(name)
        finally:
            asyncio.run(self.drop(name))

    async def clone(self, name: str) -> None:
        """Make a database like the template; the first who comes makes the template."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(f"SELECT pg_advisory_lock({LOCK})")
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", self.template):
                await self.make_template(connection)
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.template}"')
        finally:
            await connection.close()

    async def make_template(self, connection: asyncpg.Connection) -> None:
        draft = f"{self.template}_draft"
        await connection.execute(f'CREATE DATABASE "{draft}"')
        migrate(self.url_of(draft))
        inside = await asyncpg.connect(self.url_of(draft))
        await inside.execute(CLEAN)
        await inside.close()
        await connection.execute(f'ALTER DATABASE "{draft}" RENAME TO "{self.template}"')

    async def drop(self, name: str) -> None:
        """Drop a worker's database, and the template with the last one."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(f"SELECT pg_advisory_lock({LOCK})")
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            others = await connection.fetch(
                "SELECT datname FROM pg_database WHERE datname LIKE $1", f"fd\\_{self.run}\\_%"
            )
            if [row["datname"] for row in others] == [self.template]:
                await connection.execute(f'DROP DATABASE "{self.template}" WITH (FORCE)')
        finally:
            await connection.close()


def migrate(url: str) -> None:
    """As an operator would; the command's own words are shown when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "frontdesk", "migrate"],
        env={**os.environ, "DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def running_server(run: str) -> Iterator[Server]:
    run = run[:12]
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Server(url, run)
        return
    folder = Path(tempfile.gettempdir()) / f"frontdesk-test-{run}"
    folder.mkdir(exist_ok=True)
    # PostgreSQL's user must pass through it when the tests run as root.
    folder.chmod(0o711)
    postgres = EmbeddedPostgres(folder, options=QUICK)
    try:
        yield Server(postgres.join(), run)
    finally:
        if postgres.leave():
            shutil.rmtree(folder, ignore_errors=True)
