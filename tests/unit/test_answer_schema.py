"""The shape of an answer: JSON Schema, or the members with their types."""

import pytest

from frontdesk.assistants.answer_schema import DEEPEST, LONGEST, read_answer_schema
from frontdesk.core.errors import Invalid


def test_members_with_their_types_are_an_object() -> None:
    schema = read_answer_schema(
        {"html": "string", "why": "one sentence", "tags": ["string"], "at": {"x": "number"}}, "s"
    )
    assert schema["required"] == ["html", "why", "tags", "at"]
    assert schema["properties"] == {
        "html": {"type": "string"},
        "why": {"type": "string", "description": "one sentence"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "at": {
            "type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"], "additionalProperties": False,
        },
    }  # fmt: skip


def test_a_schema_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    assert read_answer_schema(schema, "s") == schema
    assert read_answer_schema({"properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {}}}, "s")["type"] == "object"


def test_members_may_be_named_like_words_of_a_schema() -> None:
    assert "type" in read_answer_schema({"type": "what kind of message it is", "text": "string"}, "s")["properties"]


def deep(levels: int) -> dict[str, object]:
    return {"a": deep(levels - 1)} if levels else {"a": "string"}


WRONG = [
    ("text", "s", "an object"),
    ({}, "s", "an object"),
    ([], "s", "an object"),
    ({"a": 1}, "s.a", "a type"),
    ({"a": ["string", "number"]}, "s.a", "a list of one"),
    ({"a": {"b": None}}, "s.a.b", "a type"),
    ({"type": "array", "items": {}}, "s.type", "must be object"),
    ({"properties": {"a": {"type": "strin"}}}, "s.properties.a.type", "not valid JSON Schema"),
    ({"properties": {"a": {}}, "required": "a"}, "s.required", "not valid JSON Schema"),
    ({"properties": {"a": {"$ref": "https://example.com/a"}}}, "s.properties.a.$ref", "within the schema"),
    ({"a": "x" * LONGEST}, "s", "characters"),
    (deep(DEEPEST + 1), "s" + ".a" * (DEEPEST + 1), "nested"),
]


@pytest.mark.parametrize(("value", "path", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(value: object, path: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_answer_schema(value, path="s")
    assert words in caught.value.errors[path]
