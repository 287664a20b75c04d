"""The rate limit of an organization over two real HTTP processes that share nothing but the database."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.process.frontdesk_process import ROOT, until, variables
from tests.world import KEY, MEMBER, SEED, USER, hash_key

pytestmark = pytest.mark.process


def is_up(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/contacts").status_code == 401
    return False


@contextmanager
def serving(database_url: str, data: Path, limit: str) -> Iterator[str]:
    own = {"DATABASE_URL": database_url, "FRONTDESK_SECRET_KEY": "s" * 32, "FRONTDESK_RATE_LIMIT": limit}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Handed over open: a port that is only named may be taken meanwhile.
        fd, port = listener.fileno(), listener.getsockname()[1]
        words = [sys.executable, "-m", "frontdesk", "serve", "--fd", str(fd)]
        process = subprocess.Popen(words, cwd=ROOT, env=variables(data, own), pass_fds=[fd])
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: is_up(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


async def seed(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SEED)
        user = await connection.fetchval(USER, "owner@example.com", None)
        await connection.execute(MEMBER, 1, user, "owner")
        await connection.execute(KEY, 1, user, hash_key("fd_two"))
    finally:
        await connection.close()


async def flood(urls: list[str], number: int) -> Counter[int]:
    """So many requests to each, twenty at a time."""
    gate = asyncio.Semaphore(20)

    async def one(client: httpx.AsyncClient, url: str) -> int:
        async with gate:
            return (await client.get(f"{url}/contacts?$limit=0")).status_code

    async with httpx.AsyncClient(headers={"x-api-key": "fd_two"}, timeout=60) as client:
        return Counter(await asyncio.gather(*(one(client, url) for _ in range(number) for url in urls)))


@pytest.mark.parametrize(("limit", "least"), [(19, 19), (300, 285)])
async def test_two_processes_let_in_no_more_than_the_limit(
    empty_database_url: str, tmp_path: Path, limit: int, least: int
) -> None:
    await seed(empty_database_url)
    text = f"{limit}/3600"
    with serving(empty_database_url, tmp_path, text) as one, serving(empty_database_url, tmp_path, text) as other:
        answers = await flood([one, other], limit)
    assert set(answers) == {200, 429}
    # What the other process holds in hand may be left over at the end, never more than 5 %.
    assert least <= answers[200] <= limit
