"""Drafts: whole sentences, and not more often than a screen needs."""

from frontdesk.core.clock import FakeClock
from frontdesk.runtime.model_loop import DraftPace

WORDS = ["We open ", "at nine. ", "We close ", "at five. ", "See ", "you. ", "Bye"]


async def shown(*pauses: float) -> list[str]:
    """What a page sees when these seconds pass after each word."""
    drafts: list[str] = []
    clock = FakeClock()

    async def show(text: str) -> None:
        drafts.append(text)

    pace = DraftPace(clock, show)
    for word, pause in zip(WORDS, pauses, strict=False):
        await pace.feed(word)
        await clock.advance(pause)
    return [text.strip() for text in drafts]


async def test_each_sentence_is_shown_when_it_is_whole() -> None:
    assert await shown(*([1.0] * 7)) == [
        "We open at nine.", "We open at nine. We close at five.", "We open at nine. We close at five. See you.",
    ]  # fmt: skip


async def test_sentences_that_come_at_once_are_one_draft() -> None:
    assert await shown(*([0.0] * 7)) == ["We open at nine."]
