"""An OpenAPI document becomes API tools: what was chosen, all of it or nothing."""

from __future__ import annotations

import json

import httpx
import pytest
from starlette.responses import PlainTextResponse

from frontdesk.core.caller import Role
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from tests.contract.test_api_tools import CANARY
from tests.webhook_receiver import receiving
from tests.world import World

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://{where}.example.com/v1", variables: {where: {default: shop}}}]
security: [{key: []}]
paths:
  /orders/{number}:
    parameters: [{name: number, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getOrder
      summary: Where an order is.
      parameters:
        - {name: expand, in: query, schema: {type: array, items: {type: string, enum: [lines, customer]}}}
        - {name: X-Trace, in: header, schema: {type: string}}
    delete: {summary: Cancel it.}
  /orders:
    post:
      operationId: placeOrder
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  /photos:
    post:
      operationId: sendPhoto
      requestBody: {required: true, content: {image/png: {}}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Api-Key}}
  schemas:
    Order:
      allOf:
        - {$ref: "#/components/schemas/Base"}
        - type: object
          required: [lines]
          properties:
            id: {type: integer, readOnly: true}
            lines: {type: array, items: {$ref: "#/components/schemas/Line"}}
            due: {type: string, format: date, description: When., default: 2026-01-05}
    Base: {type: object, properties: {parent: {$ref: "#/components/schemas/Order"}, gift: {type: [boolean, "null"]}}}
    Line:
      type: object
      required: [article]
      properties: {article: {type: string}, count: {type: integer, enum: [1, 2]}}
"""


async def bring(client: httpx.AsyncClient, status: int = 201, **body: Json) -> dict[str, Json]:
    answer = await client.post("/api-tools-imports", json={"document": SHOP} | body)
    assert answer.status_code == status, answer.text
    assert CANARY not in answer.text
    found: dict[str, Json] = answer.json()
    return found


async def test_without_a_choice_it_lists_what_there_is(world: World) -> None:
    async with world.client(Role.admin) as client:
        found = await bring(client)
    assert found["api_tools"] == []
    assert [(one["id"], one["problem"]) for one in found["available"]] == [
        ("getOrder", None), ("DELETE /orders/{number}", None), ("placeOrder", None),
        ("sendPhoto", "its body is no JSON but image/png"),
    ]  # fmt: skip


async def test_a_chosen_operation_becomes_a_tool(world: World) -> None:
    async with world.client(Role.admin) as client:
        [tool] = (await bring(client, operations=["getOrder"]))["api_tools"]
        stored = (await client.get(f"/api-tools/{tool['id']}")).json()
    assert stored["endpoint"] == "https://shop.example.com/v1/orders/{number}"
    assert stored["headers"] == {"X-Api-Key": None}
    assert stored["parameters_schema"]["parameters"] == {
        "type": "object", "required": ["number"], "additionalProperties": False,
        "properties": {
            "number": {"type": "string"},
            "expand": {"type": "array", "items": {"type": "string", "enum": ["lines", "customer"]}},
        },
    }  # fmt: skip


async def test_references_and_parts_of_a_body_are_put_together(world: World) -> None:
    async with world.client(Role.admin) as client:
        [tool] = (await bring(client, operations=["placeOrder"]))["api_tools"]
    shown = tool["parameters_schema"]["parameters"]
    assert shown["required"] == ["lines"]
    assert set(shown["properties"]) == {"parent", "gift", "lines", "due"}
    assert shown["properties"]["due"]["description"] == 'When. Format: date. Default: "2026-01-05".'
    assert shown["properties"]["lines"]["items"]["properties"]["count"] == {"type": "integer", "enum": [1, 2]}


async def test_headers_of_an_import_are_sealed_in_each_tool(world: World) -> None:
    async with world.client(Role.admin) as client:
        found = await bring(client, operations=["getOrder", "placeOrder"], headers={"x-api-key": CANARY})
    assert [tool["headers"] for tool in found["api_tools"]] == [{"x-api-key": "••••••••2d4e"}] * 2


async def test_one_that_fails_makes_none(world: World) -> None:
    async with world.client(Role.admin) as client:
        await bring(client, operations=["placeOrder"])
        answer = await bring(client, 400, operations=["getOrder", "placeOrder"])
        assert (await client.get("/api-tools")).json()["total"] == 1
    assert list(answer["errors"]) == ["operations.1"]


WRONG: list[tuple[str, dict[str, Json]]] = [
    ("document", {"document": None}),
    ("document", {"url": "https://shop.example.com/openapi.json"}),
    ("document", {"document": [1]}),
    ("document", {"document": "a: [b"}),
    ("document", {"document": {"swagger": "2.0", "paths": {}}}),
    ("document", {"document": {"openapi": "3.1.0"}}),
    ("document", {"document": {"openapi": 7, "paths": {}}}),
    ("operations.0", {"operations": ["getOrders"]}),
    ("operations.1", {"operations": ["getOrder", "sendPhoto"]}),
    ("operations.0", {"operations": ["getOrder"], "server": "ftp://x"}),
    ("operations.0", {"operations": ["getOrder"], "server": "http://127.0.0.1"}),
    ("operations.0", {"operations": ["getOrder"], "headers": {"Host": "x"}}),
    ("server", {"operations": ["GET /x"], "document": {"openapi": "3.1.0", "paths": {"/x": {"get": {}}}}}),
    ("url", {"document": None, "url": "http://127.0.0.1/openapi.json"}),
    ("url", {"document": None, "url": "nonsense"}),
]


@pytest.mark.parametrize(("field", "body"), WRONG, ids=[f"{field}-{i}" for i, (field, _) in enumerate(WRONG)])
async def test_wrong_input_names_its_field(world: World, field: str, body: dict[str, Json]) -> None:
    async with world.client(Role.admin) as client:
        assert field in (await bring(client, 400, **body))["errors"]  # type: ignore[operator]
        assert (await client.get("/api-tools")).json()["total"] == 0


async def test_a_document_whose_schemas_name_each_other_comes_to_an_end(world: World) -> None:
    names = [f"n{i}" for i in range(30)]
    schema: Json = {"type": "object", "properties": {name: {"$ref": "#/components/schemas/S"} for name in names}}
    body: Json = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S"}}}}
    document: Json = {
        "openapi": "3.1.0", "servers": [{"url": "https://shop.example.com"}], "components": {"schemas": {"S": schema}},
        "paths": {"/x": {"post": {"operationId": "x", "requestBody": body}, "$ref": "#/paths/~1x"}},
    }  # fmt: skip
    async with world.client(Role.admin) as client:
        found = await bring(client, document=document)
        document["paths"]["/x"].pop("$ref")  # type: ignore[index,call-overload]
        made = await bring(client, document=document, operations=["x"])
    assert found["available"] == []
    assert len(made["api_tools"][0]["body_parameters"]) == 30


async def test_a_document_is_fetched_where_it_lies(world: World) -> None:
    door = world.app.app.state.door
    guard, door.guard = door.guard, Guard.of(["127.0.0.1"])
    async with receiving() as receiver, world.client(Role.admin) as client:
        document = {"openapi": "3.1.0", "servers": [{"url": "/api"}], "paths": {"/x": {"get": {"operationId": "x"}}}}
        receiver.answers = [PlainTextResponse(json.dumps(document))]
        found = await bring(client, document=None, url=f"{receiver.url}/docs/openapi.json", operations=["x"])
    door.guard = guard
    assert found["api_tools"][0]["endpoint"] == f"{receiver.url}/api/x"
