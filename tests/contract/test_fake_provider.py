"""The fake provider over HTTP: what goes out to a recorder, and what comes in by its address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from frontdesk.channels.fake import HttpFake
from frontdesk.channels.protocol import Outgoing
from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.core.errors import ApiError, Unavailable, Unprocessable
from frontdesk.core.settings import Settings
from tests.models.http_server import answer, serving
from tests.world import World, make_world

KEY = "wc_fake"
MESSAGE = {"from": "34600111222", "id": "m1", "text": "Hola", "name": "Luis"}
PART = Outgoing(1, 2, 3, 4, "Hello", "key-1", "34600111222")


@pytest.fixture
async def fake_world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    settings = Settings(data=tmp_path, secret_key="k" * 40, fake_provider="http://127.0.0.1:1")  # type: ignore[call-arg]
    async with make_world(database, settings) as world:
        await world.row("inbox-channels", channel="whatsapp", provider="fake", public_key=KEY)
        yield world


async def post(world: World, body: object, key: str = KEY) -> httpx.Response:
    async with world.client(None) as client:
        return await client.post(f"/channels/fake/{key}", json=body)


async def test_a_message_comes_in_and_its_repetition_changes_nothing(fake_world: World) -> None:
    first, again = await post(fake_world, MESSAGE), await post(fake_world, MESSAGE)
    assert (first.status_code, first.json()) == (202, again.json())
    async with fake_world.client() as client:
        talks = (await client.get("/conversations")).json()["data"]
    assert [(talk["channel"], talk["contact_address"]) for talk in talks] == [("whatsapp", "34600111222")]


async def test_a_status_comes_in(fake_world: World) -> None:
    talk = (await post(fake_world, MESSAGE)).json()["message_id"]
    sent = await fake_world.row(
        "conversation-messages", channel="whatsapp", direction="outbound", status="sent", external_id="out-1",
        inbox_channel_id=await channel_of(fake_world), position=talk + 100,
    )  # fmt: skip
    assert (await post(fake_world, {"id": "out-1", "status": "read"})).json() == {"changed": True}
    async with fake_world.client() as client:
        assert (await client.get(f"/conversation-messages-whatsapp/{sent}")).json()["status"] == "read"


async def channel_of(world: World) -> int:
    async with world.client() as client:
        return int((await client.get("/inbox-channels")).json()["data"][0]["id"])


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [({**MESSAGE, "from": ""}, 400, "from"), ({"text": "Hola"}, 400, "id"), ({**MESSAGE, "x": "1"}, 400, "x"),
     ({**MESSAGE, "from": "12"}, 400, "phone"), ({"id": "m1", "status": "eaten"}, 400, "status")],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_read_is_named(fake_world: World, body: dict[str, str], status: int, name: str) -> None:
    answer = await post(fake_world, body)
    assert (answer.status_code, name in answer.json()["errors"]) == (status, True)


@pytest.mark.parametrize("body", [[], "text", {"from": 1}, {"from": {"a": "b"}}], ids=str)
async def test_what_is_no_message_is_refused(fake_world: World, body: object) -> None:
    assert (await post(fake_world, body)).status_code == 400


async def test_only_a_fake_channel_has_this_way_in(fake_world: World) -> None:
    await fake_world.row("inbox-channels", channel="webchat", public_key="wc_site")
    assert (await post(fake_world, MESSAGE, "wc_site")).status_code == 404
    assert (await post(fake_world, MESSAGE, "wc_nobody")).status_code == 404


async def test_without_the_setting_there_is_no_way_in(world: World) -> None:
    await world.row("inbox-channels", channel="whatsapp", provider="fake", public_key=KEY)
    assert (await post(world, MESSAGE)).status_code == 404


def client(port: int) -> HttpFake:
    return HttpFake(Guard.of([f"127.0.0.1:{port}"]).client(), f"http://127.0.0.1:{port}")


async def test_a_recorder_gets_the_message_with_its_key() -> None:
    async with serving(answer(b'{"id": "out-7"}')) as recorder:
        assert await client(recorder.port).send("whatsapp", PART) == "out-7"
    request = recorder.requests[0]
    body = json.loads(request.body)
    assert (request.method, request.path, request.headers["idempotency-key"]) == ("POST", "/messages", "key-1")
    assert (body["channel"], body["address"], body["text"]) == ("whatsapp", "34600111222", "Hello")


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [(500, b"", Unavailable, "500"), (429, b"", Unavailable, "429"),
     (400, b'{"error": "No such number."}', Unprocessable, "No such number."), (404, b"<html>", Unprocessable, "404")],
)  # fmt: skip
async def test_a_recorder_refuses_or_is_away(status: int, body: bytes, error: type[ApiError], words: str) -> None:
    async with serving(answer(body, status)) as recorder:
        with pytest.raises(error, match=words):
            await client(recorder.port).send("whatsapp", PART)


async def test_a_recorder_that_is_not_there_is_away() -> None:
    with pytest.raises(Unavailable):
        await client(1).send("whatsapp", PART)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null"], ids=str)
async def test_a_recorder_need_not_give_ids(body: bytes) -> None:
    async with serving(answer(body)) as recorder:
        assert await client(recorder.port).send("sms", PART) is None
