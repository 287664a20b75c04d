"""A function schema that is none, for the parameters of an API tool: 400 with where it is wrong, and no tool."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

TOOL = {"name": "Orders", "description": "Finds orders.", "endpoint": "https://a.example.com/o", "method": "POST"}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"inner": schema}}
    return schema


def of(**properties: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": {"type": "object", "properties": properties}}


WRONG: dict[str, Any] = {
    "not an object": [1],
    "no object inside": {"name": "f", "parameters": {"type": "array", "items": {"type": "string"}}},
    "an unknown type": of(x={"type": "objekt"}),
    "a type that is a number": of(x={"type": 7}),
    "properties as a list": {"name": "f", "parameters": {"type": "object", "properties": ["x"]}},
    "a property that is text": of(x="string"),
    "an enum that is text": of(x={"type": "string", "enum": "a"}),
    "items as text": of(x={"type": "array", "items": "string"}),
    "required as text": {"name": "f", "parameters": {"type": "object", "properties": {}, "required": "x"}},
    "five hundred parameters": of(**{f"p{i}": {"type": "string"} for i in range(500)}),
    "a name of a megabyte": of(**{"x" * 1_000_000: {"type": "string"}}),
    "a name without letters": of(**{"": {"type": "string"}}),
}
# Right, and more than our form of parameters says: what it cannot say becomes a free value.
WIDE: dict[str, Any] = {
    "choices of objects": of(x={"type": "string", "enum": [{"a": 1}]}),
    "a reference to itself": of(x={"$ref": "#"}),
    "a choice of schemas": of(x={"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    "deeply nested": of(x=nested(60)),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_schema_that_is_none_is_refused_with_its_place(world: World, name: str) -> None:
    async with world.client() as client:
        answer = await client.post("/api-tools", json={**TOOL, "parameters_schema": WRONG[name]})
        assert answer.status_code == 400, answer.text[:300]
        errors = answer.json()["errors"]
        assert errors
        assert all(path.startswith(("parameters_schema", "body_parameters", "url_parameters")) for path in errors)
        assert all(len(f"{path}{said}") < 1_000 for path, said in errors.items())
        assert (await client.get("/api-tools?$limit=0")).json()["total"] == 0


@pytest.mark.parametrize("name", WIDE)
async def test_a_schema_that_says_more_than_our_form_is_taken_within_bounds(world: World, name: str) -> None:
    async with world.client() as client:
        answer = await client.post("/api-tools", json={**TOOL, "parameters_schema": WIDE[name]})
    assert answer.status_code == 201, answer.text[:300]
    assert [one["name"] for one in answer.json()["body_parameters"]] == ["x"]
    assert len(answer.text) < 5_000
