"""A backup is everything, and a restore is all of it or nothing."""

import asyncio
import io
import tarfile
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
EVENT = """
    WITH life AS (INSERT INTO event_marks VALUES ('life', 'abc'))
    INSERT INTO events (organization_id, name, resource, row_id, created_at)
    SELECT id, 'contacts.created', 'contacts', 1, now() FROM organizations
"""
COUNT = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM event_marks)"
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


KEY = f"1/avatar/{'k' * 32}/photo.png"


@pytest.fixture
def backup(open_folder: Path) -> Path:
    """A backup with one organization and one uploaded file in it; a draft of an upload is none."""
    data, file = open_folder / "data", open_folder / "it.tar"
    assert command("migrate", data=data).returncode == 0
    query(data, ORGANIZATION)
    for path in (data / "files" / KEY, data / "files" / ".drafts" / "half"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a picture")
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


def test_the_log_of_events_is_of_one_life(backup: Path, open_folder: Path) -> None:
    """Numbers of another cluster's transactions would let readers pass over all that happens in this one."""
    query(open_folder / "data", EVENT)
    done = command("backup", str(open_folder / "with-event.tar"), data=open_folder / "data")
    assert done.returncode == 0, done.stderr
    assert command("restore", str(open_folder / "with-event.tar"), data=open_folder / "other").returncode == 0
    assert query(open_folder / "data", COUNT) == 2
    assert query(open_folder / "other", COUNT) == 0


def test_uploaded_files_are_restored_under_their_keys(backup: Path, open_folder: Path) -> None:
    done = command("restore", str(backup), data=open_folder / "other")
    assert "uploaded files: 1" in done.stdout, done.stderr
    files = open_folder / "other" / "files"
    assert [path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()] == [KEY]
    assert (files / KEY).read_bytes() == b"a picture"


@pytest.mark.parametrize("name", ["../outside", "files/../../outside", "/tmp/outside", f"files/{KEY}/../../x"])
def test_an_archive_puts_nothing_elsewhere(backup: Path, open_folder: Path, name: str) -> None:
    with tarfile.open(backup, "a") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    before = {*open_folder.rglob("outside")}
    assert command("restore", str(backup), data=open_folder / "other").returncode == 0
    assert {*open_folder.rglob("outside")} == before
    assert not Path("/tmp/outside").exists()


def test_a_full_database_is_replaced_only_when_asked(backup: Path, open_folder: Path) -> None:
    query(open_folder / "data", "UPDATE organizations SET name = 'changed'")
    refused = command("restore", str(backup), data=open_folder / "data")
    assert refused.returncode == 78
    assert "--replace" in refused.stderr
    assert command("restore", "--replace", str(backup), data=open_folder / "data").returncode == 0
    assert query(open_folder / "data", "SELECT name FROM organizations") == "Ñandú"


def test_a_broken_backup_leaves_nothing_behind(backup: Path, open_folder: Path) -> None:
    broken = open_folder / "broken.dump"
    whole = backup.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    done = command("restore", str(broken), data=open_folder / "other")
    assert done.returncode == 78
    assert "could not be restored" in done.stderr
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert query(open_folder / "other", tables) == 0


@pytest.mark.parametrize("words", [["backup", "/proc/x.dump"], ["restore", "/nowhere.dump"]])
def test_a_file_that_cannot_be_is_one_sentence(words: list[str], open_folder: Path) -> None:
    done = command(*words, data=open_folder / "data")
    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
