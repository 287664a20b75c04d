"""A tool's JSON schema, cut down to what a small model can fill in, and the grammar of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic_ai.tools import ToolDefinition

Kind = Literal["text", "free", "id", "number", "flag", "choice", "date", "group"]
Schema = Mapping[str, object]
MAX_TOOLS = 25
READING = ("find", "get", "search", "list", "check", "count")
FREE_TEXT = ("text", "note", "body", "message", "content", "description", "summary", "reason", "comment")
DATE_FORMATS = ("date", "date-time", "time")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument. `noun` is what an id points at."""

    name: str
    kind: Kind
    is_required: bool
    schema: Schema
    noun: str = ""
    choices: tuple[str, ...] = ()
    format: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as the small model sees it."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]

    @property
    def verb(self) -> str:
        return self.name.partition("_")[0]

    @property
    def noun(self) -> str:
        return singular(self.name.partition("_")[2])

    @property
    def is_reading(self) -> bool:
        return self.verb in READING

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)


def singular(noun: str) -> str:
    return noun[:-3] + "y" if noun.endswith("ies") else noun.removesuffix("s")


def read_tools(definitions: Iterable[ToolDefinition]) -> tuple[Tool, ...]:
    """The first 25: more of them and the model picks badly, and a list that changes would empty its cache."""
    return tuple(read_tool(definition) for definition in list(definitions)[:MAX_TOOLS])


def read_tool(definition: ToolDefinition) -> Tool:
    schema = definition.parameters_json_schema
    definitions = _mapping(schema.get("$defs"))
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    noun = singular(definition.name.partition("_")[2])
    parameters = tuple(
        _read_parameter(name, _plain(_mapping(value), definitions), name in names, noun)
        for name, value in _mapping(schema.get("properties")).items()
    )
    return Tool(definition.name, definition.description or "", parameters)


def _read_parameter(name: str, schema: Schema, is_required: bool, noun: str) -> Parameter:
    kind = schema.get("type")
    choices = schema.get("enum")
    if name == "id" or name.endswith("_id"):
        return Parameter(name, "id", is_required, {"type": "integer"}, singular(name[:-3]) or noun)
    if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
        return Parameter(name, "choice", is_required, {"enum": choices}, choices=tuple(choices))
    format_ = schema.get("format")
    if isinstance(format_, str) and format_ in DATE_FORMATS:
        return Parameter(name, "date", is_required, {"type": "string"}, format=format_)
    if kind == "boolean":
        return Parameter(name, "flag", is_required, {"type": "boolean"})
    if kind in ("integer", "number"):
        return Parameter(name, "number", is_required, {"type": kind})
    if kind in ("object", "array"):
        return Parameter(name, "group", is_required, schema)
    return Parameter(name, "free" if name in FREE_TEXT else "text", is_required, {"type": "string"})


def _plain(schema: Schema, definitions: Schema) -> Schema:
    """Without references and without the `null` branch of an optional value."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _plain(_mapping(definitions.get(reference.rpartition("/")[2])), {})
    for keyword in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list):
            real = [b for b in map(_mapping, branches) if b.get("type") != "null"]
            return _plain(real[0], definitions) if real else {}
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {**schema, "type": next((kind for kind in kinds if kind != "null"), "string")}
    return schema


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def read_values(definition: ToolDefinition | None) -> dict[str, Schema]:
    """What is asked for beside the reply. One that may be left out may be null: a small model leaves nothing out."""
    schema = {} if definition is None else definition.parameters_json_schema
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    return {
        name: _mapping(value) if name in names else {"anyOf": [_mapping(value), {"type": "null"}]}
        for name, value in _mapping(schema.get("properties")).items()
        if name != "reply"
    }


def grammar(tools: Sequence[Tool], *, may_reply: bool, beside: Mapping[str, Schema] | None = None) -> dict[str, object]:
    """The JSON schema of an answer: a reply with the values that are asked for beside it, or one tool with arguments.

    No argument is required here: a model that must write a value invents one. What is missing is asked for.
    """
    said: dict[str, object] = {"reply": {"type": "string"}, **(beside or {})}
    branches: list[dict[str, object]] = [_object(said, [*said])] if may_reply else []
    for tool in tools:
        values: dict[str, object] = {
            p.name: dict(p.schema) for p in tool.parameters if p.is_required or p.kind not in ("group", "flag")
        }
        branches.append(
            _object({"tool": {"const": tool.name}, "arguments": _object(values, [])}, ["tool", "arguments"])
        )
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


def _object(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
