"""Trying MCP servers over HTTP: a real server is listed, and what fails is said in a sentence that names its field."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from frontdesk.core.caller import Role
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from tests.mcp_process import Shop, running_shop
from tests.webhook_receiver import receiving
from tests.world import THEIRS, World

PATH = "/mcp-tool-connection-proxy"
CANARY = "canary-7f3a9b1c2d4e"


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    """The operator allows this machine, as FRONTDESK_EGRESS_ALLOW does."""
    door = world.app.app.state.door  # type: ignore[attr-defined]
    guard, door.guard = door.guard, Guard.of(["127.0.0.1"])
    yield world
    door.guard = guard


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with running_shop(key=CANARY) as running:
        yield running


async def tried(world: World, **body: Json) -> tuple[int, dict[str, Any]]:
    async with world.client(Role.admin) as client:
        answer = await client.post(PATH, json=body)
    assert CANARY not in answer.text
    return answer.status_code, answer.json()


async def test_a_real_server_is_listed(open_world: World, shop: Shop) -> None:
    status, answer = await tried(open_world, url=shop.url, authentication_type="api_key", api_key=CANARY)
    assert status == 201, answer
    assert answer["server"]["name"] == "Shop"
    tools = {tool["name"]: tool for tool in answer["tools"]}
    assert tools.keys() == {"search", "order", "order_slowly", "tell_key", "broken"}
    assert tools["search"]["is_read_only"] is True
    assert tools["search"]["function_name"] == "server__search"
    assert tools["search"]["input_schema"]["required"] == ["query"]
    assert answer["warnings"] == []


async def test_an_older_server_is_reached_by_sse(open_world: World) -> None:
    async with running_shop("sse") as shop:
        _, answer = await tried(open_world, url=shop.url, authentication_type="none")
    assert answer["server"]["transport"] == "sse"
    assert len(answer["tools"]) == 5


@pytest.mark.parametrize(("kind", "secret", "field"), [
    ("api_key", {"api_key": "wrong"}, "api_key"),
    ("custom_headers", {"custom_headers": [{"name": "Authorization", "value": "wrong"}]}, "custom_headers"),
    ("oauth2", {"oauth2_config": {"access_token": "wrong"}}, "oauth2_config"),
    ("none", {}, "authentication_type"),
], ids=["api_key", "custom_headers", "oauth2", "none"])  # fmt: skip
async def test_wrong_credentials_are_said_to_be_wrong(
    open_world: World, shop: Shop, kind: str, secret: dict[str, Json], field: str
) -> None:
    status, answer = await tried(open_world, url=shop.url, authentication_type=kind, **secret)
    assert (status, answer["success"]) == (201, False)
    assert answer["error"] == {
        "code": "unauthorized",
        "field": field,
        "message": "The MCP server cannot be used: the server refused the credentials (HTTP 401).",
    }


async def test_custom_headers_and_tokens_are_sent(open_world: World, shop: Shop) -> None:
    header: Json = [{"name": "Authorization", "value": f"Bearer {CANARY}"}]
    by_header = await tried(open_world, url=shop.url, authentication_type="custom_headers", custom_headers=header)
    token: Json = {"access_token": CANARY}
    by_token = await tried(open_world, url=shop.url, authentication_type="oauth2", oauth2_config=token)
    assert (by_header[0], by_token[0]) == (201, 201)


async def test_where_nobody_listens_is_said(open_world: World, shop: Shop) -> None:
    await shop.kill()
    _, answer = await tried(open_world, url=shop.url, authentication_type="none")
    assert (answer["error"]["code"], answer["error"]["field"]) == ("unreachable", "url")
    assert "nobody listens" in answer["error"]["message"]


async def test_a_private_address_is_not_reached_unless_the_operator_allows_it(world: World, shop: Shop) -> None:
    named = shop.url.replace("127.0.0.1", "localhost")
    by_number = await tried(world, url=shop.url, authentication_type="none")
    by_name = await tried(world, url=named, authentication_type="none")
    assert by_number[1]["errors"] == {"url": "must not lead to a private address"}
    assert by_name[1]["error"]["code"] == "private_address"


@pytest.mark.parametrize(("status", "text", "code"), [
    (200, "<html>hello</html>", "not_mcp"), (404, "", "not_found"), (500, "boom " + CANARY, "http_error"),
    (302, "", "http_error"),
])  # fmt: skip
async def test_what_is_no_mcp_server_is_said(open_world: World, status: int, text: str, code: str) -> None:
    async with receiving() as receiver:
        headers = {"location": "http://127.0.0.1:1/elsewhere"} if status == 302 else {}
        receiver.answers = [PlainTextResponse(text, status, headers)]
        _, answer = await tried(open_world, url=f"{receiver.url}/mcp", authentication_type="api_key", api_key=CANARY)
    assert answer["error"]["code"] == code


async def test_a_server_that_never_answers_is_given_up(open_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontdesk.resources.assistants.mcp_tool_connection_proxy.SECONDS", 0.2)

    async def never(_: object) -> PlainTextResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with receiving() as receiver:
        receiver.answers = [never]
        _, answer = await tried(open_world, url=f"{receiver.url}/mcp", authentication_type="none")
    assert answer["error"]["code"] == "timeout"


WRONG: list[tuple[str, dict[str, Json]]] = [
    ("url", {"url": "shop.example.com"}), ("url", {"url": "ftp://shop.example.com"}),
    ("url", {"url": "https://me:pw@shop.example.com/mcp"}), ("url", {"url": "http://169.254.169.254/mcp"}),
    ("url", {"url": "http://[::1]/mcp"}), ("url", {"url": 7}),
    ("authentication_type", {"authentication_type": "basic"}), ("authentication_type", {"authentication_type": None}),
    ("api_key", {"authentication_type": "api_key"}), ("api_key", {"api_key": "two\nlines"}),
    ("api_key", {"authentication_type": "api_key", "api_key": "••••••••2d4e"}),
    ("custom_headers", {"authentication_type": "custom_headers"}),
    ("custom_headers.0.name", {"custom_headers": [{"name": "Host", "value": "x"}]}),
    ("custom_headers.0.name", {"custom_headers": [{"name": "Mcp-Session-Id", "value": "x"}]}),
    ("custom_headers.0.value", {"custom_headers": [{"name": "X-Key", "value": "a\r\nEvil: 1"}]}),
    ("custom_headers.0.colour", {"custom_headers": [{"name": "X-Key", "colour": "red"}]}),
    ("custom_headers", {"custom_headers": [{"name": "X-Key", "value": "a"}, {"name": "x-key", "value": "b"}]}),
    ("oauth2_config.token_url", {"oauth2_config": {"token_url": "nowhere"}}),
    ("oauth2_config.expires_at", {"oauth2_config": {"expires_at": "soon"}}),
    ("colour", {"colour": "red"}), ("mcp_tool_id", {"ai_assistant_id": 1}),
    ("ai_assistant_id", {"ai_assistant_id": 987, "mcp_tool_id": "shop"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), WRONG, ids=[f"{path}-{i}" for i, (path, _) in enumerate(WRONG)])
async def test_bad_input_names_its_field(world: World, path: str, body: dict[str, Json]) -> None:
    status, answer = await tried(world, **{"url": "https://shop.example.com/mcp", "authentication_type": "none"} | body)
    assert status == 400
    assert path in answer["errors"]


@pytest.mark.parametrize("body", [{}, {"url": "https://shop.example.com/mcp"}, {"authentication_type": "none"}])
async def test_what_is_required_is_named(world: World, body: dict[str, Json]) -> None:
    status, answer = await tried(world, **body)
    assert (status, set(answer["errors"])) == (400, {"url", "authentication_type"} - body.keys())


async def test_a_stored_server_is_tried_and_its_changes_are_shown(open_world: World, shop: Shop) -> None:
    assistant = await open_world.row("ai-assistants")
    _, found = await tried(open_world, url=shop.url, authentication_type="api_key", api_key=CANARY)
    chosen = [tool for tool in found["tools"] if tool["name"] in ("search", "order")]
    entry = {"id": "shop", "name": "Shop", "url": shop.url, "authentication_type": "api_key", "api_key": CANARY}
    gone: Json = {"name": "vanished"}
    async with open_world.client(Role.admin) as client:
        saved = await client.patch(
            f"/ai-assistants/{assistant}", json={"mcp_tools": [{**entry, "tools": [*chosen, gone]}]}
        )
    assert saved.status_code == 200, saved.text
    await shop.kill()
    await shop.start(words="Now it does something else.")
    stored = {"ai_assistant_id": assistant, "mcp_tool_id": "shop"}
    status, answer = await tried(open_world, **stored)
    assert status == 201
    codes = [(warning["code"], warning["message"].split()[0]) for warning in answer["warnings"]]
    assert codes == [
        ("mcp_tool_new", "order_slowly"), ("mcp_tool_new", "tell_key"), ("mcp_tool_new", "broken"),
        ("mcp_tool_gone", "vanished"), ("mcp_tool_changed", "search"),
    ]  # fmt: skip
    masked = saved.json()["mcp_tools"][0]["api_key"]
    again = await tried(open_world, **stored, url=shop.url, authentication_type="api_key", api_key=masked)
    moved = await tried(open_world, **stored, url="https://evil.example/mcp")
    assert again[0] == 201
    assert moved[1]["errors"] == {"api_key": "was stored for another address; enter it again"}


async def test_another_organizations_server_is_not_found(world: World) -> None:
    theirs = await world.row("ai-assistants", THEIRS)
    _, answer = await tried(world, ai_assistant_id=theirs, mcp_tool_id="shop")
    assert answer["errors"] == {"ai_assistant_id": "names no assistant that exists"}


async def test_members_may_not_try_servers(world: World) -> None:
    async with world.client(Role.member) as client:
        assert (await client.post(PATH, json={})).status_code == 403
