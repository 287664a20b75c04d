"""Custom values: what each type accepts, and that what was accepted is stored as it was meant."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.custom_values import TYPES, Definition, find_named, mentions, wanted, write_json
from frontdesk.core.fields import Plain, Wrong
from frontdesk.resources.crm.names import KEY, key_from

OPTIONS = ("gold", "silver")


def defined(kind: str, *, is_required: bool = False) -> Definition:
    return Definition(7, "plan", "Plan", kind, OPTIONS if kind.endswith("select") else (), is_required)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)
NUMBERS = st.decimals(-(10**13), 10**13, places=6)
VALUES = {
    "text": TEXTS,
    "number": NUMBERS.map(str) | st.integers(-(10**13), 10**13) | st.floats(-1e9, 1e9).map(lambda x: round(x, 6)),
    "date": st.dates().map(date.isoformat),
    "boolean": st.booleans(),
    "select": st.sampled_from(OPTIONS),
    "multi-select": st.lists(st.sampled_from(OPTIONS), unique=True),
}
ACCEPTED = st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(text: str) -> Plain:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)["7"]  # type: ignore[no-any-return]


def test_there_are_values_for_every_type() -> None:
    assert set(VALUES) == set(TYPES)


@given(ACCEPTED)
def test_what_is_accepted_is_stored_as_it_was_meant(case: tuple[str, object]) -> None:
    kind, value = case
    stored = read(write_json({7: defined(kind).check(value)}))
    assert stored == (Decimal(str(value)) if kind == "number" else value)


@given(ACCEPTED)
def test_what_is_stored_is_accepted_again(case: tuple[str, object]) -> None:
    kind, value = case
    once = defined(kind).check(value)
    stored = read(write_json({7: once}))
    sent = str(stored) if isinstance(stored, Decimal) else stored
    assert defined(kind).check(sent) == once


@given(st.sampled_from(sorted(TYPES)), ANYTHING)
def test_anything_else_is_refused_in_a_sentence(kind: str, value: object) -> None:
    with suppress(Wrong):  # and by nothing else: every other exception would be an error of ours
        assert "7" in json.loads(write_json({7: defined(kind).check(value)}))


@pytest.mark.parametrize("kind", ["select", "multi-select"])
def test_an_option_that_was_removed_is_accepted_where_it_stands(kind: str) -> None:
    old: Plain = "bronze" if kind == "select" else ["bronze", "gold"]
    assert defined(kind).check(old, old) == old
    with pytest.raises(Wrong, match="must be one of gold, silver"):
        defined(kind).check(old, None)


def test_a_required_value_cannot_be_emptied_but_need_not_be_there() -> None:
    required = defined("text", is_required=True)
    assert required.check(None, None) is None
    with pytest.raises(Wrong, match="cannot be emptied"):
        required.check(None, "x")


def test_a_filter_asks_for_one_option_of_several() -> None:
    assert wanted(defined("multi-select"), "gold") == '{"7":["gold"]}'
    assert wanted(defined("select"), 'a"b') == '{"7":"a\\"b"}'
    assert wanted(defined("number"), Decimal("10.50")) == '{"7":10.50}'
    assert wanted(defined("boolean"), False) == '{"7":false}'


def test_a_definition_is_found_by_what_the_member_names() -> None:
    plan = defined("text")
    assert find_named([plan], "custom_fields_by_name", "Plan") is plan
    assert find_named([plan], "custom_fields_by_key", "plan") is plan
    assert find_named([plan], "custom_fields_by_key", "Plan") is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, False),
        (None, False),
        ({"first_name": "custom_fields_by_key"}, False),
        ({"custom_fields_by_key": {"plan": "gold"}}, True),
        ({"$or": [{"a": 1}, {"$and": [{"custom_fields_by_name": {"Plan": 1}}]}]}, True),
    ],
    ids=range(5),
)
def test_only_a_query_that_names_custom_values_needs_their_definitions(query: object, expected: bool) -> None:
    assert mentions(query) is expected


@given(st.lists(st.text(max_size=80), max_size=6))
def test_keys_made_from_names_are_keys_and_differ(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(key_from(name, taken))
    assert all(KEY.fullmatch(key) for key in taken)
    assert len(set(taken)) == len(taken)
