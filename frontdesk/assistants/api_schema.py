"""Parameters out of a JSON Schema: of a function schema that a client sent, or of an OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from jsonschema import Draft202012Validator

from frontdesk.assistants.api_parameters import DEEPEST, SCALARS
from frontdesk.assistants.api_request import placeholders
from frontdesk.core.errors import Fault, Invalid, Json

Node = Mapping[str, Json]
Resolve = Callable[[Json], Node]
LONGEST_DESCRIPTION = 1_000
MOST_VALUES = 80  # of one tool, nested ones counted; what is nested deeper than they reach is a free value
MOST_CHOICES = 200
MOST_FAULTS = 20
TYPES = (*SCALARS, "array", "object")


@dataclass
class Room:
    """How many more values a tool may have. A document whose schemas name each other would never end without it."""

    left: int = MOST_VALUES

    def takes(self, count: int) -> bool:
        if count > self.left:
            return False
        self.left -= count
        return True


def as_node(value: Json) -> Node:
    """The schema itself; a boolean schema or anything else says nothing."""
    return value if isinstance(value, dict) else {}


def parameters_from(schema: Node, endpoint: str, method: str) -> tuple[list[Json], list[Json]]:
    """URL and body parameters of a function schema: holes of the path first, then a GET's query, else the body."""
    inner, at = schema, "parameters_schema"
    for name in ("function", "parameters"):
        if isinstance(inner.get(name), dict):
            inner, at = as_node(inner[name]), f"{at}.{name}"
    properties = inner.get("properties")
    if not isinstance(properties, dict):
        message = "must be a function schema with parameters.properties, or be left out"
        raise Invalid([Fault("parameters_schema", "type", message)])
    if wrong := schema_faults(inner, at):
        raise Invalid(wrong)
    required, holes = texts(inner.get("required")), placeholders(endpoint)
    url: list[Json] = []
    body: list[Json] = []
    room = Room(MOST_VALUES - len(properties))
    for name, value in properties.items():
        one = parameter_from(name, as_node(value), room, is_required=name in required)
        if name in holes or method == "GET":
            url.append({**one, "location": "path" if name in holes else "query"})
        else:
            body.append(one)
    return url, body


def schema_faults(schema: Node, at: str) -> list[Fault]:
    """Where a schema breaks the rules of JSON Schema; of a document we take what we can, of a client's own all or none.

    The library's sentences repeat the value, which may be long.
    """
    found = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)
    return [
        Fault(".".join([at, *map(str, error.absolute_path)])[:500], str(error.validator), _shortened(error.message))
        for error in islice(found, MOST_FAULTS)
    ]


def _shortened(message: str) -> str:
    return f"must be valid JSON Schema: {message if len(message) <= 200 else f'{message[:200]}…'}"


def texts(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def parameter_from(
    name: str, schema: Node, room: Room, *, is_required: bool, resolve: Resolve = as_node, depth: int = 1
) -> dict[str, Json]:
    """One named value."""
    return {
        "id": name[:200], "name": name, "required": is_required, "value_source": "ai",
        **value_from(schema, room, resolve, depth),
    }  # fmt: skip


def value_from(schema: Node, room: Room, resolve: Resolve = as_node, depth: int = 1) -> dict[str, Json]:
    """Type, description, choices and what is within. What our form cannot say becomes a free value of its type."""
    schema = _merged(schema, resolve)
    kind = _type(schema)
    value: dict[str, Json] = {"type": kind}
    if description := _description(schema):
        value["description"] = description
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(choices, list) and kind in SCALARS:
        given = [item if isinstance(item, str) else json.dumps(item) for item in choices if item is not None]
        if 0 < len(given) <= MOST_CHOICES:
            value["enum"] = [*given]
    properties = schema.get("properties")
    if kind == "object" and isinstance(properties, dict) and depth < DEEPEST and room.takes(len(properties)):
        required = texts(schema.get("required"))
        value["properties"] = [
            parameter_from(name, resolve(inner), room, is_required=name in required, resolve=resolve, depth=depth + 1)
            for name, inner in properties.items()
            if not resolve(inner).get("readOnly")
        ]
    if kind == "array" and depth < DEEPEST and room.takes(1):
        value["items"] = value_from(resolve(schema.get("items")), room, resolve, depth + 1)
    return value


def _merged(schema: Node, resolve: Resolve, depth: int = 1) -> Node:
    """One schema of several: all of `allOf` together, of `oneOf` and `anyOf` the first that is not null."""
    schema = resolve(dict(schema))
    if depth > DEEPEST:  # some documents refer to themselves
        return schema
    merged: dict[str, Json] = {name: value for name, value in schema.items() if name not in ("allOf", "oneOf", "anyOf")}
    variants = schema.get("oneOf") or schema.get("anyOf")
    chosen = [resolve(one) for one in variants] if isinstance(variants, list) else []
    first = [one for one in chosen if one.get("type") != "null"][:1]
    together = schema.get("allOf")
    parts = [resolve(one) for one in together] if isinstance(together, list) else []
    for part in (_merged(one, resolve, depth + 1) for one in (*parts, *first)):
        known, more = as_node(merged.get("properties")), as_node(part.get("properties"))
        required: list[Json] = [*texts(merged.get("required")), *texts(part.get("required"))]
        merged = {**part, **merged}
        if known or more:
            merged["properties"] = {**more, **known}
            merged["required"] = required
    return merged


def _type(schema: Node) -> str:
    kind = schema.get("type")
    named = kind if isinstance(kind, list) else [kind]
    found = next((str(one) for one in named if one in TYPES), None)
    if found is not None:
        return found
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _description(schema: Node) -> str:
    """What the schema says in words; a form and a default are words for a model too."""
    said = [str(schema.get("description") or schema.get("title") or "").strip()]
    if isinstance(schema.get("format"), str):
        said.append(f"Format: {schema['format']}.")
    if "default" in schema and schema["default"] is not None:
        said.append(f"Default: {json.dumps(schema['default'], ensure_ascii=False)[:100]}.")
    return " ".join(part for part in said if part)[:LONGEST_DESCRIPTION]
