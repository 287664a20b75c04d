"""Every member of every section, replaced by what nobody should send: refused with its path, and never slowly.

It walks the examples of the documented shapes, so that a section and a member are covered by being declared.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from frontdesk.assistants.config import SECTIONS
from frontdesk.assistants.section import faults, read
from frontdesk.core.errors import Invalid
from tests.unit.test_sections import EXAMPLES

Steps = tuple[str | int, ...]


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "a megabyte of text": "x" * 1_048_576,
    "a zero byte": "a\x00b",
    "half a surrogate pair": "\ud800",
    "a number of 400 digits": 10**400,
    "a negative number of 400 digits": -(10**400),
    "not a number": float("nan"),
    "infinity": float("inf"),
    "lists in lists": nested(300),
    "an object of another kind": {"colour": {"red": 1}},
    "two thousand entries": [{"colour": i} for i in range(2_000)],
}
# What a member may well take: a text of words takes any plain text, a switch takes true.
MAY_FIT: dict[str, Any] = {"true": True, "a number": 1, "a fraction": 0.5, "a word": "blue", "nothing": []}


def places(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """The steps to each member of an example, and to each entry of its lists."""
    yield steps
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*steps, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(inner, (*steps, i))


def replaced(name: str, steps: Steps, by: Any) -> Any:
    if not steps:
        return by
    whole = copy.deepcopy(EXAMPLES[name])
    holder: Any = whole
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = by
    return whole


def at(name: str, steps: Steps) -> str:
    return ".".join([name, *map(str, steps)])


def is_near(path: str, place: str) -> bool:
    """The member itself, what is in it, or the section of which it breaks a rule."""
    return path == place or path.startswith(f"{place}.") or place.startswith(f"{path}.")


EVERY = [(name, steps) for name in SECTIONS for steps in places(EXAMPLES[name])]


@pytest.mark.parametrize("what", HOSTILE)
def test_no_member_takes_what_nobody_should_send(what: str) -> None:
    for name, steps in EVERY:
        wrong = faults(SECTIONS[name], replaced(name, steps, HOSTILE[what]), name)
        assert wrong, (at(name, steps), what)
        assert any(is_near(fault.path, at(name, steps)) for fault in wrong), (at(name, steps), wrong)
        assert all(len(fault.message) < 500 for fault in wrong), at(name, steps)


@pytest.mark.parametrize("what", MAY_FIT)
def test_what_a_member_does_not_take_is_told_where_it_stands(what: str) -> None:
    for name, steps in EVERY:
        for fault in faults(SECTIONS[name], replaced(name, steps, MAY_FIT[what]), name):
            assert is_near(fault.path, at(name, steps)), (at(name, steps), fault)
            assert fault.message[0].islower(), fault


@pytest.mark.parametrize("name", SECTIONS)
def test_an_unknown_member_is_refused_wherever_it_stands(name: str) -> None:
    objects = [steps for steps in places(EXAMPLES[name]) if isinstance(_value(name, steps), dict)]
    assert objects
    for steps in objects:
        wrong = {fault.path for fault in faults(SECTIONS[name], replaced(name, (*steps, "colour"), 1), name)}
        assert at(name, (*steps, "colour")) in wrong, wrong


def _value(name: str, steps: Steps) -> Any:
    value: Any = EXAMPLES[name]
    for step in steps:
        value = value[step]
    return value


@pytest.mark.parametrize("name", [name for name in SECTIONS if isinstance(EXAMPLES[name], list)])
def test_a_list_of_five_hundred_entries_is_over_its_limit(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(SECTIONS[name], EXAMPLES[name] * 500, name)
    assert name in refused.value.errors
