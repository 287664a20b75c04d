"""Whether what a model gave beside its reply is what was asked for: value by value, each fault in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from frontdesk.assistants.json_keys import AnyValue, JsonKey, children_of, is_of, item_of
from frontdesk.core.errors import Json

LONGEST_TEXT = 10_000  # characters of one value
MOST_ITEMS = 200  # of one array
TYPES = {
    "string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "date": "a day as YYYY-MM-DD", "array": "a list", "object": "an object",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """The values that hold, and for each key that does not what is wrong with it: a code and a sentence."""

    values: dict[str, Json] = field(default_factory=dict)
    faults: dict[str, tuple[str, str]] = field(default_factory=dict)


class Wrong(Exception):
    """A value is not what was asked for; the message goes on after its name."""


def judge(keys: Sequence[JsonKey], given: Mapping[str, Json]) -> Judged:
    """Every declared key of `given`; members that nobody asked for are dropped. Pure."""
    judged = Judged()
    for one in keys:
        value = given.get(one.key)
        if is_absent(value):
            if one.required:
                judged.faults[one.key] = ("missing", f"{one.key} is required")
            continue
        try:
            judged.values[one.key] = check(one, value)
        except Wrong as wrong:
            judged.faults[one.key] = ("invalid", f"{one.key}{wrong}")
    return judged


def is_absent(value: Json) -> bool:
    """An optional value that a model does not know: it leaves it out, or writes null or nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def check(value: AnyValue, given: Json) -> Json:
    """The value in its declared type. Raises `Wrong`."""
    if value.type == "array":
        return _items(value, given)
    if value.type == "object":
        return _members(value, given)
    if isinstance(given, float) and value.type == "integer" and given.is_integer():
        given = int(given)
    if not is_of(given, value.type):
        raise Wrong(f" must be {TYPES[value.type]}")
    if value.enum is not None:
        return _choice(value.enum, given)
    if value.type == "date":
        return _day(str(given))
    if isinstance(given, str) and len(given) > LONGEST_TEXT:
        raise Wrong(f" must have at most {LONGEST_TEXT} characters")
    return given


def _choice(choices: Sequence[object], given: Json) -> Json:
    """The choice that is meant: a model writes a word as it stands in its sentence, with a capital or a space."""
    found = next((choice for choice in choices if _plain(choice) == _plain(given)), None)
    if found is None:
        raise Wrong(f" must be one of {', '.join(str(choice) for choice in choices)}")
    return found  # type: ignore[return-value]


def _plain(value: object) -> object:
    return value.strip().casefold() if isinstance(value, str) else value


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        raise Wrong(f" must be {TYPES['date']}") from None


def _items(value: AnyValue, given: Json) -> Json:
    if not isinstance(given, list):
        raise Wrong(f" must be {TYPES['array']}")
    if len(given) > MOST_ITEMS:
        raise Wrong(f" must have at most {MOST_ITEMS} items")
    item, found = item_of(value), list[Json]()
    for i, one in enumerate(given):
        try:
            found.append(check(item, one))
        except Wrong as wrong:
            raise Wrong(f"[{i}]{wrong}") from None
    return found


def _members(value: AnyValue, given: Json) -> Json:
    if not isinstance(given, dict):
        raise Wrong(f" must be {TYPES['object']}")
    found: dict[str, Json] = {}
    for one in children_of(value):
        inner = given.get(one.key)
        if is_absent(inner):
            if one.required:
                raise Wrong(f".{one.key} is required")
            continue
        try:
            found[one.key] = check(one, inner)
        except Wrong as wrong:
            raise Wrong(f".{one.key}{wrong}") from None
    return found
