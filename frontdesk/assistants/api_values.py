"""Arguments of an API tool: what the model is asked for, and how its answer becomes the values that are sent."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from frontdesk.assistants.api_parameters import Parameter, Value, typed
from frontdesk.core.errors import Fault, Json

LONGEST_TEXT = 20_000  # characters of one value
MOST_ITEMS = 500
DEEPEST_FREE = 20  # levels of an object without declared fields
# Providers take only such names of a tool's arguments.
UNSAFE = re.compile(r"[^a-zA-Z0-9_-]+")

Place = Literal["path", "query", "body"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter as the model is asked for it: `key` is the argument's name, unique in the tool."""

    key: str
    parameter: Parameter
    place: Place

    @property
    def is_required(self) -> bool:
        # A hole in the path makes another address.
        return self.parameter.required or self.place == "path"


def arguments_of(url: Sequence[Parameter], body: Sequence[Parameter]) -> list[Argument]:
    """All parameters in order, fixed ones too. A body's name that the URL has already is told apart by `body_`."""
    taken: set[str] = set()
    found = []
    for one, place in [*((p, _place(p)) for p in url), *((p, "body") for p in body)]:
        key = UNSAFE.sub("_", one.name).strip("_")[:60] or "value"
        if key in taken and place == "body":
            key = f"body_{key}"
        wanted, n = key, 2
        while key in taken:
            key, n = f"{wanted}_{n}", n + 1
        taken.add(key)
        found.append(Argument(key, one, place))
    return found


def _place(one: Parameter) -> Place:
    return "path" if one.is_in_path else "query"


def schema_of(arguments: Sequence[Argument]) -> dict[str, Json]:
    """The JSON Schema of what the model gives; fixed values are not in it."""
    visible = [argument for argument in arguments if argument.parameter.is_visible]
    return _object(
        {argument.key: _schema(argument.parameter) for argument in visible},
        [argument.key for argument in visible if argument.is_required],
    )


def _object(properties: dict[str, Json], required: Sequence[str]) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = [*required]
    return {**schema, "additionalProperties": False}


def _schema(value: Value) -> dict[str, Json]:
    schema: dict[str, Json] = {"type": value.type}
    if value.type == "array":
        schema["items"] = _schema(value.item)
    elif value.type == "object" and value.children:
        visible = [child for child in value.children if child.is_visible]
        schema = _object(
            {child.name: _schema(child) for child in visible}, [child.name for child in visible if child.required]
        )
    if value.description:
        schema["description"] = value.description
    if value.enum:
        schema["enum"] = [typed(text, value.type) for text in value.enum]
    return schema


def values_of(
    arguments: Sequence[Argument], given: Mapping[str, object]
) -> tuple[dict[tuple[Place, str], Json], list[Fault]]:
    """What is sent, by place and name, the fixed values in it; and what is wrong with `given`."""
    visible = {argument.key for argument in arguments if argument.parameter.is_visible}
    faults = [Fault(str(key)[:80], "additionalProperties", "is not a parameter") for key in given if key not in visible]
    values: dict[tuple[Place, str], Json] = {}
    for argument in arguments:
        is_given = argument.key in visible and given.get(argument.key) is not None
        reading = Reading(argument.parameter, argument.key, is_required=argument.is_required)
        value = reading.read(given.get(argument.key), is_given=is_given)
        faults += reading.faults
        if reading.has_value:
            values[(argument.place, argument.parameter.name)] = value
    return values, faults


class Reading:
    """Reads one parameter's value: `faults` is what is wrong, and without `has_value` nothing is to be sent."""

    def __init__(self, parameter: Parameter, path: str, *, is_required: bool) -> None:
        self.parameter, self.path, self.is_required = parameter, path, is_required
        self.faults: list[Fault] = []
        self.has_value = False

    def read(self, value: object, *, is_given: bool) -> Json:
        one = self.parameter
        if one.is_fixed:
            self.has_value = True
            return _json(one.fixed_value)
        if not is_given and one.type == "object" and one.children and not self._needs_more(one):
            value, is_given = {}, _has_fixed(one)  # nothing to ask for: only what is fixed goes out
        if not is_given:
            if self.is_required:
                self.faults.append(Fault(self.path, "required", "is required"))
            return None
        self.has_value = True
        return self._checked(one, value, self.path, 0)

    def _needs_more(self, one: Value) -> bool:
        return any(child.is_visible and child.required for child in one.children)

    def _wrong(self, path: str, keyword: str, message: str) -> Json:
        self.faults.append(Fault(path, keyword, message))
        return None

    def _checked(self, shape: Value, value: object, path: str, depth: int) -> Json:
        if shape.type == "object":
            return self._object(shape, value, path, depth)
        if shape.type == "array":
            if not isinstance(value, list):
                return self._wrong(path, "type", "must be a list")
            if len(value) > MOST_ITEMS:
                return self._wrong(path, "maxItems", f"must have at most {MOST_ITEMS} items")
            return [self._checked(shape.item, item, f"{path}.{i}", depth + 1) for i, item in enumerate(value)]
        plain = self._scalar(shape, value, path)
        if plain is not None and shape.enum and plain not in [typed(text, shape.type) for text in shape.enum]:
            return self._wrong(path, "enum", f"must be one of {', '.join(shape.enum)}")
        return plain

    def _object(self, shape: Value, value: object, path: str, depth: int) -> Json:
        if not isinstance(value, dict):
            return self._wrong(path, "type", "must be an object")
        if not shape.children:
            fault = next(_free_faults(value, 0), None)
            return _json(value) if fault is None else self._wrong(path, "type", fault)
        visible = {child.name for child in shape.children if child.is_visible}
        for name in value:
            if name not in visible:
                self._wrong(f"{path}.{str(name)[:80]}", "additionalProperties", "is not a parameter")
        result: dict[str, Json] = {}
        for child in shape.children:
            reading = Reading(child, f"{path}.{child.name}", is_required=child.required)
            inner = reading.read(value.get(child.name), is_given=value.get(child.name) is not None)
            self.faults += reading.faults
            if reading.has_value:
                result[child.name] = inner
        return result

    def _scalar(self, shape: Value, value: object, path: str) -> Json:
        if shape.type == "string":
            if not isinstance(value, str):
                return self._wrong(path, "type", "must be a text")
            if fault := text_fault(value):
                return self._wrong(path, "pattern", fault)
            return value
        if shape.type == "boolean":
            return value if isinstance(value, bool) else self._wrong(path, "type", "must be true or false")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return self._wrong(path, "type", f"must be a {'whole ' if shape.type == 'integer' else ''}number")
        if shape.type == "integer" and value != int(value):
            return self._wrong(path, "type", "must be a whole number")
        return int(value) if shape.type == "integer" else value


def _has_fixed(one: Value) -> bool:
    return any(child.is_fixed or _has_fixed(child) for child in one.children)


def text_fault(text: str) -> str | None:
    """Why a text cannot be sent."""
    if len(text) > LONGEST_TEXT:
        return f"must have at most {LONGEST_TEXT} characters"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "must be valid Unicode, without half a surrogate pair"
    return "must not contain NUL" if "\x00" in text else None


def _free_faults(value: object, depth: int) -> Iterator[str]:
    """What cannot be sent of a value without a declared form."""
    if depth > DEEPEST_FREE:
        yield f"must not be nested deeper than {DEEPEST_FREE} levels"
    elif isinstance(value, str) and (fault := text_fault(value)):
        yield fault
    elif isinstance(value, float) and not math.isfinite(value):
        yield "must have finite numbers only"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _free_faults(str(key), depth + 1)
            yield from _free_faults(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _free_faults(inner, depth + 1)


def _json(value: object) -> Json:
    plain: Json = value  # type: ignore[assignment]
    return plain


def fixed_faults(parameters: Sequence[Parameter], at: str) -> Iterator[Fault]:
    """Fixed values that are not of their parameter's type; what is fixed within an object is looked at too."""
    for i, one in enumerate(parameters):
        if one.is_fixed:
            if one.fixed_value is None:
                yield Fault(f"{at}.{i}.fixed_value", "required", "is required where value_source is fixed")
                continue
            open_form = one.model_copy(update={"value_source": "ai", "properties": None})
            reading = Reading(open_form, f"{at}.{i}.fixed_value", is_required=True)
            reading.read(one.fixed_value, is_given=True)
            yield from reading.faults
        else:
            yield from fixed_faults(one.children, f"{at}.{i}.properties")
            if one.items is not None:
                yield from fixed_faults(one.items.children, f"{at}.{i}.items.properties")


def as_text(value: Json) -> str:
    """A single value as it stands in an address."""
    return value if isinstance(value, str) else json.dumps(value)
