"""`frontdesk backup` and `frontdesk restore`: PostgreSQL's own tools, whichever server is behind."""

import argparse
import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncpg

from frontdesk.core.cluster import CLEAN, Cluster
from frontdesk.core.connection import joined, wait_for
from frontdesk.core.halt import Halt, unwritable
from frontdesk.core.settings import Settings
from frontdesk.core.tenancy import role_statements

HEADER = 60  # lines within which a dump makes its settings
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


def backup(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write everything but the secret key into one file of mode 600, while the product runs or not."""
    target = Path(arguments.file or f"frontdesk-{datetime.now():%Y%m%d-%H%M%S}.dump").absolute()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    with joined(settings) as url:
        asyncio.run(wait_for(url))
        try:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            # Row security stays on for a login that may not pass it by; its policy for our roles shows all rows.
            run_tool(settings, "pg_dump", ["--format=custom", "--enable-row-security", f"--file={draft}", url])
            draft.replace(target)
        except OSError as error:
            raise unwritable(target.parent, error) from error
        finally:
            draft.unlink(missing_ok=True)
    print(f"Wrote {target} ({target.stat().st_size / 1e6:.1f} MB).")
    if not settings.secret_key:
        print(f"Keep {settings.data / 'secret.key'} with it: provider keys in the database are encrypted with it.")
    return 0


def restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Read a backup in one transaction: all of it, or nothing."""
    source = Path(arguments.file).absolute()
    if not source.is_file():
        raise Halt(f"There is no file {source}.")
    with joined(settings) as url:
        asyncio.run(wait_for(url))
        asyncio.run(make_room(url, replace=arguments.replace))
        replay(Cluster(settings.data, settings.postgres_bin).bin, source, url)
    print(f"Restored {source}. `frontdesk migrate` brings an older backup to today's schema; `frontdesk run` does too.")
    return 0


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
