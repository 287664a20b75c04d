"""One section of the assistant's configuration, and how a wrong one is told to the person who sent it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, RootModel, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from frontdesk.core.errors import Fault, Invalid, Json


class Section(BaseModel):
    """A strict shape: an unknown or mistyped key is refused with its path, and a read section never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


Entry = TypeVar("Entry")


class Entries(RootModel[list[Entry]]):
    """A section that is a list; each entry is as strict as a section."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


Shape = TypeVar("Shape", bound=BaseModel)


def clean(text: str) -> str:
    """Refuse what no database and no model can carry: NUL, other control characters, half a surrogate pair."""
    for character in text:
        if (character < " " and character not in "\n\r\t") or character == "\x7f":
            raise ValueError("must not contain control characters")
        if "\ud800" <= character <= "\udfff":
            raise ValueError("must be valid Unicode, without half a surrogate pair")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(clean)]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(clean)]

# pydantic's words speak of inputs and schemas; these are for the person who filled in a form.
_SENTENCES: dict[str, tuple[str, Callable[[dict[str, object]], str]]] = {
    "extra_forbidden": ("additionalProperties", lambda ctx: "is not a known field"),
    "missing": ("required", lambda ctx: "is required"),
    "string_type": ("type", lambda ctx: "must be a text"),
    "string_unicode": ("pattern", lambda ctx: "must be valid Unicode, without half a surrogate pair"),
    "int_type": ("type", lambda ctx: "must be a whole number"),
    "int_from_float": ("type", lambda ctx: "must be a whole number"),
    "float_type": ("type", lambda ctx: "must be a number"),
    "finite_number": ("type", lambda ctx: "must be a finite number"),
    "bool_type": ("type", lambda ctx: "must be true or false"),
    "list_type": ("type", lambda ctx: "must be a list"),
    "dict_type": ("type", lambda ctx: "must be an object"),
    "model_type": ("type", lambda ctx: "must be an object"),
    "literal_error": ("enum", lambda ctx: f"must be one of {ctx['expected']}"),
    "string_too_short": ("minLength", lambda ctx: f"must have at least {ctx['min_length']} character(s)"),
    "string_too_long": ("maxLength", lambda ctx: f"must have at most {ctx['max_length']} characters"),
    "too_short": ("minItems", lambda ctx: f"must have at least {ctx['min_length']} item(s)"),
    "too_long": ("maxItems", lambda ctx: f"must have at most {ctx['max_length']} items"),
    "greater_than_equal": ("minimum", lambda ctx: f"must be {ctx['ge']} or more"),
    "less_than_equal": ("maximum", lambda ctx: f"must be {ctx['le']} or less"),
    "greater_than": ("exclusiveMinimum", lambda ctx: f"must be more than {ctx['gt']}"),
    "value_error": ("rule", lambda ctx: str(ctx["error"])),
}


def fault_of(detail: ErrorDetails, at: str) -> Fault:
    """One pydantic error as a fault of the field at `at.…`."""
    # A step in brackets is the key of a mapping, or the tag of a choice between shapes: not part of the path.
    steps = [step for step in map(str, detail["loc"]) if not (step.startswith("[") and step.endswith("]"))]
    keyword, sentence = _SENTENCES.get(detail["type"], (detail["type"], lambda ctx: detail["msg"]))
    return Fault(".".join([at, *steps]), keyword, sentence(detail.get("ctx", {})))


def empty(shape: type[BaseModel]) -> Json:
    """What a section is read from when nobody has set it."""
    return [] if issubclass(shape, RootModel) else {}


def read(shape: type[Shape], value: Json, at: str) -> Shape:
    """The section in `value`; `None` is the default. Raises `Invalid` with the path of every wrong member."""
    try:
        return shape.model_validate(empty(shape) if value is None else value)
    except ValidationError as error:
        faults = [fault_of(detail, at) for detail in error.errors(include_url=False, include_input=False)]
        raise Invalid(faults) from None


def faults(shape: type[BaseModel], value: Json, at: str) -> list[Fault]:
    """Everything that is wrong with `value`, without raising."""
    try:
        shape.model_validate(empty(shape) if value is None else value)
    except ValidationError as error:
        return [fault_of(detail, at) for detail in error.errors(include_url=False, include_input=False)]
    return []


def json_schema(shape: type[BaseModel]) -> dict[str, Json]:
    """The section's JSON Schema with its definitions written in place, so that it can stand anywhere in a document."""
    schema: dict[str, Json] = shape.model_json_schema()
    definitions = schema.pop("$defs", {})
    return _inlined(schema, definitions) if isinstance(definitions, dict) else schema  # type: ignore[return-value]


def _inlined(node: Json, definitions: dict[str, Json]) -> Json:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        rest = {name: value for name, value in node.items() if name != "$ref"}
        target = definitions[reference.rpartition("/")[2]]
        return _inlined({**target, **rest} if isinstance(target, dict) else target, definitions)
    return {name: _inlined(value, definitions) for name, value in node.items()}


def default_of(shape: type[BaseModel]) -> Json:
    """The section as it reads when nobody has set it: every member with its default."""
    value: Json = shape.model_validate(empty(shape)).model_dump(mode="json", by_alias=True)
    return value
