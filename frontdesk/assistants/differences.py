"""What two snapshots of an assistant differ in, for people: one entry per member, and texts line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from frontdesk.assistants.config import SECTIONS
from frontdesk.assistants.record import KEPT, NEVER_IN_HISTORY
from frontdesk.assistants.section import faults, read
from frontdesk.core.errors import Json

# Members of a snapshot that say nothing about how the assistant answers.
ASIDE = frozenset((*NEVER_IN_HISTORY, *KEPT, "id", "organization_id", "version"))
# What tells the entries of a list apart; the names are those of an exported file.
NAMES = ("id", "name", "key", "api_tool_id", "api_tool_name", "automation_id", "assistant_id", "assistant_name")
LONGEST_LINE = 80  # characters; a longer text, or one of several lines, is compared line by line


def differences(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[dict[str, Json]]:
    """`{field, old, new}` for each member that differs, `diff` with it where it is a text. Absent reads as null.

    Sections are compared with their defaults filled in: leaving a member out and writing its default is the same.
    """
    found: list[dict[str, Json]] = []
    for name in sorted({*old, *new} - ASIDE):
        found += compared(name, _whole(name, old.get(name)), _whole(name, new.get(name)))
    return found


def compared(name: str, old: Json, new: Json) -> list[dict[str, Json]]:
    """The differences of one member, each by its path below `name`."""
    found: list[dict[str, Json]] = []
    for path, before, after in _pairs(name, old, new):
        entry: dict[str, Json] = {"field": path, "old": before, "new": after}
        if isinstance(before, str | None) and isinstance(after, str | None) and _is_long(before, after):
            entry["diff"] = "\n".join(_lines(before or "", after or ""))
        found.append(entry)
    return found


def _whole(name: str, value: Json) -> Json:
    shape = SECTIONS.get(name)
    # The stored form of an older version may be one that is refused today; then it is compared as it stands.
    if shape is None or value is None or faults(shape, value, name):
        return value
    whole: Json = read(shape, value, name).model_dump(mode="json", by_alias=True)
    return whole


def _pairs(path: str, old: Json, new: Json) -> Iterator[tuple[str, Json, Json]]:
    if old == new:
        return
    if isinstance(old, list) and isinstance(new, list) and (name := _name_of([*old, *new])):
        old, new = _by(name, old), _by(name, new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _pairs(f"{path}.{key}", old.get(key), new.get(key))
        return
    yield path, old, new


def _name_of(entries: list[Json]) -> str | None:
    """The member that tells entries of a list apart, so that a new one at the top is one difference."""
    rows = [entry for entry in entries if isinstance(entry, dict)]
    if len(rows) != len(entries):
        return None
    return next((name for name in NAMES if rows and all(isinstance(row.get(name), int | str) for row in rows)), None)


def _by(name: str, entries: list[Json]) -> dict[str, Json]:
    return {str(entry[name]): entry for entry in entries if isinstance(entry, dict)}


def _is_long(old: str | None, new: str | None) -> bool:
    return any(len(text or "") > LONGEST_LINE or "\n" in (text or "") for text in (old, new))


def _lines(old: str, new: str) -> Iterator[str]:
    """As `diff -u` has it, without its two lines of file names."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
    return (line for i, line in enumerate(lines) if i > 1)
