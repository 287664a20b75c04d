"""YAML that gives the same bytes for the same data, and reads what people write."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.core.errors import Json
from frontdesk.resources.assistants.yaml_files import dump, load

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@settings(deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_reads_the_same_and_is_written_the_same(document: dict[str, Json]) -> None:
    text = dump(document)
    assert load(text) == document
    assert dump(load(text)) == text  # type: ignore[arg-type]


def test_a_text_of_lines_stands_as_a_block() -> None:
    assert dump({"instructions": "One.\nTwo.\n"}) == "instructions: |\n  One.\n  Two.\n"


@pytest.mark.parametrize("text", ["18:00", "2026-12-25", "on", "yes", "1_000", "1e5", "0x1F", "~", "null", "", "007"])
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    assert load(dump({"x": text})) == {"x": text}


def test_people_need_no_quotes_for_times_and_dates() -> None:
    assert load("from: 18:00\ndate: 2026-12-25\nanswer: no") == {"from": "18:00", "date": "2026-12-25", "answer": "no"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\na: 2", "'a' stands there twice"),
        ("a: &x [1]\nb: *x", "an alias"),
        ("a: [1", "line 1"),
        ("1: a", "names must be texts"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("[" * 5000, "is not YAML"),
        ("x" * 5_000_001, "more than"),
    ],
    ids=["twice", "alias", "broken", "number", "object", "deep", "long"],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        load(text)
