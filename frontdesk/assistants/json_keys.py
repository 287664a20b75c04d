"""`additional_json_keys`: the values that the model gives beside its reply, and where each of them is kept.

Values nest two levels deep (a list of objects, an object of lists) and no deeper: more than that no provider and no
small model fills in reliably.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from frontdesk.assistants.section import Entries, Section, clean
from frontdesk.core.errors import Json

FINAL_ANSWER = "final_answer"  # the tool by which the model ends its turn where there are keys
REPLY = "reply"  # its member that the customer reads
Scalar = Literal["string", "number", "integer", "boolean", "date"]
Type = Literal["string", "number", "integer", "boolean", "date", "array", "object"]
SavedEntity = Literal["contact", "company", "deal", "ticket"]
MOST_KEYS = 50
MOST_CHOICES = 100
MOST_CHARACTERS = 40_000  # of all keys: each request of the model carries them
LARGEST = 2**63  # numbers beyond it no provider means and no custom field keeps
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
CHOSEN = ("string", "number", "integer")


def check_key(key: str) -> str:
    """A name that every provider takes as a member of an object; raises `ValueError`."""
    if not KEY.fullmatch(key):
        raise ValueError("must be letters, digits and underscores, a letter first (at most 64)")
    if key.casefold() == REPLY:
        raise ValueError(f"must not be {REPLY}: that is what the customer reads")
    return key


Key = Annotated[str, AfterValidator(check_key)]
Text = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(clean)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(clean)]
# Texts or numbers, by the type of the value; the schema of the API says it in words.
Choices = Annotated[list[object], Field(min_length=1, max_length=MOST_CHOICES)]


class Value(Section):
    """What all values have; each level adds what may be within it."""

    description: Text | None = None


def _checked_choices(choices: list[object] | None, info: ValidationInfo) -> list[object] | None:
    kind = info.data.get("type")
    if choices is None or kind is None:
        return choices
    if kind not in CHOSEN:
        raise ValueError(f"belongs to a text or a number, not to the type {kind}")
    for choice in choices:
        if not is_of(choice, kind):
            raise ValueError(f"must hold values of the type {kind} only")
        if isinstance(choice, str):
            clean(choice)
            if not choice.strip() or len(choice) > 500:
                raise ValueError("must hold texts of 1 to 500 characters")
    if len({str(choice).casefold() for choice in choices}) < len(choices):
        raise ValueError("must not name a value twice")
    return choices


def is_of(value: object, kind: str) -> bool:
    """Whether a JSON value has a scalar type as it stands."""
    if isinstance(value, bool):
        return kind == "boolean"
    if kind in ("integer", "number"):
        is_number = isinstance(value, int if kind == "integer" else int | float)
        return is_number and -LARGEST <= value < LARGEST  # type: ignore[operator]
    return kind in ("string", "date") and isinstance(value, str)


class Leaf(Value):
    """A value with nothing within it."""

    type: Scalar = "string"
    enum: Choices | None = None

    _choices = field_validator("enum")(_checked_choices)


class NamedLeaf(Leaf):
    """A member of an object that stands in another value."""

    key: Key
    required: bool = False


class Inner(Value):
    """A value that stands in another one, and may hold values itself."""

    type: Type = "string"
    enum: Choices | None = None
    items: Leaf | None = None
    properties: Annotated[list[NamedLeaf], Field(max_length=MOST_KEYS)] | None = None

    _choices = field_validator("enum")(_checked_choices)

    @model_validator(mode="after")
    def _whole(self) -> Inner:
        check_parts(self.type, self.items, self.properties)
        return self


class NamedInner(Inner):
    """A member of an object."""

    key: Key
    required: bool = False


class SaveTo(Section):
    """The custom field that keeps a value; `custom_field` is its key or its display name."""

    entity: SavedEntity
    custom_field: FieldName


class JsonKey(Value):
    """One value of the answer. `required`: the model is asked once more where it is missing."""

    key: Key
    type: Type = "string"
    enum: Choices | None = None
    required: bool = False
    items: Inner | None = None
    properties: Annotated[list[NamedInner], Field(max_length=MOST_KEYS)] | None = None
    save_to: SaveTo | None = None

    _choices = field_validator("enum")(_checked_choices)

    @model_validator(mode="after")
    def _whole(self) -> JsonKey:
        check_parts(self.type, self.items, self.properties)
        if self.save_to is not None and not self.is_savable:
            raise ValueError(f"cannot be saved: no custom field holds the type {self.type} with these parts")
        return self

    @property
    def is_savable(self) -> bool:
        """A custom field holds a single value or a list of texts."""
        item = self.items.type if self.items is not None else "string"
        return self.type != "object" and (self.type != "array" or item == "string")


def check_parts(kind: str, items: object, properties: Sequence[NamedLeaf | NamedInner] | None) -> None:
    """Whether a value has the parts of its type; raises `ValueError`."""
    if items is not None and kind != "array":
        raise ValueError(f"must not have items: they belong to the type array, not to {kind}")
    if properties and kind != "object":
        raise ValueError(f"must not have properties: they belong to the type object, not to {kind}")
    if kind == "object" and not properties:
        raise ValueError("must have properties, being of the type object")
    keys = [one.key.casefold() for one in properties or ()]
    if len(set(keys)) < len(keys):
        raise ValueError("must not use a key of its properties twice")


class JsonKeys(Entries[JsonKey]):
    """The section: at most 50 keys, each name once."""

    root: Annotated[list[JsonKey], Field(max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _distinct(self) -> JsonKeys:
        seen: dict[str, int] = {}
        for i, one in enumerate(self.root):
            first = seen.setdefault(one.key.casefold(), i)
            if first != i:
                raise ValueError(f"must name each key once: {one.key} stands at {first} and at {i}")
        if len(json.dumps(answer_schema(self.root), ensure_ascii=False)) > MOST_CHARACTERS:
            raise ValueError(f"must not have more than {MOST_CHARACTERS} characters together, as the model reads them")
        return self


AnyValue = Leaf | Inner | JsonKey


def children_of(value: AnyValue) -> Sequence[NamedLeaf | NamedInner]:
    """The members of an object."""
    return () if isinstance(value, Leaf) else value.properties or ()


def item_of(value: AnyValue) -> Leaf | Inner:
    """What an array holds: texts, unless it says otherwise."""
    return (None if isinstance(value, Leaf) else value.items) or Leaf()


# -- what the model is shown ----------------------------------------------------------------


def answer_schema(keys: Sequence[JsonKey]) -> dict[str, Json]:
    """The JSON Schema of the final answer. The reply comes first, so that it can be shown while the rest is written."""
    said = "What the customer reads, whole and as it shall be sent. Nothing else of this call is shown to them."
    reply: Json = {"type": "string", "description": said}
    return _object({REPLY: reply, **{one.key: schema_of(one) for one in keys}}, [REPLY, *_required(keys)])


def schema_of(value: AnyValue) -> Json:
    """The JSON Schema of one value, in the words that all providers understand."""
    schema: dict[str, Json] = {"type": "string" if value.type == "date" else value.type}
    if value.type == "date":
        schema["format"] = "date"
    if value.description:
        schema["description"] = value.description
    if value.enum is not None:
        schema["enum"] = value.enum  # type: ignore[assignment]
    if value.type == "array":
        schema["items"] = schema_of(item_of(value))
    if value.type == "object":
        inner = children_of(value)
        schema |= _object({one.key: schema_of(one) for one in inner}, _required(inner))
    return schema


def _required(values: Sequence[JsonKey | NamedInner | NamedLeaf]) -> list[Json]:
    return [one.key for one in values if one.required]


def _object(properties: dict[str, Json], required: list[Json]) -> dict[str, Json]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
