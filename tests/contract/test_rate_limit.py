"""The rate limit over HTTP: what counts, what each answer says, and the published 429."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.quota import Quota
from frontdesk.core.request_limits import LedgerRows, RequestLimits
from frontdesk.core.settings import Settings
from tests.world import OURS, PASSWORD, THEIRS, World, email_of, make_world


@pytest.fixture
async def limited(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    """A world in which each organization may make ten requests a minute."""
    secret = "contract tests need no better secret"
    settings = Settings(data=tmp_path, secret_key=secret, rate_limit="10/60")  # type: ignore[call-arg]
    async with make_world(database, settings) as world:
        yield world


async def set_limit(world: World, limit: str | None) -> None:
    async with world.database.system() as connection:
        await connection.execute("UPDATE organizations SET rate_limit = $2 WHERE id = $1", OURS, limit)


async def statuses(world: World, number: int, path: str = "/contacts", **headers: str) -> list[int]:
    async with world.client(None if headers else Role.owner, **headers) as client:
        return [(await client.get(path)).status_code for _ in range(number)]


async def test_over_the_limit_is_the_published_429(limited: World) -> None:
    await statuses(limited, 10)
    async with limited.client() as client:
        answer = await client.get("/contacts")
    body = answer.json()
    wait = body["data"]["retryAfter"]
    assert answer.status_code == 429
    assert body == {
        "name": "TooManyRequests", "message": "Rate limit exceeded", "code": 429,
        "data": {"limit": 10, "current": 10, "window": 60, "retryAfter": wait},
    }  # fmt: skip
    assert 0 < wait <= 60
    assert answer.headers["retry-after"] == str(wait)
    assert answer.headers["ratelimit"] == f'"default";r=0;t={wait}'


async def test_every_answer_of_a_key_says_what_is_left(limited: World) -> None:
    async with limited.client() as client:
        answers = [
            await client.get("/contacts"),
            await client.post("/contacts", json={"first_name": "Ana"}),
            await client.get("/contacts/999"),
            await client.post("/contacts", json={"shoe_size": 43}),
            await client.put("/contacts/1", json={}),
        ]
    assert [answer.status_code for answer in answers] == [200, 201, 404, 400, 405]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=10;w=60'}
    left = [answer.headers["ratelimit"].partition("r=")[2].partition(";")[0] for answer in answers]
    assert left == ["9", "8", "7", "6", "5"]


async def test_all_keys_of_an_organization_count_together_and_others_apart(limited: World) -> None:
    for role in (Role.member, Role.admin, Role.owner, Role.owner):
        async with limited.client(role) as client:
            answers = [(await client.get("/contacts")).status_code for _ in range(3)]
    assert answers == [200, 429, 429]
    async with limited.client(Role.owner, THEIRS) as client:
        assert (await client.get("/contacts")).status_code == 200


async def test_many_at_once_are_counted_exactly(limited: World) -> None:
    async with limited.client() as client:
        answers = await asyncio.gather(*(client.get("/contacts") for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 30


async def test_logins_and_strangers_are_not_counted(limited: World) -> None:
    async with limited.client(None) as client:
        login = {"strategy": "local", "email": email_of(Role.owner), "password": PASSWORD}
        token = (await client.post("/authentication", json=login)).json()["accessToken"]
        answer = await client.get("/contacts", headers={"authorization": f"Bearer {token}"})
    assert "ratelimit" not in answer.headers
    assert set(await statuses(limited, 15, authorization=f"Bearer {token}")) == {200}
    assert set(await statuses(limited, 15, **{"x-api-key": "fd_wrong"})) == {401}
    assert set(await statuses(limited, 10)) == {200}


@pytest.mark.parametrize(("limit", "answers"), [("2/60", [200, 200, 429]), ("0", [200] * 3), ("5000/60", [200] * 3)])
async def test_an_organization_has_the_limit_that_the_operator_gave_it(
    limited: World, limit: str, answers: list[int]
) -> None:
    await set_limit(limited, limit)
    assert await statuses(limited, 3) == answers


async def test_without_a_limit_no_header_speaks_of_one(limited: World) -> None:
    await set_limit(limited, "0")
    async with limited.client() as client:
        assert not [name for name in (await client.get("/contacts")).headers if name.startswith("ratelimit")]


async def test_nobody_sets_a_limit_by_the_api(limited: World) -> None:
    async with limited.client() as client:
        answer = await client.patch(f"/organizations/{OURS}", json={"rate_limit": "999/1", "name": "Still ours"})
    assert (answer.status_code, answer.json()["rate_limit"]) == (200, None)


@pytest.mark.parametrize("limit", ["x", "", "1", "0/5", "10/60 "])
async def test_the_database_keeps_only_limits(limited: World, limit: str) -> None:
    with pytest.raises(Exception, match="rate_limit"):
        await set_limit(limited, limit)


async def test_two_processes_share_the_row_and_what_leaves_the_window_comes_back(world: World) -> None:
    clock, quota = FakeClock(), Quota(10, 60)
    both = [RequestLimits(LedgerRows(world.database, clock), clock) for _ in range(2)]
    for one in both:
        for _ in range(5):
            await one.admit(OURS, quota)
    for one in both:
        with pytest.raises(Exception, match="Rate limit exceeded"):
            await one.admit(OURS, quota)
    clock.set(clock.now() + timedelta(seconds=60))
    assert dict(await both[0].admit(OURS, quota))[b"ratelimit"] == b'"default";r=9;t=60'


async def test_the_application_may_not_touch_the_counts(limited: World) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with limited.database.transaction(OURS) as connection:
            await connection.execute("DELETE FROM rate_ledgers")


async def test_a_deleted_organizations_counts_go_with_it(limited: World) -> None:
    await statuses(limited, 3)
    async with limited.database.system() as connection:
        assert await connection.fetchval("SELECT count(*) FROM rate_ledgers") == 1
        await connection.execute("DELETE FROM organizations WHERE id = $1", OURS)
        assert await connection.fetchval("SELECT count(*) FROM rate_ledgers") == 0


async def test_a_stream_of_events_is_a_request_too(limited: World) -> None:
    assert await statuses(limited, 10, "/events?seconds=0") == [200] * 10
    assert await statuses(limited, 2, "/events?seconds=0") == [429] * 2
