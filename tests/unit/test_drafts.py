"""Streamed text is released sentence by sentence, whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.runtime.drafts import SentenceStream


def released(*deltas):
    stream = SentenceStream()
    return [stream.feed(delta) for delta in deltas] + [stream.close()]


def test_a_sentence_is_released_when_the_next_begins() -> None:
    assert released("Hello A", "na. How", " are you?") == ["", "Hello Ana. ", "", "How are you?"]


def test_an_end_mark_alone_is_not_enough() -> None:
    assert released("It costs 3", ".", "50 now", ". Ok") == ["", "", "", "It costs 3.50 now. ", "Ok"]


def test_a_line_is_released_at_its_end() -> None:
    assert released("You need:\n- a", " card\n") == ["You need:\n", "- a card\n", ""]


def test_code_is_released_when_its_fence_closes() -> None:
    assert released("Look:\n```\na. B\n", "c\n", "```\nBye") == ["Look:\n", "", "```\na. B\nc\n```\n", "Bye"]


@pytest.mark.parametrize("whole", ["[a. B](http://x.y. z)", "`a. B`"])
def test_a_link_and_inline_code_are_not_cut(whole) -> None:
    for cut in range(1, len(whole)):
        stream = SentenceStream()
        stream.feed("See " + whole[:cut])
        assert stream.released == ""


def test_what_was_released_can_be_read_back() -> None:
    stream = SentenceStream()
    stream.feed("One. Two. Thr")
    assert stream.released == "One. Two. "


fragments = st.sampled_from(
    ["Hello. ", "a", " b? ", "\n", "```\n", "`", "[x](", ") ", "Dr. Who. ", "1. ", "Ñ! ", "- i\n"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(fragments, max_size=25))
def test_nothing_is_lost_or_said_twice(deltas) -> None:
    assert "".join(released(*deltas)) == "".join(deltas)


@settings(max_examples=100, deadline=None)
@given(st.lists(fragments, max_size=15).map("".join), st.integers(1, 7))
def test_a_release_never_ends_inside_a_word(text, size) -> None:
    stream = SentenceStream()
    for i in range(0, len(text), size):
        stream.feed(text[i : i + size])
        assert stream.released == "" or stream.released[-1].isspace()
