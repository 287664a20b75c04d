"""A backup is everything, and a restore is all of it or nothing."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from frontdesk.core.postgres import EmbeddedPostgres
from tests.process.frontdesk_process import command

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("archive")]
ORGANIZATION = """
INSERT INTO organizations (name, timezone, currency, subscription_status, created_at, updated_at)
VALUES ('Ñandú', 'UTC', 'USD', 'active', now(), now())
"""
SHAPE = """
SELECT string_agg(format('%s %s %s %s', tablename, policyname, roles, qual), E'\\n' ORDER BY tablename, policyname)
FROM pg_policies
"""


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def query(data: Path, statement: str) -> object:
    postgres = EmbeddedPostgres(data)
    try:
        return asyncio.run(ask(postgres.join(), statement))
    finally:
        postgres.leave()


@pytest.fixture
def backup(open_folder: Path) -> Path:
    """A backup with one organization in it."""
    data, file = open_folder / "data", open_folder / "it.dump"
    assert command("migrate", data=data).returncode == 0
    query(data, ORGANIZATION)
    done = command("backup", str(file), data=data)
    assert done.returncode == 0, done.stderr
    assert "secret.key" in done.stdout
    return file


def test_a_restored_database_has_the_rows_and_the_policies(backup: Path, open_folder: Path) -> None:
    done = command("restore", str(backup), data=open_folder / "other")
    assert done.returncode == 0, done.stderr
    assert query(open_folder / "other", "SELECT name FROM organizations") == "Ñandú"
    assert query(open_folder / "other", SHAPE) == query(open_folder / "data", SHAPE)
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_full_database_is_replaced_only_when_asked(backup: Path, open_folder: Path) -> None:
    query(open_folder / "data", "UPDATE organizations SET name = 'changed'")
    refused = command("restore", str(backup), data=open_folder / "data")
    assert refused.returncode == 78
    assert "--replace" in refused.stderr
    assert command("restore", "--replace", str(backup), data=open_folder / "data").returncode == 0
    assert query(open_folder / "data", "SELECT name FROM organizations") == "Ñandú"


def test_a_broken_backup_leaves_nothing_behind(backup: Path, open_folder: Path) -> None:
    broken = open_folder / "broken.dump"
    broken.write_bytes(backup.read_bytes()[:-5000])
    done = command("restore", str(broken), data=open_folder / "other")
    assert done.returncode == 78
    assert "could not be restored" in done.stderr
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert query(open_folder / "other", tables) == 0


@pytest.mark.parametrize("words", [["backup", "/proc/x.dump"], ["restore", "/nowhere.dump"]])
def test_a_file_that_cannot_be_is_one_sentence(words: list[str], open_folder: Path) -> None:
    done = command(*words, data=open_folder / "data")
    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
