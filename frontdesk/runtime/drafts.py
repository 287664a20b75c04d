"""Streamed text on its way to a screen: released only up to the end of a sentence or of a line."""

from __future__ import annotations

from frontdesk.runtime.blocks import fence_of
from frontdesk.runtime.sentence import ends, is_open


class SentenceStream:
    """Feed it the model's deltas; it yields text up to the last complete sentence outside of code and links."""

    def __init__(self) -> None:
        self._text = ""
        self._released = 0

    @property
    def released(self) -> str:
        """All text that has been given out so far."""
        return self._text[: self._released]

    def feed(self, delta: str) -> str:
        """The text that has become complete with `delta`; often empty."""
        self._text += delta
        return self._release(self._boundary())

    def close(self) -> str:
        """What is left when the model has ended."""
        return self._release(len(self._text))

    def _release(self, end: int) -> str:
        start, self._released = self._released, max(self._released, end)
        return self._text[start : self._released]

    def _boundary(self) -> int:
        """The last safe end. Each release ends outside of code, so only the rest has to be read."""
        best = start = self._released
        fence: str | None = None
        for line in self._text[start:].splitlines(keepends=True):
            mark = fence_of(line)
            is_complete = line.endswith("\n")
            if fence is not None:
                if mark is not None and mark.startswith(fence) and is_complete:
                    fence, best = None, start + len(line)
            elif mark is not None:
                # Until its line is whole, the mark may still grow, so nothing can close it yet.
                fence = mark if is_complete else "\0"
            elif is_complete and not is_open(line.rstrip("\n")):
                best = start + len(line)
            else:
                best = max([best, *(start + after for end, after in ends(line) if not is_open(line[:end]))])
            start += len(line)
        return best
