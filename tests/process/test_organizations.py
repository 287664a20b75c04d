"""`frontdesk organizations`: how an external, empty database gets its first organization."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import asyncpg
import httpx
import pytest

from frontdesk.core.settings import Settings
from frontdesk.main import create_app
from frontdesk.registry import make_door
from tests.process.frontdesk_process import command

pytestmark = pytest.mark.process
WISH = ("create", "--name", "Luna Dental", "--owner-email", "ana@example.com")


def organizations(url: str, data: Path, *words: str) -> tuple[int, str, str]:
    done = command("organizations", *words, data=data, DATABASE_URL=url, FRONTDESK_SECRET_KEY="s" * 32)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def url(empty_database_url: str) -> str:
    return empty_database_url


async def rows(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_it_prints_a_link_that_makes_an_owner_and_a_key_that_works(url: str, tmp_path: Path) -> None:
    words = (*WISH, "--key", "--timezone", "America/Bogota", "--currency", "COP", "--rate-limit", "50/60")
    code, said, _ = await asyncio.to_thread(organizations, url, tmp_path, *words)
    token, key = re.search(r"/invites#(\S+)", said), re.search(r"(fd_\S+)", said)
    assert code == 0
    assert token and key  # noqa: PT018
    settings = Settings(data=tmp_path, secret_key="s" * 32)  # type: ignore[call-arg]
    app = create_app(settings, make_door(settings, url))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        page = await client.get("/currencies", headers={"x-api-key": key[1]})
        assert page.json()["data"][0]["code"] == "COP"
        assert page.headers["ratelimit-policy"] == '"default";q=50;w=60'
        await accepts(client, token[1])


async def accepts(client: httpx.AsyncClient, token: str) -> None:
    body = {"token": token, "first_name": "Ana", "password": "ten letters at least"}
    login = {"strategy": "local", "email": "ana@example.com", "password": body["password"]}
    assert (await client.post("/organizations-users-invites-accept", json=body)).status_code == 201
    bearer = (await client.post("/authentication", json=login)).json()["accessToken"]
    mine = await client.get("/members", headers={"authorization": f"Bearer {bearer}"})
    assert [member["role"] for member in mine.json()["data"]] == ["owner"]


async def test_organizations_are_listed_and_get_limits(url: str, tmp_path: Path) -> None:
    run = lambda *words: asyncio.to_thread(organizations, url, tmp_path, *words)  # noqa: E731
    await run(*WISH)
    assert (await run("limit", "--id", "1", "--rate-limit", "5000/3600"))[0] == 0
    assert "Luna Dental  (members: 0, rate limit: 5000/3600)" in (await run("list"))[1]
    await run("limit", "--id", "1", "--rate-limit", "default")
    assert [row[0] for row in await rows(url, "SELECT rate_limit FROM organizations")] == [None]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--name", "Luna"), "needs --owner-email"),
        (("create", "--name", "Luna", "--owner-email", "x"), "email must be an e-mail address"),
        ((*WISH, "--currency", "XYZ", "--timezone", "Mars"), "currency must be a currency code"),
        ((*WISH, "--rate-limit", "lots"), "--rate-limit must be requests/seconds"),
        (("limit", "--id", "7", "--rate-limit", "0"), "There is no organization 7"),
        (("limit", "--rate-limit", "0"), "needs --id"),
    ],
    ids=["no owner", "address", "place", "limit", "nobody", "no id"],
)
async def test_a_mistake_is_one_sentence_and_makes_nothing(
    url: str, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, _, error = await asyncio.to_thread(organizations, url, tmp_path, *words)
    assert code != 0
    assert said in error
    assert "Traceback" not in error
    assert await rows(url, "SELECT id FROM organizations") == []
