"""Streamed text on its way to a screen: released only up to the end of a sentence or of a line."""

from __future__ import annotations

from frontdesk.runtime.blocks import fence_of
from frontdesk.runtime.sentence import ends, is_open

CANDIDATES = 3
LONGEST_WAIT = 1_500  # characters; what has no sentence by then waits for its line to end


class SentenceStream:
    """Feed it the model's deltas; it yields text up to the last complete sentence outside of code and links."""

    def __init__(self) -> None:
        self._text = ""
        self._released = 0
        self._line = 0  # where the line begins that is being written
        self._fence: str | None = None  # the mark of the code block that is open

    @property
    def released(self) -> str:
        """All text that has been given out so far."""
        return self._text[: self._released]

    def feed(self, delta: str) -> str:
        """The text that has become complete with `delta`; often empty."""
        self._text += delta
        best = self._released
        while (end := self._text.find("\n", self._line) + 1) > 0:
            line, self._line = self._text[self._line : end], end
            if self._take(line):
                best = end
        if self._fence is None and fence_of(self._text[self._line :]) is None:
            best = self._last_sentence(max(best, self._line)) or best
        return self._release(best)

    def _last_sentence(self, start: int) -> int | None:
        """The begin of the newest sentence of the line being written. A few candidates do; the others can wait."""
        rest = self._text[start:]
        if len(rest) > LONGEST_WAIT:
            return None
        for end, after in list(ends(rest))[: -CANDIDATES - 1 : -1]:
            if not is_open(rest[:end]):
                return start + after
        return None

    def close(self) -> str:
        """What is left when the model has ended."""
        return self._release(len(self._text))

    def _take(self, line: str) -> bool:
        """Read a whole line; whether the text may end behind it."""
        mark = fence_of(line)
        if self._fence is not None:
            if mark is not None and mark.startswith(self._fence):
                self._fence = None
            return self._fence is None
        self._fence = mark
        return mark is None and not is_open(line.rstrip("\n"))

    def _release(self, end: int) -> str:
        start, self._released = self._released, max(self._released, end)
        return self._text[start : self._released]
