"""The shape of an answer that a client asks for: JSON Schema, or the short form that looks like the answer itself.

`{"text": "string", "tags": ["string"]}` is short for an object with these members, all of them required.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from frontdesk.core.errors import Fault, Invalid, Json

LONGEST = 20_000  # characters as JSON
DEEPEST = 12
TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
# A mapping with one of these is a schema already.
MARKS = {"$schema", "$ref", "$defs", "properties", "anyOf", "oneOf", "allOf", "enum", "const"}


def read_answer_schema(value: object, path: str) -> dict[str, Json]:
    """The JSON Schema of an object. Raises `Invalid` with the path of what is wrong."""
    if not isinstance(value, dict) or not value:
        raise Invalid([Fault(path, "type", "must be an object: a JSON Schema, or the members of the answer")])
    if len(json.dumps(value)) > LONGEST:
        raise Invalid([Fault(path, "maxLength", f"must not have more than {LONGEST} characters as JSON")])
    schema = _expanded(value, path, 0)
    if schema.get("type", "object") != "object" or not isinstance(schema, dict):
        raise Invalid([Fault(f"{path}.type", "const", "must be object: the answer has named members")])
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join([path, *map(str, error.absolute_path)])
        raise Invalid([Fault(where, "schema", f"is not valid JSON Schema: {error.message[:200]}")]) from None
    for where in _foreign(schema, path):
        raise Invalid([Fault(where, "schema", "must refer to a place within the schema (#/…)")])
    return {**schema, "type": "object"}


def _is_schema(node: dict[str, Json]) -> bool:
    return bool(MARKS & node.keys()) or node.get("type") in TYPES or isinstance(node.get("type"), list)


def _expanded(node: dict[str, Json], path: str, depth: int) -> dict[str, Json]:
    if depth > DEEPEST:
        raise Invalid([Fault(path, "maxDepth", f"must not be nested deeper than {DEEPEST} levels")])
    if _is_schema(node):
        return node
    members: dict[str, Json] = {name: _member(inner, f"{path}.{name}", depth) for name, inner in node.items()}
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}


def _member(value: Json, path: str, depth: int) -> dict[str, Json]:
    if isinstance(value, dict):
        return _expanded(value, path, depth + 1)
    if isinstance(value, str):
        return {"type": value} if value in TYPES else {"type": "string", "description": value}
    if isinstance(value, list) and len(value) == 1:
        return {"type": "array", "items": _member(value[0], f"{path}.0", depth + 1)}
    raise Invalid([Fault(path, "type", 'must be a type such as "string", words, members, or a list of one of them')])


def _foreign(node: Json, path: str) -> Iterator[str]:
    """Where the schema refers to something outside of itself, which nobody here will fetch."""
    if isinstance(node, dict):
        reference = node.get("$ref", "#")
        if not isinstance(reference, str) or not reference.startswith("#"):
            yield f"{path}.$ref"
        for name, inner in node.items():
            yield from _foreign(inner, f"{path}.{name}")
    elif isinstance(node, list):
        for i, inner in enumerate(node):
            yield from _foreign(inner, f"{path}.{i}")
