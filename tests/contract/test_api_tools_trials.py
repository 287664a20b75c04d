"""Dry runs and executions: the exact request with its secrets masked, sent only on request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from frontdesk.core.caller import Role
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from tests.contract.test_api_tools import CANARY, create
from tests.webhook_receiver import Receiver, receiving
from tests.world import THEIRS, World


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Receiver]:
    """A server on this machine, which the operator allows."""
    door = world.app.app.state.door
    guard, door.guard = door.guard, Guard.of(["127.0.0.1"])
    async with receiving() as receiver:
        receiver.answers = [JSONResponse({"status": "on its way"})]
        yield receiver
    door.guard = guard


def order(shop: Receiver, **members: Json) -> dict[str, Json]:
    return {
        "name": "Place order", "description": "Orders.", "method": "POST",
        "endpoint": f"{shop.url}/shops/{{shop}}/orders",
        "headers": {"Authorization": f"Bearer {CANARY}"},
        "url_parameters": [{"name": "shop", "location": "path", "value_source": "fixed", "fixed_value": "a b"}],
        "body_parameters": [
            {"name": "customer", "type": "object", "required": True, "properties": [
                {"name": "email", "type": "string", "required": True},
                {"name": "source", "type": "string", "value_source": "fixed", "fixed_value": "frontdesk"}]},
            {"name": "lines", "type": "array", "items": {"type": "object", "properties": [
                {"name": "article", "required": True}, {"name": "count", "type": "integer"}]}},
        ],
    } | members  # type: ignore[return-value]  # fmt: skip


ARGUMENTS: dict[str, Json] = {"customer": {"email": "ana@example.com"}, "lines": [{"article": "lamp", "count": 2}]}
BODY = {"customer": {"email": "ana@example.com", "source": "frontdesk"}, "lines": [{"article": "lamp", "count": 2}]}


async def post(client: httpx.AsyncClient, path: str, status: int = 201, **body: Json) -> dict[str, Json]:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert CANARY not in answer.text
    found: dict[str, Json] = answer.json()
    return found


async def test_a_dry_run_shows_the_exact_request_and_sends_nothing(world: World, shop: Receiver) -> None:
    async with world.client(Role.admin) as client:
        tool = await create(client, **order(shop))
        shown = await post(client, "/api-tools-dry-run", api_tool_id=tool["id"], arguments=ARGUMENTS)
    assert (shown["method"], shown["url"]) == ("POST", f"{shop.url}/shops/a%20b/orders")
    assert shown["body"] == BODY
    assert shown["headers"]["Authorization"] == "••••••••2d4e"  # type: ignore[index,call-overload]
    assert shop.got == []


async def test_an_execution_sends_that_request(world: World, shop: Receiver) -> None:
    async with world.client(Role.admin) as client:
        tool = await create(client, **order(shop))
        sent = await post(client, "/api-tools-executions", api_tool_id=tool["id"], arguments=ARGUMENTS)
    assert (sent["status"], sent["body"], sent["error"]) == (200, {"status": "on its way"}, None)
    assert shop.got[0].headers["authorization"] == f"Bearer {CANARY}"
    assert shop.got[0].path == "/shops/a%20b/orders"


async def test_a_draft_is_tried_without_being_stored(world: World, shop: Receiver) -> None:
    async with world.client(Role.admin) as client:
        sent = await post(client, "/api-tools-executions", tool=order(shop), arguments=ARGUMENTS)
        assert (await client.get("/api-tools")).json()["total"] == 0
    assert sent["status"] == 200


async def test_a_draft_over_a_stored_tool_keeps_its_secret(world: World, shop: Receiver) -> None:
    async with world.client(Role.admin) as client:
        tool = await create(client, **order(shop))
        draft = {"headers": tool["headers"], "endpoint": f"{shop.url}/v2/{{shop}}"}
        await post(client, "/api-tools-executions", api_tool_id=tool["id"], tool=draft, arguments=ARGUMENTS)
        moved = {"endpoint": "https://evil.example/{shop}"}
        refused = await post(client, "/api-tools-executions", 400, api_tool_id=tool["id"], tool=moved, arguments={})
    assert (shop.got[0].path, shop.got[0].headers["authorization"]) == ("/v2/a%20b", f"Bearer {CANARY}")
    assert "enter it again" in str(refused["errors"])


WRONG: list[tuple[str, dict[str, Json]]] = [
    ("api_tool_id", {}),
    ("api_tool_id", {"api_tool_id": 999_999}),
    ("arguments.customer", {"arguments": {}}),
    ("arguments.customer.email", {"arguments": {"customer": {}}}),
    ("arguments.customer.source", {"arguments": {"customer": {"email": "a", "source": "x"}}}),
    ("arguments.lines.0.count", {"arguments": {**ARGUMENTS, "lines": [{"article": "x", "count": "2"}]}}),
    ("arguments.lines.1.article", {"arguments": {**ARGUMENTS, "lines": [{"article": "x"}, {}]}}),
    ("arguments.shop", {"arguments": {**ARGUMENTS, "shop": "other"}}),
    ("arguments", {"arguments": [1]}),
    ("tool.colour", {"tool": {"colour": "red"}}),
    ("tool.endpoint", {"tool": {"endpoint": "http://10.0.0.1/{shop}"}}),
    ("tool.headers.Host", {"tool": {"headers": {"Host": "x"}}}),
    ("tool.method", {"tool": {"method": "FETCH"}}),
]


@pytest.mark.parametrize("path", ["/api-tools-dry-run", "/api-tools-executions"])
@pytest.mark.parametrize(("field", "body"), WRONG, ids=[f"{field}-{i}" for i, (field, _) in enumerate(WRONG)])
async def test_wrong_input_names_its_field(
    world: World, shop: Receiver, path: str, field: str, body: dict[str, Json]
) -> None:
    async with world.client(Role.admin) as client:
        tool = await create(client, **order(shop))
        given = {} if field == "api_tool_id" else {"api_tool_id": tool["id"]}
        answer = await post(client, path, 400, **{**given, **body})
    assert field in answer["errors"]  # type: ignore[operator]
    assert shop.got == []


async def test_another_organizations_tool_is_not_there(world: World) -> None:
    theirs = await world.row("api-tools", THEIRS)
    async with world.client(Role.admin) as client:
        answer = await post(client, "/api-tools-executions", 400, api_tool_id=theirs)
    assert "api_tool_id" in answer["errors"]  # type: ignore[operator]


ANSWERS: list[tuple[Response, Json]] = [
    (PlainTextResponse("plain"), "plain"),
    (Response(b"\x89PNG\x00", media_type="image/png"), "[image/png, 5 bytes, left out]"),
    (Response(b'{"broken": ', media_type="application/json"), '{"broken": '),
    (Response(b"\xff\xfe", media_type="text/plain"), "\ufffd\ufffd"),
    (JSONResponse({"you sent": f"Bearer {CANARY}"}), {"you sent": "••••••••2d4e"}),
    (Response(status_code=204), None),
]


@pytest.mark.parametrize(("answer", "body"), ANSWERS, ids=[str(i) for i in range(len(ANSWERS))])
async def test_any_answer_can_be_shown(world: World, shop: Receiver, answer: Response, body: Json) -> None:
    shop.answers = [answer]
    async with world.client(Role.admin) as client:
        sent = await post(client, "/api-tools-executions", tool=order(shop), arguments=ARGUMENTS)
    assert sent["body"] == body


async def test_an_answer_beyond_the_limit_is_cut(world: World, shop: Receiver) -> None:
    shop.answers = [PlainTextResponse("x" * 5_000)]
    async with world.client(Role.admin) as client:
        tool = order(shop, max_response_bytes=1_000)
        sent = await post(client, "/api-tools-executions", tool=tool, arguments=ARGUMENTS)
    assert (sent["status"], sent["is_cut"], sent["body"]) == (200, True, "x" * 1_000)


@pytest.mark.parametrize(("location", "followed"), [("/there", 2), ("https://evil.example/", 1)])
async def test_a_redirect_is_followed_within_the_origin_only(
    world: World, shop: Receiver, location: str, followed: int
) -> None:
    shop.answers = [Response(status_code=302, headers={"location": location}), JSONResponse({})]
    tool = order(shop, method="GET", body_parameters=[])
    async with world.client(Role.admin) as client:
        sent = await post(client, "/api-tools-executions", tool=tool)
    assert len(shop.got) == followed
    assert sent["status"] == (200 if followed == 2 else 302)


async def test_a_change_is_never_redirected(world: World, shop: Receiver) -> None:
    shop.answers = [Response(status_code=307, headers={"location": "/there"})]
    async with world.client(Role.admin) as client:
        sent = await post(client, "/api-tools-executions", tool=order(shop), arguments=ARGUMENTS)
    assert (sent["status"], len(shop.got)) == (307, 1)


async def test_a_private_address_is_told_as_an_error(world: World) -> None:
    async with world.client(Role.admin) as client:
        tool = {"endpoint": "http://localhost/", "method": "GET"}
        sent = await post(client, "/api-tools-executions", tool=tool)
    assert sent["status"] is None
    assert "FRONTDESK_EGRESS_ALLOW" in str(sent["error"])
