"""An answer in parts: never inside a word, a link, a list or code, and nothing is lost."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.response_config import ResponseConfig
from frontdesk.runtime.blocks import blocks
from frontdesk.runtime.parts import split
from frontdesk.runtime.sentence import ends

SINGLE = ResponseConfig()
MULTI = ResponseConfig(mode="multi")
LONG = "The clinic opens at nine in the morning and closes at six in the evening, from Monday to Friday. " * 2
LINK = "See [our page. It is good](https://example.com/a.b?c=d. e) for more."
LIST = "You need:\n- your card\n- your papers\n\n- patience"
CODE = "```\nfirst. Second\n\nthird\n```"


def parts(text, config=MULTI):
    return [part.text for part in split(text, config)]


def test_single_is_one_message() -> None:
    assert parts(f"One.\n\nTwo.\n\n{LONG}", SINGLE) == [f"One.\n\nTwo.\n\n{LONG}".strip()]


def test_paragraphs_are_messages() -> None:
    assert parts("One.\n\nTwo.\n\n\nThree.") == ["One.", "Two.", "Three."]


def test_more_paragraphs_than_messages_are_put_together() -> None:
    found = parts("\n\n".join(f"Paragraph {i}." for i in range(7)))
    assert len(found) == 3
    assert found[0] == "Paragraph 0.\n\nParagraph 1."


def test_a_short_paragraph_stays_whole() -> None:
    assert parts("Hello Ana. How are you? I am here.") == ["Hello Ana. How are you? I am here."]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    found = parts((LONG * 2).strip())
    assert len(found) == 2
    assert all(part.endswith("Friday.") for part in found)


@pytest.mark.parametrize("whole", [LIST, CODE, "| a | b |\n| - | - |\n| 1. | 2. |"])
def test_lists_tables_and_code_stay_whole(whole) -> None:
    found = parts(f"Hello.\n\n{whole}\n\nBye.")
    assert found == ["Hello.", whole, "Bye."]


def test_a_fence_that_is_never_closed_is_code_to_the_end() -> None:
    assert parts("Look.\n\n```\na. B\n\nc. D") == ["Look.", "```\na. B\n\nc. D"]


def test_empty_is_nothing() -> None:
    assert split("  \n ", MULTI) == ()


@pytest.mark.parametrize(
    ("text", "count"),
    [("Dr. Torres is here. She waits.", 1), ("La Sra. Ruiz llegó. Espera.", 1), ("It costs 3.50 today. Fine.", 1),
     ("Go to example.com. Then write.", 1), ("¿Vienes? ¡Claro! Voy.", 2), ("Wait... really", 0),
     ("J. K. Rowling wrote it. Yes.", 1), ("He said “Stop. Now.” She left.", 1), (LINK, 0), ("Use `a. B` now. Ok.", 1),
     ("Llama al tel. 300 123. Gracias.", 1), ("1. Cut it. 2. Glue it.", 1), ("Yes 🙂. Good.", 1)],
)  # fmt: skip
def test_where_a_sentence_ends(text, count) -> None:
    assert len(list(ends(text))) == count


def test_delays_grow_with_the_text_and_the_first_part_does_not_wait() -> None:
    first, second, third = split("One.\n\nTwo.\n\n" + LONG * 3, MULTI)
    assert first.delay_seconds == 0
    assert 1 <= second.delay_seconds < third.delay_seconds <= 4


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
sentences = st.lists(words, min_size=1, max_size=12).map(lambda ws: " ".join(ws).capitalize() + ". ")
paragraphs = st.lists(sentences, min_size=1, max_size=6).map("".join)
answers = st.lists(paragraphs | st.sampled_from([LINK, LIST, CODE, LONG]), min_size=1, max_size=6).map("\n\n".join)


@settings(max_examples=60, deadline=None)
@given(answers | st.text(max_size=400), st.integers(1, 5))
def test_nothing_is_lost_and_nothing_is_cut_inside(text, count) -> None:
    found = parts(text, ResponseConfig(mode="multi", max_messages=count))
    assert len(found) <= count
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    assert all(part.strip() for part in found)
    place = 0
    for part in found:
        start = text.index(part, place)
        assert start == 0 or text[start - 1].isspace()
        place = start + len(part)
    for whole in (LINK, CODE):
        if whole in text and [block.text for block in blocks(text) if whole in block.text]:
            assert any(whole in part for part in found)


@pytest.mark.parametrize("mark", ["!", "[", "“", '"A. ', "**a. ", "[a](", "`", ". A[“"])
def test_an_answer_of_marks_takes_no_time(mark) -> None:
    started = time.process_time()
    split(mark * 10_000, MULTI)
    assert time.process_time() - started < 10  # a square of it would take minutes
