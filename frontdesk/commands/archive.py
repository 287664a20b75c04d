"""`frontdesk backup` and `frontdesk restore`: PostgreSQL's own tools, whichever server is behind, and a tar archive.

In it are `database.dump`, as pg_dump writes it, and `files/…`, the uploads as they lie in the data folder.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg

from frontdesk.core.cluster import CLEAN, Cluster
from frontdesk.core.connection import joined, wait_for
from frontdesk.core.file_kinds import read_key
from frontdesk.core.halt import Halt, unwritable
from frontdesk.core.settings import Settings
from frontdesk.core.tenancy import role_statements

DUMP, FILES = "database.dump", "files"
HEADER = 60  # lines within which a dump makes its settings
# The log of events is of one cluster: its transaction ids mean nothing in another one, and a restored database begins a
# life of its own (`core/event_log.py`).
NOT_KEPT = ("events", "event_marks")
WORDS = ("--format=custom", "--enable-row-security", *(f"--exclude-table-data={name}" for name in NOT_KEPT))
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


def backup(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write everything but the secret key into one file of mode 600, while the product runs or not."""
    target = Path(arguments.file or f"frontdesk-{datetime.now():%Y%m%d-%H%M%S}.tar").absolute()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    dump = target.with_name(f".{target.name}.{os.getpid()}.dump")
    with joined(settings) as url:
        asyncio.run(wait_for(url))
        try:
            for path in (dump, draft):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            # Row security stays on for a login that may not pass it by; its policy for our roles shows all rows.
            run_tool(settings, "pg_dump", [*WORDS, f"--file={dump}", url])
            # After the rows, so that each file which they name is there; one that came since does no harm.
            count = pack(draft, dump, settings.data / FILES)
            draft.replace(target)
        except OSError as error:
            raise unwritable(target.parent, error) from error
        finally:
            for path in (dump, draft):
                path.unlink(missing_ok=True)
    print(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB, uploaded files: {count}).")
    if settings.s3_endpoint:
        print(f"Uploaded files lie in the bucket {settings.s3_bucket}: back it up by its own means.")
    if not settings.secret_key:
        print(f"Keep {settings.data / 'secret.key'} with it: provider keys in the database are encrypted with it.")
    return 0


def pack(target: Path, dump: Path, files: Path) -> int:
    """The dump and the uploaded files in one archive; gives how many. A file that goes meanwhile is left out."""
    count = 0
    with tarfile.open(target, "w") as archive:
        archive.add(dump, DUMP)
        for path in sorted(files.rglob("*")):
            key = path.relative_to(files).as_posix()
            if read_key(key) and path.is_file():
                with contextlib.suppress(FileNotFoundError):
                    archive.add(path, f"{FILES}/{key}")
                    count += 1
    return count


def restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Read a backup: the database in one transaction, all of it or nothing, and then the files."""
    source = Path(arguments.file).absolute()
    if not source.is_file():
        raise Halt(f"There is no file {source}.")
    with joined(settings) as url, tempfile.TemporaryDirectory(prefix="frontdesk-") as folder:
        asyncio.run(wait_for(url))
        dump = unpack_dump(source, Path(folder))
        asyncio.run(make_room(url, replace=arguments.replace))
        replay(Cluster(settings.data, settings.postgres_bin).bin, dump, url)
        try:
            count = unpack_files(source, settings.data / FILES)
        except OSError as error:
            raise unwritable(settings.data, error) from error
    print(f"Restored {source} (uploaded files: {count}).")
    print("`frontdesk migrate` brings an older backup to today's schema; `frontdesk run` does too.")
    return 0


def unpack_dump(source: Path, folder: Path) -> Path:
    """The database's part of a backup. Raises Halt where the archive is cut short."""
    try:
        with tarfile.open(source) as archive:
            names = archive.getnames()  # reads the archive to its end
            archive.extract(DUMP, folder, filter="data")
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise Halt(f"The backup could not be restored: {source.name} is no whole backup ({error}).") from error
    return folder / names[0]


def unpack_files(source: Path, files: Path) -> int:
    """The uploaded files, each under its key. A file that is there already is the same one: files never change."""
    count = 0
    with tarfile.open(source) as archive:
        for member in archive:
            key = read_key(member.name.removeprefix(f"{FILES}/"))
            stored = archive.extractfile(member) if key and member.isfile() else None
            if key is None or stored is None:
                continue
            target = files / key.text
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.part")
            with stored, open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                shutil.copyfileobj(stored, file)
            draft.replace(target)
            count += 1
    return count


async def make_room(url: str, *, replace: bool) -> None:
    """An empty schema and the roles that rights are granted to. Raises Halt when there is data."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            if await connection.fetchval(TABLES):
                if not replace:
                    raise Halt("The database is not empty: `frontdesk restore --replace` deletes what it holds first.")
                await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            for statement in role_statements():
                await connection.execute(statement)
    finally:
        await connection.close()


def replay(bin_folder: Path, source: Path, url: str) -> None:
    """pg_restore into psql, without the one setting that servers before 17 do not know."""
    reading = [str(bin_folder / "pg_restore"), "--no-owner", "--no-comments", "--file=-", str(source)]
    writing = [str(bin_folder / "psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-d", url]
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=told, env=CLEAN) as reader,
        subprocess.Popen(writing, stdin=subprocess.PIPE, stderr=told, env=CLEAN) as writer,
    ):
        assert reader.stdout
        assert writer.stdin
        with contextlib.suppress(BrokenPipeError):
            for line in itertools.islice(reader.stdout, HEADER):
                if not line.startswith(b"SET transaction_timeout"):
                    writer.stdin.write(line)
            shutil.copyfileobj(reader.stdout, writer.stdin)
        if reader.wait() > 0:
            writer.kill()  # before the end of its input, at which it would commit the part it has read
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.close()
        if reader.returncode or writer.wait():
            told.seek(0)
            raise Halt(f"The backup could not be restored: {last_line(told.read().decode(errors='replace'))}")


def last_line(told: str) -> str:
    errors = [line for line in told.splitlines() if "error:" in line.lower()]
    return (errors or told.strip().splitlines() or ["no message"])[0]


def run_tool(settings: Settings, name: str, words: Sequence[str]) -> None:
    """One of PostgreSQL's programs, as ourselves. Raises Halt with its message."""
    program = Cluster(settings.data, settings.postgres_bin).bin / name
    done = subprocess.run([str(program), *words], env=CLEAN, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Halt(f"{name} failed: {last_line(done.stderr)}")
