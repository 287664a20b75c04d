"""Input that nobody should send: each is a Feathers error with a sentence, and nothing is written."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.world import World

JSON = {"content-type": "application/json"}
BROKEN = {
    "half an object": b'{"first_name": ',
    "not a number": b'{"phone": NaN}',
    "not UTF-8": b'{"first_name": "\xff"}',
    "a bare word": b"hello",
    "a string": b'"hello"',
    "null": b"null",
    "a lone surrogate": b'{"first_name": "\\ud800"}',
    "a zero byte": b'{"first_name": "a\\u0000b"}',
    "an escape": b'{"first_name": "a\\u001bb"}',
    "deeply nested": b'{"first_name": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a huge number": b'{"company_id": 99999999999999999999999}',
    "a fraction": b'{"company_id": 1.5}',
    "a list": b'{"first_name": ["a"]}',
    "an object": b'{"email": {"$ne": ""}}',
    "too long": json.dumps({"first_name": "x" * 121}).encode(),
    "no address": b'{"email": "nobody"}',
    "no phone": b'{"phone": "call me"}',
    "no country": b'{"phone_country_iso": "XX"}',
}


async def count(client: httpx.AsyncClient) -> int:
    return int((await client.get("/contacts?$limit=0")).json()["total"])


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_body_is_refused_and_nothing_is_written(world: World, name: str) -> None:
    async with world.client() as client:
        answer = await client.post("/contacts", content=BROKEN[name], headers=JSON)
        error = answer.json()
        assert answer.status_code == 400, answer.text
        assert (error["name"], error["className"]) == ("BadRequest", "bad-request")
        assert len(error["message"]) > 10
        assert await count(client) == 0


async def test_all_faults_are_told_at_once(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/products", json={"price": "x", "type": "car", "colour": "red"})
    assert set(answer.json()["errors"]) == {"price", "type", "colour", "name"}


async def test_a_body_over_the_limit_is_refused_before_it_is_read(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/contacts", content=b" " * 10_000_000, headers=JSON)
    assert answer.status_code == 413
    assert "2097152" in answer.json()["message"]


async def test_another_content_type_is_refused(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/contacts", content=b"first_name=Ana", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["name"]) == (415, "UnsupportedMediaType")


async def test_a_list_of_records_is_refused(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/contacts", json=[{"first_name": "Ana"}])
    assert (answer.status_code, answer.json()["name"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("row_id", ["abc", "0", "-1", "1.5", "%20", "99999999999999999999", "1%00", "%C2%B2", "1e3"])
async def test_what_cannot_be_an_id_is_not_found(world: World, row_id: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"/contacts/{row_id}")
    assert (answer.status_code, answer.json()["name"]) == (404, "NotFound")


@pytest.mark.parametrize(
    "query",
    [
        "first_name=a&first_name=b", "$limit=abc", "$limit=-1", "$skip=-1", "$skip=99999999999", "id[$in]=1",
        "id[$in][]=x", "$or[id]=1", "$or=1", "first_name[$gt][x]=1", "a[b]c=1", "[x]=1", "id=999999999999999999999",
        "$limit=1&$limit=2", "created_at=yesterday", "id[]=1", "&".join(f"id[$in][]={i}" for i in range(201)),
        "$and[0]" * 9 + "[id]=1", "organization_id=x", "search_text=a", "first_name=%00", "first_name=%ED%A0%80",
    ],
)  # fmt: skip
async def test_a_broken_query_is_refused(world: World, query: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"/contacts?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["className"] == "bad-request"


@pytest.mark.parametrize(
    "origin",
    ["http://[x", "https://a b", "https://a;script-src *", "https://a\nb", "https://€", "ftp://a", "https://a/b"],
)
async def test_what_is_no_origin_never_comes_to_stand_in_a_header(world: World, origin: str) -> None:
    async with world.client() as client:
        body = {"name": "Site", "channel": "webchat", "allowed_origins": [origin]}
        answer = await client.post("/inbox-channels", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["allowed_origins"])


async def test_an_error_of_ours_shows_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("frontdesk.core.door.Door.call", fail)
    async with world.client() as client:
        answer = await client.get("/contacts")
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/nope", "/contacts/1/notes", "/contacts/1/notes/2"])
async def test_an_unknown_path_is_told(world: World, path: str) -> None:
    async with world.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert path in answer.json()["message"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_the_ends_of_the_calendar_are_refused_and_not_stored_as_infinity(world: World, moment: str) -> None:
    async with world.client() as client:
        answer = await client.post("/deals", json={"name": "Chairs", "expected_close_date": moment})
    assert answer.json()["errors"] == {"expected_close_date": "must lie in the years 1 to 9999"}


@pytest.mark.parametrize("amount", ["1_000", "\uff11\uff12", "1e9999999999"])
async def test_an_amount_is_written_with_plain_digits(world: World, amount: str) -> None:
    async with world.client() as client:
        answer = await client.post("/deals", json={"name": "Chairs", "amount": amount})
    assert list(answer.json()["errors"]) == ["amount"]


async def test_a_zone_of_this_machine_only_is_no_time_zone(world: World) -> None:
    async with world.client() as client:
        answer = await client.patch("/organizations/1", json={"timezone": "localtime"})
    assert list(answer.json()["errors"]) == ["timezone"]
