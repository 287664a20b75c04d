"""Which answer a turn ends with, whatever its model wrote: whole, cut off, wrapped, beside tools, twice."""

import json

import pytest
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, TextPart, ToolCallPart

from frontdesk.assistants.json_keys import JsonKeys
from frontdesk.runtime.final_answer import Answers, members_of
from frontdesk.runtime.tool_history import StoredStep

KEYS = JsonKeys.model_validate([{"key": "intent", "enum": ["book", "other"], "required": True}, {"key": "note"}]).root


def given(reply=None, **values):
    members = values if reply is None else {"reply": reply, **values}
    return ToolCallPart("final_answer", json.dumps(members), tool_call_id="a")


def tool():
    return ToolCallPart("add_note", "{}", tool_call_id="t")


def answers(*responses):
    steps = [
        StoredStep(i, "model", messages=json.loads(ModelMessagesTypeAdapter.dump_json([ModelResponse(list(parts))])))
        for i, parts in enumerate(responses, 1)
    ]
    return Answers(KEYS, steps)


def test_a_good_answer_is_taken() -> None:
    taken = answers([given("Hi", intent="book", note="x", other=1)]).taken
    assert (taken.text, taken.output.values, taken.output.faults) == ("Hi", {"intent": "book", "note": "x"}, {})


def test_values_stand_in_the_order_of_their_declaration() -> None:
    assert list(answers([given("Hi", note="x", intent="book")]).taken.output.values) == ["intent", "note"]


@pytest.mark.parametrize("parts", [[given("Hi", intent="fly")], [given(intent="book")], [TextPart("Hi")], []])
def test_a_bad_answer_is_corrected_once(parts) -> None:
    assert answers(parts).taken is None
    assert answers(parts).to_correct is not None
    assert answers(parts, parts).taken is not None


def test_a_reply_is_never_taken_away_by_a_correction() -> None:
    taken = answers([given("First", intent="fly")], [given("Second", intent="book")]).taken
    assert (taken.text, taken.output.values) == ("First", {"intent": "book"})


def test_a_missing_reply_comes_from_the_correction() -> None:
    assert answers([given(intent="book")], [given("Hi", intent="fly")]).taken.text == "Hi"


def test_a_value_that_held_once_is_kept() -> None:
    taken = answers([given("Hi", intent="book", note=3)], [given("Hi", note="x")]).taken
    assert taken.output.values == {"intent": "book", "note": "x"}
    assert taken.output.faults == {}


def test_what_was_said_before_a_tool_was_called_is_no_reply_to_its_result() -> None:
    taken = answers([given("Wait", intent="fly")], [tool()], [given("Noted", intent="book")]).taken
    assert taken.text == "Noted"


def test_an_answer_beside_a_tool_call_is_not_the_last_one() -> None:
    early = answers([tool(), given("Hi", intent="book")])
    assert early.taken is None
    assert early.to_correct is None
    assert early.best is None


def test_text_beside_a_call_is_the_reply_only_where_the_call_has_none() -> None:
    assert answers([TextPart("Thinking"), given("Hi", intent="book")]).taken.text == "Hi"
    assert answers([TextPart("Hi"), given(intent="book")]).taken.text == "Hi"


@pytest.mark.parametrize(
    "text", ['{"reply": "Hi", "intent": "book"}', '```json\n{"reply": "Hi", "intent": "book"}\n```']
)
def test_an_answer_that_is_written_as_text_is_one(text) -> None:
    taken = answers([TextPart(text)]).taken
    assert (taken.text, taken.output.values) == ("Hi", {"intent": "book"})


def test_text_that_has_braces_is_a_reply() -> None:
    assert answers([TextPart("Write {name}!")]).best.text == "Write {name}!"


@pytest.mark.parametrize(
    ("args", "members"),
    [
        ('{"reply": "Hi"}', {"reply": "Hi"}),
        ({"reply": "Hi"}, {"reply": "Hi"}),
        ('```json\n{"reply": "Hi"}\n```', {"reply": "Hi"}),
        (json.dumps('{"reply": "Hi"}'), {"reply": "Hi"}),
        ('{"intent": "book", "reply": "Hi th', {"intent": "book"}),
        ('{"reply": "a\\ud800b\\u0000"}', {"reply": "a\ufffdb\ufffd"}),
        ('{"n": NaN}', {"n": "nan"}),
        ("[1]", {}),
        ('{"reply": "Hi", "n": ' + "9" * 5000 + "}", {}),
        ('{"reply": ' + "[" * 5000, {}),
        ("no json", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_arguments_are_read_in_every_form_that_models_write(args, members) -> None:
    assert members_of(args) == members
