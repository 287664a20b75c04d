"""What a tool gives back: rows without empty members, bounded in size.

A result is data that customers may have written. It reaches the model as JSON and is never part of a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from frontdesk.core.errors import Json

Result = dict[str, object]  # JSON; the recursive type has no JSON Schema

LONGEST_TEXT = 2_000  # characters of one member
LONGEST_RESULT = 12_000  # characters of a whole result


def row(value: Mapping[str, Json], names: Sequence[str]) -> Result:
    """One record: the named members that hold something."""
    return {name: value[name] for name in names if value.get(name) not in (None, [], {})}


def page(value: Mapping[str, Json], names: Sequence[str]) -> Result:
    """A list: how many there are in all, and the rows of this page."""
    rows = value["data"]
    assert isinstance(rows, list)
    return {"total": value["total"], "data": [row(one, names) for one in rows if isinstance(one, dict)]}


def bounded(result: Json) -> Json:
    """The result with long texts cut, and rows left out at the end until it fits; both leave a mark."""
    cut = _cut(result, LONGEST_TEXT)
    if not isinstance(cut, dict) or not isinstance(rows := cut.get("data"), list):
        return cut if _size(cut) <= LONGEST_RESULT else _cut(cut, LONGEST_TEXT // 10)
    kept, left_out = list(rows), 0
    while kept and _size({**cut, "data": kept}) > LONGEST_RESULT:
        kept.pop()
        left_out += 1
    return {**cut, "data": kept, "left_out": left_out} if left_out else cut


def _size(value: Json) -> int:
    return len(json.dumps(value, ensure_ascii=False))


def _cut(value: Json, longest: int) -> Json:
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}… [{len(value) - longest} more characters]"
    if isinstance(value, list):
        return [_cut(item, longest) for item in value]
    if isinstance(value, dict):
        return {key: _cut(item, longest) for key, item in value.items()}
    return value
