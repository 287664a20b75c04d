"""What two snapshots differ in, in words that people can read."""

import pytest

from frontdesk.assistants.differences import differences
from frontdesk.core.errors import Json


def fields(old: dict[str, Json], new: dict[str, Json]) -> list[Json]:
    return [entry["field"] for entry in differences(old, new)]


def test_nothing_differs_from_itself() -> None:
    assert differences({"name": "Eva", "version": 1}, {"name": "Eva", "version": 2}) == []


def test_a_short_value_shows_both() -> None:
    assert differences({"name": "Eva"}, {"name": "Ana"}) == [{"field": "name", "old": "Eva", "new": "Ana"}]


def test_a_long_text_shows_its_lines() -> None:
    found = differences({"instructions": "One.\nTwo.\nThree."}, {"instructions": "One.\nTwo!\nThree."})
    assert found[0]["diff"] == "@@ -1,3 +1,3 @@\n One.\n-Two.\n+Two!\n Three."


def test_a_default_that_is_written_out_is_no_difference() -> None:
    old: dict[str, Json] = {"response_config": {"mode": "multi"}}
    assert differences(old, {"response_config": {"mode": "multi", "max_messages": 3}}) == []
    assert differences({"internal_tools": {"tools": {"get_product": True}}},
                       {"internal_tools": {"tools": {"get_product": {"enabled": True}}}}) == []  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"response_config": {"mode": "single"}}, {"response_config": {"mode": "multi"}}, ["response_config.mode"]),
        ({}, {"api_tools": []}, ["api_tools"]),
        ({"skills": [{"id": 1, "name": "A"}]}, {"skills": [{"id": 1, "name": "B"}]}, ["skills.1.name"]),
        ({"skills": [{"id": 1}]}, {"skills": [{"id": 2}, {"id": 1}]}, ["skills.2"]),
        ({"x": [1, 2]}, {"x": [1, 3]}, ["x"]),
        ({"response_config": {"mode": "of old"}}, {"response_config": {"mode": "multi"}}, ["response_config.mode"]),
        ({"kept_instructions": "a", "updated_at": "a"}, {"kept_instructions": "b", "updated_at": "b"}, []),
    ],
    ids=["member", "new field", "entry", "new entry", "values", "old shape", "aside"],
)
def test_a_difference_is_named_by_its_path(old: dict[str, Json], new: dict[str, Json], expected: list[str]) -> None:
    assert [
        name for name in fields(old, new) if "max_messages" not in str(name) and "delay" not in str(name)
    ] == expected
