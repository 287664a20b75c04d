"""The pure parts of the built-in model: reading its JSON, dates, languages, shapes of tools."""

import json
from datetime import UTC, date, datetime

import pytest
from pydantic_ai.tools import ToolDefinition

from frontdesk.models.local.answer import AnswerReader, SentenceReader
from frontdesk.models.local.dates import find_date, find_time, resolve
from frontdesk.models.local.evidence import Evidence
from frontdesk.models.local.server import choose_threads
from frontdesk.models.local.shapes import MAX_TOOLS, grammar, read_tool, read_tools
from frontdesk.models.local.words import PHRASES, ask_for, language_of

TODAY = date(2026, 3, 4)  # a Wednesday
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
REPLY = {"reply": 'Sí — "claro", 5 €\n¡Adiós! \U0001f600\\'}


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_reply_is_read_while_it_is_written(size: int, is_ascii: bool) -> None:
    text, reader = json.dumps(REPLY, ensure_ascii=is_ascii), AnswerReader()
    pieces = [reader.feed(text[i : i + size]) for i in range(0, len(text), size)]
    assert "".join(pieces) == REPLY["reply"]
    assert reader.is_reply


def test_a_reply_comes_out_before_its_end() -> None:
    assert AnswerReader().feed('{ "reply" : "Hello th') == "Hello th"


def test_a_call_is_read_whole() -> None:
    reader = AnswerReader()
    assert reader.feed('{"tool": "find_contact", "arguments": {"search": "Ana"}}') == ""
    assert reader.call() == ("find_contact", {"search": "Ana"})


@pytest.mark.parametrize("text", ["", "{", '{"tool": "x"}', '{"tool": "x", "arguments": 3}', '{"tool": "find_con'])
def test_a_cut_call_is_none(text: str) -> None:
    reader = AnswerReader()
    reader.feed(text)
    assert reader.call() is None


def test_sentences_are_held_until_they_are_whole() -> None:
    reader = SentenceReader()
    assert list(reader.feed("It costs 3.50 €. Anything el")) == ["It costs 3.50 €. "]
    assert list(reader.feed("se? Yes")) == ["Anything else? "]
    assert reader.rest() == "Yes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tomorrow", date(2026, 3, 5)),
        ("mañana por la mañana", date(2026, 3, 5)),
        ("el viernes por la mañana", date(2026, 3, 6)),
        ("pasado mañana", date(2026, 3, 6)),
        ("the day after tomorrow", date(2026, 3, 6)),
        ("next Wednesday", date(2026, 3, 11)),
        ("el miércoles", date(2026, 3, 11)),
        ("2026-05-01", date(2026, 5, 1)),
        ("el 3 de febrero", date(2027, 2, 3)),
        ("March 20th", date(2026, 3, 20)),
        ("20/3", date(2026, 3, 20)),
        ("15/08/27", date(2027, 8, 15)),
        ("dentro de 2 semanas", date(2026, 3, 18)),
        ("in 3 days", date(2026, 3, 7)),
        ("31/02", None),
        ("por la mañana", None),
        ("whenever you like", None),
    ],
)
def test_dates_in_words(text: str, found: date | None) -> None:
    assert find_date(text, TODAY) == found


@pytest.mark.parametrize(
    ("text", "hour"),
    [("at 5 pm", "17:00"), ("a las 5 de la tarde", "17:00"), ("10:30", "10:30"), ("a las 9", "09:00"), ("99:99", None)],
)
def test_times_in_words(text: str, hour: str | None) -> None:
    found = find_time(text)
    assert (found.isoformat("minutes") if found else None) == hour


def test_a_date_is_given_in_the_format_that_is_asked_for() -> None:
    assert resolve("tomorrow at 10:30", "date-time", NOW) == "2026-03-05T10:30:00+00:00"
    assert resolve("tomorrow", "date", NOW) == "2026-03-05"
    assert resolve("tomorrow", "date-time", NOW) is None
    assert resolve("10:30", "time", NOW) == "10:30"


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["What is the price?"], "en"),
        (["cuanto cuesta una limpieza"], "es"),
        (["600 123 456", "¿Puedes cambiarlo?"], "es"),
        (["ok"], "en"),
    ],
)
def test_languages(texts: list[str], language: str) -> None:
    assert language_of(texts) == language


def test_what_is_missing_is_asked_for_in_words() -> None:
    assert ask_for(["phone", "email"], PHRASES["es"]).startswith("¿Me puedes decir el número de teléfono y el correo")
    assert ask_for(["shoe_size"], PHRASES["en"]) == "Could you please tell me shoe size?"


SCHEMA = {
    "type": "object",
    "$defs": {"Kind": {"enum": ["a", "b"]}},
    "properties": {
        "contact_id": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "kind": {"$ref": "#/$defs/Kind"},
        "day": {"type": "string", "format": "date"},
        "urgent": {"type": "boolean"},
        "count": {"type": ["integer", "null"]},
        "note": {"type": "string"},
        "fields": {"type": "object"},
    },
    "required": ["kind"],
}


def test_a_schema_is_cut_down_to_kinds() -> None:
    tool = read_tool(ToolDefinition(name="add_activity", parameters_json_schema=SCHEMA))
    kinds = {p.name: p.kind for p in tool.parameters}
    assert kinds == {
        "contact_id": "id", "kind": "choice", "day": "date", "urgent": "flag", "count": "number", "note": "free",
        "fields": "group",
    }  # fmt: skip
    assert (tool.noun, tool.is_reading, tool.parameters[0].noun) == ("activity", False, "contact")


def test_the_grammar_requires_no_argument() -> None:
    tool = read_tool(ToolDefinition(name="add_activity", parameters_json_schema=SCHEMA))
    whole = grammar([tool], may_reply=True)
    branches = whole["anyOf"]
    assert isinstance(branches, list)
    arguments = branches[1]["properties"]["arguments"]
    assert arguments["required"] == []
    assert "urgent" not in arguments["properties"]
    assert "anyOf" not in grammar([tool], may_reply=False)


def test_no_more_than_25_tools_are_offered() -> None:
    assert len(read_tools(ToolDefinition(name=f"find_{n}") for n in range(40))) == MAX_TOOLS


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (4, 3), (16, 15)])
def test_threads(cores: int, threads: int) -> None:
    assert choose_threads(cores) == threads


@pytest.mark.parametrize(
    ("sentence", "is_fact"),
    [
        ("Ana Torres's phone number is 555-0177.", False),
        ("El teléfono de Ana Torres es 555-0177.", False),
        ("Tom Hill's phone number is 699 000 111.", True),
        ("Luna Dental's number is 212 555 0100.", True),
        ("Your phone number is now 555-0177.", True),
    ],
)
def test_a_customers_own_number_is_not_told_as_somebody_elses(sentence: str, is_fact: bool) -> None:
    texts = ("Please change my number to 555-0177", "Luna Dental, 212 555 0100")
    rows = ('{"first_name": "Tom", "last_name": "Hill", "phone": "699 000 111"}',)
    evidence = Evidence(texts[:1], texts, (*texts, *rows), {}, "", texts, rows)
    assert evidence.states_only_facts(sentence) is is_fact
