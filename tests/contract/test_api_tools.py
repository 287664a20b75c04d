"""API tools over HTTP: wrong input names its field, headers are secrets, and a secret never follows an address."""

import json

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.world import THEIRS, World

CANARY = "canary-7f3a9b1c2d4e"
TOOL: dict[str, Json] = {
    "name": "Order status", "description": "Where an order is.", "method": "GET",
    "endpoint": "https://shop.example.com/orders/{number}",
    "url_parameters": [{"id": "1", "name": "number", "type": "string", "required": True, "location": "path"}],
    "headers": {"X-Api-Key": CANARY},
}  # fmt: skip


async def create(client: httpx.AsyncClient, **members: Json) -> dict[str, Json]:
    answer = await client.post("/api-tools", json=TOOL | members)
    assert answer.status_code == 201, answer.text
    record: dict[str, Json] = answer.json()
    return record


async def refused(client: httpx.AsyncClient, **members: Json) -> dict[str, str]:
    answer = await client.post("/api-tools", json=TOOL | members)
    assert answer.status_code == 400, answer.text
    assert CANARY not in answer.text
    errors: dict[str, str] = answer.json()["errors"]
    return errors


async def test_a_tool_reads_as_it_was_written(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = await create(client)
        read = (await client.get(f"/api-tools/{made['id']}")).json()
    assert read["headers"] == {"X-Api-Key": "••••••••2d4e"}
    assert read["function_name"] == "api_order_status"
    assert read["parameters_schema"]["parameters"] == {
        "type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"],
        "additionalProperties": False,
    }  # fmt: skip
    assert read["url_parameters"][0]["location"] == "path"


PATH: Json = {"name": "number", "location": "path"}
WRONG: list[tuple[str, dict[str, Json]]] = [
    ("endpoint", {"endpoint": "shop.example.com/orders"}),
    ("endpoint", {"endpoint": "ftp://shop.example.com/{number}"}),
    ("endpoint", {"endpoint": "https://me:pw@shop.example.com/{number}"}),
    ("endpoint", {"endpoint": "https://{number}.example.com/x"}),
    ("endpoint", {"endpoint": "https://shop.example.com/x?n={number}"}),
    ("endpoint", {"endpoint": "https://shop.example.com/{number"}),
    ("endpoint", {"endpoint": "https://shop.example.com/{number}/{other}"}),
    ("endpoint", {"endpoint": "http://169.254.169.254/{number}"}),
    ("endpoint", {"endpoint": "http://[::1]/{number}"}),
    ("endpoint", {"endpoint": "https://shop.example.com:99999/{number}"}),
    ("url_parameters.0.name", {"endpoint": "https://shop.example.com/orders"}),
    ("url_parameters.0.type", {"url_parameters": [{"name": "number", "type": "list", "location": "path"}]}),
    ("url_parameters.0.type", {"url_parameters": [{"name": "number", "type": "array", "location": "path"}]}),
    ("url_parameters.0.colour", {"url_parameters": [{"name": "number", "location": "path", "colour": "red"}]}),
    ("url_parameters.1.name", {"url_parameters": [PATH, {"name": ""}]}),
    ("url_parameters.2.name", {"url_parameters": [PATH, {"name": "q"}, {"name": "q"}]}),
    ("url_parameters.0.location", {"url_parameters": [{"name": "number", "location": "header"}]}),
    ("url_parameters.1.fixed_value", {"url_parameters": [PATH, {"name": "x", "value_source": "fixed"}]}),
    ("body_parameters", {"body_parameters": [{"name": "x"}]}),
    ("body_parameters.0.enum.1",
     {"method": "POST", "body_parameters": [{"name": "x", "type": "integer", "enum": ["1", "x"]}]}),
    ("body_parameters.0.enum", {"method": "POST", "body_parameters": [{"name": "x", "enum": []}]}),
    ("body_parameters.0.items", {"method": "POST", "body_parameters": [{"name": "x", "items": {"type": "string"}}]}),
    ("body_parameters.0.location", {"method": "POST", "body_parameters": [{"name": "x", "location": "query"}]}),
    ("body_parameters.0.properties.0.type",
     {"method": "POST", "body_parameters": [{"name": "x", "type": "object", "properties": [
         {"name": "y", "type": 7}]}]}),
    ("body_parameters.0.properties.0.fixed_value",
     {"method": "POST", "body_parameters": [{"name": "x", "type": "object", "properties": [
         {"name": "y", "type": "integer", "value_source": "fixed", "fixed_value": "seven"}]}]}),
    ("headers.Host", {"headers": {"Host": "evil.example"}}),
    ("headers.X Y", {"headers": {"X Y": "z"}}),
    ("headers.X-Key", {"headers": {"X-Key": "a\r\nEvil: 1"}}),
    ("headers.X-Key", {"headers": {"X-Key": 7}}),
    ("headers.x-key", {"headers": {"X-Key": "a", "x-key": "b"}}),
    ("headers", {"headers": ["X-Key"]}),
    ("method", {"method": "FETCH"}),
    ("timeout_seconds", {"timeout_seconds": 0}),
    ("timeout_seconds", {"timeout_seconds": 31}),
    ("max_response_bytes", {"max_response_bytes": 10}),
    ("name", {"name": "   "}),
    ("description", {"description": None}),
    ("parameters_schema", {"url_parameters": [], "parameters_schema": {"type": "object"}}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "members"), WRONG, ids=[f"{path}-{i}" for i, (path, _) in enumerate(WRONG)])
async def test_wrong_input_names_its_field(world: World, path: str, members: dict[str, Json]) -> None:
    async with world.client(Role.admin) as client:
        assert path in await refused(client, **members)
        assert (await client.get("/api-tools")).json()["total"] == 0


async def test_a_parameter_nested_too_deep_is_refused(world: World) -> None:
    inner: dict[str, Json] = {"name": "x"}
    for _ in range(8):
        inner = {"name": "x", "type": "object", "properties": [inner]}
    async with world.client(Role.admin) as client:
        errors = await refused(client, method="POST", body_parameters=[inner])
    assert "nested deeper" in " ".join(errors.values())


async def test_a_mask_keeps_the_secret_and_null_asks_for_it(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = await create(client)
        one = f"/api-tools/{made['id']}"
        kept = (await client.patch(one, json={"headers": made["headers"], "description": "New."})).json()
        copy = (await client.post("/api-tools", json={**made, "name": "Copy"})).json()
        wrong = await client.patch(one, json={"headers": {"X-Other": "••••••••2d4e"}})
    assert kept["headers"] == made["headers"]
    assert kept["version"] == 2
    assert copy["headers"] == {"X-Api-Key": None}
    assert [warning["code"] for warning in copy["warnings"]] == ["secret_missing"]
    assert wrong.json()["errors"] == {"headers.X-Other": "is a mask of no stored value; enter the value again"}


@pytest.mark.parametrize("moved", [
    {"endpoint": "https://evil.example/orders/{number}"},
    {"endpoint": "http://shop.example.com/orders/{number}"},
    {"endpoint": "https://shop.example.com:8443/orders/{number}", "headers": {"X-Api-Key": "••••••••2d4e"}},
])  # fmt: skip
async def test_a_secret_does_not_follow_the_endpoint_to_another_origin(world: World, moved: dict[str, Json]) -> None:
    async with world.client(Role.admin) as client:
        one = f"/api-tools/{(await create(client))['id']}"
        answer = await client.patch(one, json=moved)
        unchanged = (await client.get(one)).json()
        entered = await client.patch(one, json={**moved, "headers": {"X-Api-Key": "another-secret"}})
    assert answer.json()["errors"] == {
        "headers.X-Api-Key": "was stored for another address than the endpoint's; enter it again"
    }
    assert unchanged["endpoint"] == TOOL["endpoint"]
    assert entered.status_code == 200


async def test_another_path_of_the_same_origin_keeps_the_secret(world: World) -> None:
    async with world.client(Role.admin) as client:
        one = f"/api-tools/{(await create(client))['id']}"
        answer = await client.patch(one, json={"endpoint": "https://SHOP.example.com:443/v2/orders/{number}"})
    assert answer.json()["headers"] == {"X-Api-Key": "••••••••2d4e"}


async def test_what_is_sent_as_it_is_stored_changes_nothing(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = await create(client)
        again = (await client.patch(f"/api-tools/{made['id']}", json=made)).json()
        short = await create(client, name="Short", headers={"X-Key": "one"})
        changed = (await client.patch(f"/api-tools/{short['id']}", json={"headers": {"X-Key": "two"}})).json()
    assert again["version"] == 1
    assert changed["version"] == 2


async def test_no_secret_is_read_anywhere(world: World) -> None:
    async with world.client(Role.owner) as client:
        made = await create(client)
        await client.patch(f"/api-tools/{made['id']}", json={"headers": {"X-Api-Key": CANARY + "2"}})
        shown = [(await client.get(path)).text for path in ("/api-tools", f"/api-tools/{made['id']}")]
    async with world.database.system() as connection:
        for table in ("api_tools", "events"):
            rows = await connection.fetch(f"SELECT to_jsonb(t)::text FROM {table} t")
            shown += [row[0] for row in rows]
    assert CANARY not in "".join(shown)


async def test_two_names_that_the_model_cannot_tell_apart_are_a_conflict(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = await create(client)
        answer = await client.post("/api-tools", json=TOOL | {"name": "order-STATUS"})
        await client.delete(f"/api-tools/{made['id']}")
        await create(client, name="order-STATUS")
        other = await create(client, name="Заказ")
    assert answer.status_code == 409
    assert "name" in answer.json()["errors"]
    assert str(other["function_name"]).isascii()


@pytest.mark.parametrize("wrapped", [
    lambda schema: schema, lambda schema: {"name": "f", "parameters": schema},
    lambda schema: {"type": "function", "function": {"name": "f", "parameters": schema}},
], ids=["bare", "named", "function"])  # fmt: skip
async def test_a_function_schema_alone_makes_the_parameters(world: World, wrapped) -> None:
    schema = {"type": "object", "properties": {"number": {"type": "string"}, "gift": {"type": "boolean"}}}
    async with world.client(Role.admin) as client:
        made = await create(client, method="POST", url_parameters=None, parameters_schema=wrapped(schema))
    assert [(one["name"], one["location"]) for one in made["url_parameters"]] == [("number", "path")]
    assert [(one["name"], one["type"]) for one in made["body_parameters"]] == [("gift", "boolean")]


@pytest.mark.parametrize("example", [{"a": 1}, [1, 2], "text", 7, None], ids=json.dumps)
async def test_an_example_of_the_response_is_any_value(world: World, example: Json) -> None:
    async with world.client(Role.admin) as client:
        assert (await create(client, response_example=example))["response_example"] == example


async def test_an_assistant_names_its_api_tools(world: World) -> None:
    assistant, tool = await world.row("ai-assistants"), await world.row("api-tools")
    theirs = await world.row("api-tools", THEIRS)
    use = {"api_tool_id": tool, "enabled": True, "when_to_use": "orders", "approval": "never"}
    async with world.client(Role.admin) as client:
        answer = await client.patch(f"/ai-assistants/{assistant}", json={"api_tools": [use]})
        foreign = await client.patch(f"/ai-assistants/{assistant}", json={"api_tools": [{"api_tool_id": theirs}]})
        await client.delete(f"/api-tools/{tool}")
        later = await client.patch(f"/ai-assistants/{assistant}", json={"name": "Later", "api_tools": [use]})
        read = (await client.get(f"/ai-assistants/{assistant}")).json()
        copy = await client.post("/ai-assistants", json={**read, "name": "Copy"})
    assert answer.json()["api_tools"] == [use]
    assert foreign.json()["errors"] == {"api_tools.0.api_tool_id": "names no API tool that exists"}
    assert "api_tool_deleted" in [warning["code"] for warning in later.json()["warnings"]]
    assert copy.status_code == 201


async def test_members_do_not_read_addresses_and_fixed_values(world: World) -> None:
    async with world.client(Role.member) as client:
        assert (await client.get("/api-tools")).status_code == 403
