"""What a stranger may send to a web chat: how much, how often, from where; and that nothing is half-written."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.chat_room import Room, listening, message, open_room
from tests.world import World

TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.fixture
async def room(world: World) -> AsyncIterator[Room]:
    async with open_room(world) as room:
        yield room


def assert_feathers(answer: httpx.Response, status: int, name: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"], body["name"]) == (status, status, name), body
    assert body["message"]
    assert "Traceback" not in answer.text


async def test_more_messages_a_minute_than_allowed_wait_their_turn(room: Room) -> None:
    await room.change(limits={"visitor_per_minute": 3})
    visitor, other = await room.visitor(), await room.visitor()
    answers = [await visitor.post("/messages", json=message(key=f"key-{i:08}")) for i in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert_feathers(answers[3], 429, "TooManyRequests")
    assert answers[3].json()["data"] == {"limit": 3, "retry_after": int(answers[3].headers["retry-after"])}
    assert (await other.post("/messages", json=message())).status_code == 201
    await room.clock.advance(int(answers[3].headers["retry-after"]))
    assert (await visitor.post("/messages", json=message(key="key-later"))).status_code == 201
    assert await room.count("conversation_messages") == 5


@pytest.mark.parametrize("limit", ["address_per_minute", "key_per_minute"])
async def test_an_address_and_a_channel_have_their_own_limits(room: Room, limit: str) -> None:
    await room.change(limits={limit: 2})
    first, second = await room.visitor(), await room.visitor()
    assert (await room.client().post("/sessions")).status_code == 429
    assert (await first.post("/messages", json=message())).status_code == 201
    assert (await second.post("/messages", json=message())).status_code == 201
    assert_feathers(await second.post("/messages", json=message()), 429, "TooManyRequests")


async def test_one_who_floods_does_not_use_up_the_channel(room: Room) -> None:
    await room.change(limits={"visitor_per_minute": 1, "key_per_minute": 5})
    flood, other = await room.visitor(), await room.visitor()
    for number in range(12):
        await flood.post("/messages", json=message(key=f"key-{number:08}"))
    assert (await other.post("/messages", json=message())).status_code == 201


async def test_history_and_streams_are_limited_too(room: Room) -> None:
    await room.change(limits={"visitor_per_minute": 1})
    visitor = await room.visitor()
    answers = [(await visitor.get("/messages")).status_code for _ in range(7)]
    assert answers == [200] * 6 + [429]
    assert_feathers(await visitor.get("/stream"), 429, "TooManyRequests")


async def test_a_visitor_has_only_so_many_streams(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.web.webchat.OPEN_STREAMS", 1)
    visitor = await room.visitor()
    await visitor.post("/messages", json=message())
    async with listening(visitor) as stream:
        await stream.next()
        assert_feathers(await visitor.get("/stream"), 429, "TooManyRequests")
    await room.streams(0)
    async with listening(visitor) as stream:
        assert (await stream.next())[0] == "message"


async def test_counters_of_past_minutes_are_swept_out(room: Room) -> None:
    await room.visitor()
    kept = await room.count("rate_counters")
    for _ in range(3):
        await room.clock.advance(180)
        await room.visitor()
    assert await room.count("rate_counters") == kept


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not valid JSON"),
        (b'"text"', "JSON object"),
        (b"[]", "JSON object"),
        (b'{"idempotency_key": "key-00000001", "text": "a\\u0000b"}', "U+0000"),
        (b'{"idempotency_key": "key-00000001", "text": "\\ud800"}', "not valid JSON"),
        (b'{"idempotency_key": "key-00000001", "text": "\xff"}', "not valid JSON"),
        (b'{"idempotency_key": "key-00000001", "text": {}}', "text must be a string"),
        (b'{"idempotency_key": 1, "text": "a"}', "idempotency_key must be"),
        (b'{"idempotency_key": "key-00000001", "text": "a", "conversation_id": 2}', "conversation_id is not a field"),
    ],
)
async def test_bad_messages_are_refused_with_the_reason(room: Room, body: bytes, said: str) -> None:
    visitor = await room.visitor()
    answer = await visitor.post("/messages", content=body, headers={"content-type": "application/json"})
    assert_feathers(answer, 400, "BadRequest")
    assert said in answer.json()["message"]
    assert (await room.count("conversations"), await room.count("contacts")) == (0, 0)


async def test_a_text_over_the_limit_names_the_limit(room: Room) -> None:
    visitor = await room.visitor()
    answer = await visitor.post("/messages", json=message("x" * 4001))
    assert_feathers(answer, 400, "BadRequest")
    assert answer.json()["errors"] == {"text": "may have at most 4000 characters, this has 4001"}
    await room.change(limits={"max_message_length": 5000})
    assert (await visitor.post("/messages", json=message("😀" * 5000))).status_code == 201


@pytest.mark.parametrize("is_announced", [True, False])
async def test_ten_megabytes_are_refused_without_being_read(room: Room, is_announced: bool) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < TEN_MEGABYTES:
            sent += 65_536
            yield b"x" * 65_536

    visitor = await room.visitor()
    headers = {"content-type": "application/json"} | ({"content-length": str(TEN_MEGABYTES)} if is_announced else {})
    try:
        answer = await visitor.post("/messages", content=chunks(), headers=headers)
    except httpx.WriteError:
        # The server has answered and closed while the client was still sending.
        assert sent < TEN_MEGABYTES
        return
    assert_feathers(answer, 413, "PayloadTooLarge")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
async def test_other_content_types_are_refused(room: Room, kind: str) -> None:
    visitor = await room.visitor()
    answer = await visitor.post("/messages", content=b"{}", headers={"content-type": kind})
    assert_feathers(answer, 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "after=-1", "after=x", "before=99999999999", "after=1&before=2", "skip=1", "after=²"],
)
async def test_queries_that_make_no_sense_are_refused(room: Room, query: str) -> None:
    assert_feathers(await (await room.visitor()).get(f"/messages?{query}"), 400, "BadRequest")


async def test_addresses_and_methods_that_are_not_there_are_said(room: Room) -> None:
    visitor = await room.visitor()
    assert_feathers(await visitor.get("/secrets"), 404, "NotFound")
    assert_feathers(await visitor.get(f"{room.url}/webchat/wc_other/messages"), 404, "NotFound")
    assert_feathers(await visitor.get(f"{room.url}/webchat/%00/messages"), 404, "NotFound")
    assert_feathers(await visitor.get(f"{room.url}/webchat/static/../chat.html"), 404, "NotFound")
    answer = await visitor.delete("/messages")
    assert_feathers(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_another_sites_page_may_call_only_when_the_channel_names_it(room: Room) -> None:
    client = room.client(origin="https://shop.example")
    assert_feathers(await client.post("/sessions"), 403, "Forbidden")
    await room.change(allowed_origins=["https://shop.example"])
    answer = await client.post("/sessions")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    preflight = await client.options("/messages")
    assert preflight.status_code == 204
    assert "x-visitor-token" in preflight.headers["access-control-allow-headers"]
    assert (await room.client(origin="https://evil.example").post("/sessions")).status_code == 403
    for origin in ("null", "http://[", "http://[::1"):
        assert_feathers(await room.client(origin=origin).post("/sessions"), 403, "Forbidden")
    await room.change(allowed_origins=["*"])
    assert (await room.client(origin="https://evil.example").post("/sessions")).status_code == 201


async def test_our_own_page_may_always_call(room: Room) -> None:
    assert (await room.client(origin=room.url).post("/sessions")).status_code == 201


@pytest.mark.parametrize(
    ("allowed", "framers"),
    [([], "'self'"), (["https://shop.example"], "'self' https://shop.example"), (["*"], "*")],
)
async def test_the_page_is_framed_only_by_those_whom_the_channel_names(
    room: Room, allowed: list[str], framers: str
) -> None:
    await room.change(allowed_origins=allowed)
    page = await room.client().get(f"{room.url}/chat/wc_room")
    assert page.headers["content-security-policy"].endswith(f"frame-ancestors {framers}")
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "<title>Sofía</title>" in page.text


async def test_names_in_the_page_are_text(room: Room) -> None:
    async with room.world.database.system() as connection:
        await connection.execute("UPDATE ai_assistants SET name = '\"><script>alert(1)</script>'")
    page = await room.client().get(f"{room.url}/chat/wc_room")
    assert "<script>alert" not in page.text


async def test_the_bundle_is_kept_by_browsers_until_it_changes(room: Room) -> None:
    client = room.client()
    page = (await client.get(f"{room.url}/chat/wc_room")).text
    version = page.partition("chat.js?v=")[2][:12]
    script = await client.get(f"{room.url}/webchat/static/chat.js?v={version}")
    assert script.headers["content-encoding"] == "gzip"
    assert "immutable" in script.headers["cache-control"]
    again = await client.get(f"{room.url}/webchat.js", headers={"accept-encoding": "identity"})
    assert len(again.content) < 6 * 1024
    assert again.headers["cross-origin-resource-policy"] == "cross-origin"
    unchanged = await client.get(f"{room.url}/webchat.js", headers={"if-none-match": again.headers["etag"]})
    assert unchanged.status_code == 304


async def test_a_stored_conversation_that_nobody_looks_at_is_not_in_memory(room: Room) -> None:
    visitors = [await room.visitor() for _ in range(5)]
    for visitor in visitors:
        await visitor.post("/messages", json=message())
    assert room.live.stream_count == 0
    assert room.edge.open_streams == 0
