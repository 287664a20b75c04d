"""The parameters of an API tool, as they are declared: what the AI gives, what is fixed, how both are nested.

The shape is the published one: the fields of an object are a list, and a fixed value is never shown to the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.section import Entries, Section, clean
from frontdesk.core.errors import Fault, Json

Type = Literal["string", "number", "integer", "boolean", "array", "object"]
SCALARS = ("string", "number", "integer", "boolean")
MOST_PARAMETERS = 100  # of one tool, nested ones counted
DEEPEST = 6
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean)]
Text = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(clean)]
Choices = Annotated[
    list[Annotated[str, StringConstraints(max_length=500), AfterValidator(clean)]], Field(max_length=200)
]


class Value(Section):
    """What a value is, whether it has a name or stands in an array."""

    type: Type = "string"
    description: Text | None = None
    enum: Choices | None = None
    properties: list[Parameter] | None = None
    items: Items | None = None

    @property
    def children(self) -> Sequence[Parameter]:
        return self.properties or ()

    @property
    def item(self) -> Items:
        return self.items or Items()


class Items(Value):
    """The values of an array."""


class Parameter(Value):
    """One named value. `location` is for URL parameters, and is `query` there where it is left out."""

    id: Text | None = None
    name: Name
    required: bool = False
    value_source: Literal["ai", "fixed"] = "ai"
    fixed_value: Any = None
    location: Literal["query", "path"] | None = None

    @property
    def is_fixed(self) -> bool:
        return self.value_source == "fixed"

    @property
    def is_in_path(self) -> bool:
        return self.location == "path"

    @property
    def is_visible(self) -> bool:
        """Whether there is anything in it that the model decides."""
        if self.is_fixed:
            return False
        return not (self.type == "object" and self.children) or any(child.is_visible for child in self.children)


class Parameters(Entries[Parameter]):
    """The URL's or the body's parameters."""

    root: Annotated[list[Parameter], Field(max_length=MOST_PARAMETERS)]


def parameters_schema() -> dict[str, Json]:
    """The JSON Schema of a list of parameters; what is nested has the same form, and is not written out again."""
    members: dict[str, Json] = Parameter.model_json_schema()["$defs"]["Parameter"]["properties"]
    nested: dict[str, Json] = {
        "properties": {"type": ["array", "null"], "items": {"type": "object"}, "description": "Parameters again."},
        "items": {"type": ["object", "null"], "description": "What an array holds: a parameter without a name."},
    }
    one: Json = {"type": "object", "properties": {**members, **nested}, "required": ["name"],
                 "additionalProperties": False}  # fmt: skip
    return {"type": "array", "items": one, "maxItems": MOST_PARAMETERS}


def parameter_faults(parameters: Parameters, at: str, *, is_url: bool) -> Iterator[Fault]:
    """What each member's own shape cannot say: names that repeat, enums that do not fit, places that cannot be."""
    if sum(1 for one in parameters.root for _ in _within(one)) > MOST_PARAMETERS:
        yield Fault(at, "maxItems", f"must have at most {MOST_PARAMETERS} parameters, nested ones counted")
    yield from _repeated(parameters.root, at, is_url=is_url)
    for i, one in enumerate(parameters.root):
        yield from _value_faults(one, f"{at}.{i}", 1)
        yield from _url_faults(one, f"{at}.{i}") if is_url else _body_faults(one, f"{at}.{i}")


def _within(value: Value) -> Iterator[Value]:
    yield value
    for child in value.children:
        yield from _within(child)
    if value.items is not None:
        yield from _within(value.items)


def _repeated(parameters: Sequence[Parameter], at: str, *, is_url: bool = False) -> Iterator[Fault]:
    seen: set[tuple[str, bool]] = set()
    for i, one in enumerate(parameters):
        # One name may stand in the path and in the query: those are different values of one address.
        place = (one.name, is_url and one.is_in_path)
        if place in seen:
            yield Fault(f"{at}.{i}.name", "uniqueItems", f"is used twice: {one.name}")
        seen.add(place)


def _value_faults(value: Value, at: str, depth: int) -> Iterator[Fault]:
    if depth > DEEPEST:
        yield Fault(at, "maxDepth", f"must not be nested deeper than {DEEPEST} levels")
        return
    if value.enum is not None:
        yield from _enum_faults(value, at)
    if value.properties and value.type != "object":
        yield Fault(f"{at}.properties", "type", f"belongs to the type object, not to {value.type}")
    if value.items is not None and value.type != "array":
        yield Fault(f"{at}.items", "type", f"belongs to the type array, not to {value.type}")
    yield from _repeated(value.children, f"{at}.properties")
    for i, child in enumerate(value.children):
        if child.location is not None:
            yield Fault(f"{at}.properties.{i}.location", "location", "is for the outermost URL parameters only")
        yield from _value_faults(child, f"{at}.properties.{i}", depth + 1)
    if value.items is not None:
        yield from _value_faults(value.items, f"{at}.items", depth + 1)


def _enum_faults(value: Value, at: str) -> Iterator[Fault]:
    if value.type not in SCALARS:
        yield Fault(f"{at}.enum", "type", f"belongs to a single value, not to the type {value.type}")
        return
    if not value.enum:
        yield Fault(f"{at}.enum", "minItems", "must have at least one value, or be left out")
    for i, text in enumerate(value.enum or ()):
        try:
            typed(text, value.type)
        except ValueError:
            yield Fault(f"{at}.enum.{i}", "type", f"must be the text of one {value.type}")


def _url_faults(one: Parameter, at: str) -> Iterator[Fault]:
    inner = one.item.type if one.type == "array" else None
    if one.is_in_path and one.type not in SCALARS:
        yield Fault(f"{at}.type", "location", "must be a single value in the path")
    elif inner is not None and inner not in SCALARS:
        yield Fault(f"{at}.items.type", "location", "must be a single value in the query")
    elif one.type == "object" and not all(child.type in SCALARS for child in one.children):
        yield Fault(f"{at}.properties", "location", "must be single values in the query")


def _body_faults(one: Parameter, at: str) -> Iterator[Fault]:
    if one.location is not None:
        yield Fault(f"{at}.location", "location", "is for URL parameters only")


def typed(text: str, type: Type) -> Json:
    """An enum's text as a value of its type. Raises `ValueError`."""
    if type == "integer":
        return int(text)
    if type == "number":
        number = float(text)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError("no number")
        return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number
    if type == "boolean":
        if text not in ("true", "false"):
            raise ValueError("no boolean")
        return text == "true"
    return text
