"""An API's answer becomes data of a bounded size, without the secrets that were sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from frontdesk.assistants.api_answer import LONGEST_ANSWER, readable, trimmed, without

JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.builds(lambda text, n: text * n, some.text(max_size=9), some.integers(0, 900)),
    lambda inner: some.lists(inner, max_size=9) | some.dictionaries(some.text(max_size=9), inner, max_size=9),
    max_leaves=20,
)


@given(value=JSON)
def test_whatever_came_fits(value) -> None:
    assert len(json.dumps(trimmed(value), ensure_ascii=False)) <= LONGEST_ANSWER * 1.1


@given(value=some.dictionaries(some.text(max_size=9), some.lists(some.text(max_size=30), max_size=9), max_size=9))
def test_what_fits_is_left_as_it_is(value) -> None:
    assert trimmed(value) == value


def test_a_long_list_keeps_its_first_items_and_says_how_many_are_left_out() -> None:
    rows = [{"id": i, "text": "x" * 100} for i in range(1_000)]
    cut = trimmed({"rows": rows})
    assert isinstance(cut, dict)
    kept = cut["rows"]
    assert isinstance(kept, list)
    assert kept[0] == rows[0]
    assert kept[-1] == f"… [{1_000 - len(kept) + 1} more items]"


def test_an_object_of_very_many_members_is_cut_as_text() -> None:
    cut = trimmed({f"key {i}": i for i in range(10_000)})
    assert isinstance(cut, str)
    assert cut.startswith('{"key 0": 0')
    assert cut.endswith("more characters]")


@given(
    content=some.binary(max_size=200), kind=some.sampled_from(["", "application/json", "text/html", "image/png", ";"])
)
def test_any_bytes_are_readable(content: bytes, kind: str) -> None:
    json.dumps(readable(content, kind)).encode()


@pytest.mark.parametrize("echo", ['{"you sent": "Bearer s3cr3t-t0ken"}', "s3cr3t-t0ken", '["s3cr3t-t0ken!"]'])
def test_a_secret_that_is_echoed_is_masked(echo: str) -> None:
    assert "s3cr3t-t0ken" not in str(readable(echo.encode(), "", ["Bearer s3cr3t-t0ken"]))


def test_short_words_of_a_secret_are_left_in_texts() -> None:
    assert without("a Basic plan", ["Basic QWxhZGRpbjpvcGVu"]) == "a Basic plan"


@pytest.mark.parametrize(("kind", "value"), [
    ("application/problem+json", {"a": 1}), ("application/json; charset=utf-8", {"a": 1}), ("", {"a": 1}),
    ("text/plain", {"a": 1}), ("application/pdf", "[application/pdf, 8 bytes, left out]"),
])  # fmt: skip
def test_json_is_values_whatever_its_type_is_called(kind: str, value: object) -> None:
    assert readable(b'{"a": 1}', kind) == value
