"""No message is longer than its channel takes, and a long answer is cut where it hurts least."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.response_config import ResponseConfig
from frontdesk.runtime.lengths import fitted
from frontdesk.runtime.parts import MOST, split, split_for
from frontdesk.runtime.sentence import ends

SENTENCE = "The clinic opens at nine in the morning. "
LINKED = "See [our two pages](https://example.com/a.b?c=d) today, or https://example.com/e.f?g=h,i please. "
ITEMS = "\n".join(f"- item {i} of the list" for i in range(20))
TABLE = "| a | b |\n|---|---|\n" + "\n".join(f"| {i}.5 | Dr. {i} |" for i in range(12))
CODE = "```\nfirst = 1. Second\nthird\n```"
MULTI = ResponseConfig(mode="multi", max_messages=3)


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_what_fits_stays_one_message() -> None:
    assert fitted("One.\n\nTwo.", 100) == ["One.\n\nTwo."]


@pytest.mark.parametrize(
    ("text", "longest", "pieces"),
    [("One one.\n\nTwo two.", 10, ["One one.", "Two two."]),
     ("One one. Two two.", 10, ["One one.", "Two two."]),
     ("one two three four", 9, ["one two", "three", "four"]),
     ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
     ("- one one\n- two two\n- three", 20, ["- one one\n- two two", "- three"]),
     ("a [b c](https://d.example) e", 26, ["a [b c](https://d.example)", "e"]),
     ("a [b c](https://d.example) e", 25, ["a", "[b c](https://d.example)", "e"]),
     ("👩‍👩‍👧" * 3, 6, ["👩‍👩‍👧", "👩‍👩‍👧", "👩‍👩‍👧"]), ("e\u0301" * 3, 3, ["e\u0301", "e\u0301", "e\u0301"])],
    ids=["blocks", "sentences", "words", "a word", "items", "link whole", "link moved", "families", "accents"],
)  # fmt: skip
def test_where_a_long_text_is_cut(text: str, longest: int, pieces: list[str]) -> None:
    assert fitted(text, longest) == pieces


def test_one_message_is_several_where_the_channel_is_narrow() -> None:
    parts = split_for("instagram", SENTENCE * 60, ResponseConfig())
    assert [part.delay_seconds for part in parts] == [0] * len(parts)
    assert len(parts) == 3
    assert max(len(part.text) for part in parts) <= 1000
    assert all(part.text.endswith("morning.") for part in parts)


def test_a_mail_is_one_answer() -> None:
    assert len(split_for("email", "One.\n\nTwo.\n\n" + SENTENCE * 60, MULTI)) == 1
    assert len(split_for("whatsapp", "One.\n\nTwo.\n\nThree.", MULTI)) == 3


def test_a_channel_that_is_only_a_form_has_no_limit() -> None:
    assert len(split_for("api", "x" * 50_000, ResponseConfig())) == 1


WHOLE = [f"\n\n{block}\n\n" for block in (ITEMS, TABLE, CODE)]
pieces = st.sampled_from(
    [SENTENCE, LINKED, "Dr. Ruiz costs 3.5 today. ", "\n\n", "word " * 30, "ñandú 🙂🙂 e\u0301 ", *WHOLE]
)
answers = st.lists(pieces, min_size=1, max_size=8).map("".join) | st.text(max_size=300)


@settings(max_examples=80, deadline=None)
@given(answers, st.integers(1, 5), st.integers(60, 700))
def test_the_same_text_in_messages_that_fit(text: str, most: int, longest: int) -> None:
    found = [part.text for part in split(text, ResponseConfig(mode="multi", max_messages=most), longest)]
    assert bare("".join(found)) == bare(text)
    assert all(part.strip() and len(part) <= longest for part in found)
    if len(text.strip()) <= longest:
        assert len(found) <= most
    for whole in ("[our two pages](https://example.com/a.b?c=d)", "https://example.com/e.f?g=h,i"):
        assert sum(part.count(whole) for part in found) == text.count(whole)


@settings(max_examples=60, deadline=None)
@given(answers, st.integers(1, 5))
def test_a_part_ends_where_something_ends(text: str, most: int) -> None:
    found = [part.text for part in split(text, ResponseConfig(mode="multi", max_messages=most))]
    assert len(found) <= most
    for whole in (ITEMS, TABLE, CODE):
        assert sum(part.count(whole) for part in found) == text.count(whole)
    for part in found[:-1]:
        assert not re.search(r"(\bDr|\d)\.$", part)


@pytest.mark.parametrize(
    ("text", "count"),
    [("The U.S. Army came. It left.", 1), ("At 5 p.m. We close. Bye.", 1), ("El 3 de ene. Luis vino. Bien.", 1),
     ("Bring pens, paper, etc. The rest is ours. Ok.", 1), ("En EE.UU. Ana vive. Bien.", 1)],
)  # fmt: skip
def test_short_forms_end_no_sentence(text: str, count: int) -> None:
    assert len(list(ends(text))) == count


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 60), st.floats(0, 60), st.lists(st.integers(1, 900), min_size=2, max_size=5))
def test_pauses_lie_between_the_bounds_and_grow_with_the_part(low: float, high: float, lengths: list[int]) -> None:
    low, high = sorted((low, high))
    config = ResponseConfig.model_validate(
        {"mode": "multi", "max_messages": 5, "delay_seconds": {"min": low, "max": high}}
    )
    first, *rest = split("\n\n".join("x" * length for length in lengths), config)
    assert first.delay_seconds == 0
    assert all(low - 0.01 <= part.delay_seconds <= high + 0.01 for part in rest)
    ordered = sorted(rest, key=lambda part: len(part.text))
    assert [part.delay_seconds for part in ordered] == sorted(part.delay_seconds for part in rest)


@pytest.mark.parametrize("channel", ["whatsapp", "email", "webchat"])
def test_a_model_that_does_not_stop_is_stopped(channel: str) -> None:
    parts = split_for(channel, SENTENCE * 3_000, MULTI)
    assert sum(len(part.text) for part in parts) <= MOST + 2 * len(parts)
    assert parts[-1].text.endswith(" …")
