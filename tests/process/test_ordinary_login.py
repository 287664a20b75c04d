"""A database of somebody else's: our login owns it and may make roles, and is no superuser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.schema import APP_ROLE, SYSTEM_ROLE
from tests.process.frontdesk_process import command

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("archive")]


async def ask(url: str, *statements: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return [await connection.fetch(statement) for statement in statements]
    finally:
        await connection.close()


@pytest.fixture
def hosted(open_folder: Path) -> Iterator[str]:
    """The URL of an empty database whose owner is an ordinary login."""
    postgres = EmbeddedPostgres(open_folder / "server")
    try:
        url = postgres.join()
        asyncio.run(ask(url, "CREATE ROLE shop LOGIN CREATEROLE", "CREATE DATABASE shop OWNER shop"))
        yield f"postgresql://shop@/shop?host={postgres.cluster.sockets}"
    finally:
        postgres.leave()


def test_an_ordinary_login_migrates_and_takes_both_roles(open_folder: Path, hosted: str) -> None:
    for _ in range(2):
        done = command("migrate", data=open_folder / "data", DATABASE_URL=hosted)
        assert done.returncode == 0, done.stderr
    for role in (APP_ROLE, SYSTEM_ROLE):
        asyncio.run(ask(hosted, f"SET ROLE {role}", "SELECT count(*) FROM contacts"))


def test_what_it_backs_up_it_restores(open_folder: Path, hosted: str) -> None:
    file = open_folder / "it.tar"
    for words in (["migrate"], ["backup", str(file)], ["restore", str(file), "--replace"]):
        done = command(*words, data=open_folder / "data", DATABASE_URL=hosted)
        assert done.returncode == 0, done.stderr
    asyncio.run(ask(hosted, f"SET ROLE {APP_ROLE}", "SELECT search_contacts('torres')"))
