"""What a model gave, against what was declared: types, choices, what may be absent."""

import pytest

from frontdesk.assistants.json_keys import JsonKeys, answer_schema
from frontdesk.assistants.json_values import judge


def keys(*entries):
    return JsonKeys.model_validate(list(entries)).root


@pytest.mark.parametrize(
    ("declared", "given", "kept"),
    [
        ({"type": "string"}, "x", "x"),
        ({"type": "string", "enum": ["Book", "other"]}, " book ", "Book"),
        ({"type": "integer"}, 3.0, 3),
        ({"type": "integer", "enum": [1, 2]}, 2, 2),
        ({"type": "number"}, 2, 2),
        ({"type": "number"}, 2.5, 2.5),
        ({"type": "boolean"}, False, False),
        ({"type": "date"}, "2026-02-28T10:00:00Z", "2026-02-28"),
        ({"type": "array"}, ["a", "b"], ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}}, [], []),
        ({"type": "object", "properties": [{"key": "a"}, {"key": "b"}]}, {"a": "x", "z": 1, "b": None}, {"a": "x"}),
        ({"type": "array", "items": {"type": "object", "properties": [{"key": "n", "type": "integer"}]}},
         [{"n": 1}, {}], [{"n": 1}, {}]),
    ],
)  # fmt: skip
def test_what_holds_is_kept_in_its_type(declared, given, kept) -> None:
    judged = judge(keys({"key": "k", **declared}), {"k": given, "other": 1})
    assert judged.faults == {}
    assert judged.values == {"k": kept}
    assert type(judged.values["k"]) is type(kept)


@pytest.mark.parametrize(
    ("declared", "given", "sentence"),
    [
        ({"type": "string"}, 3, "k must be a text"),
        ({"type": "string", "enum": ["a", "b"]}, "c", "k must be one of a, b"),
        ({"type": "string"}, "x" * 10_001, "k must have at most 10000 characters"),
        ({"type": "integer"}, 3.5, "k must be a whole number"),
        ({"type": "integer"}, True, "k must be a whole number"),
        ({"type": "integer"}, "3", "k must be a whole number"),
        ({"type": "number"}, float("inf"), "k must be a number"),
        ({"type": "number"}, float("nan"), "k must be a number"),
        ({"type": "integer"}, 10**20, "k must be a whole number"),
        ({"type": "boolean"}, 1, "k must be true or false"),
        ({"type": "date"}, "tomorrow", "k must be a day as YYYY-MM-DD"),
        ({"type": "date"}, "2026-02-30", "k must be a day as YYYY-MM-DD"),
        ({"type": "array"}, "a", "k must be a list"),
        ({"type": "array"}, ["a", 1], "k[1] must be a text"),
        ({"type": "array"}, ["a"] * 201, "k must have at most 200 items"),
        ({"type": "object", "properties": [{"key": "a"}]}, [], "k must be an object"),
        ({"type": "object", "properties": [{"key": "a", "required": True}]}, {"a": ""}, "k.a is required"),
        ({"type": "object", "properties": [{"key": "a", "type": "array"}]}, {"a": [1]}, "k.a[0] must be a text"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_named(declared, given, sentence) -> None:
    judged = judge(keys({"key": "k", **declared}), {"k": given})
    assert judged.values == {}
    assert judged.faults == {"k": ("invalid", sentence)}


@pytest.mark.parametrize("given", [{}, {"k": None}, {"k": ""}, {"k": " "}])
def test_only_what_is_required_may_not_be_absent(given) -> None:
    assert judge(keys({"key": "k"}), given).faults == {}
    assert judge(keys({"key": "k", "required": True}), given).faults == {"k": ("missing", "k is required")}


def test_the_schema_says_all_of_it_with_the_reply_first() -> None:
    schema = answer_schema(keys(
        {"key": "intent", "enum": ["a"], "description": "What for", "required": True}, {"key": "day", "type": "date"},
        {"key": "lines", "type": "array", "items": {"type": "object", "properties": [{"key": "n", "type": "integer"}]}},
    ))  # fmt: skip
    assert list(schema["properties"]) == ["reply", "intent", "day", "lines"]
    assert schema["required"] == ["reply", "intent"]
    assert schema["properties"]["intent"] == {"type": "string", "description": "What for", "enum": ["a"]}
    assert schema["properties"]["day"] == {"type": "string", "format": "date"}
    assert schema["properties"]["lines"]["items"]["properties"] == {"n": {"type": "integer"}}
