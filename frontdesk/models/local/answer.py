"""Reads the model's JSON while it is being written: the reply's text comes out as soon as it is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic_core import from_json

OPENING = re.compile(r'\s*\{\s*"reply"\s*:\s*"')
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
SENTENCE_END = re.compile(r"""(?:[.!?…]+["'»”)]*(?=\s)|\n)\s*""")


class AnswerReader:
    """Fed with pieces of JSON. `is_reply` is None until the first key is known."""

    def __init__(self) -> None:
        self._raw = ""
        self._at = 0
        self._is_closed = False
        self.is_reply: bool | None = None

    def feed(self, chunk: str) -> str:
        """The text that this piece adds to the reply; empty for a tool call."""
        self._raw += chunk
        if self.is_reply is None:
            self._recognise()
        return self._decode() if self.is_reply else ""

    def _recognise(self) -> None:
        opening = OPENING.match(self._raw)
        if opening:
            self.is_reply, self._at = True, opening.end()
        elif '"tool"' in self._raw:
            self.is_reply = False

    def _decode(self) -> str:
        out: list[str] = []
        while not self._is_closed and self._at < len(self._raw):
            character = self._raw[self._at]
            length = 1
            if character == '"':
                self._is_closed = True
                break
            if character == "\\":
                length = self._escape_length()
                if self._at + length > len(self._raw):
                    break
                character = _unescape(self._raw[self._at : self._at + length])
            out.append(character)
            self._at += length
        return "".join(out)

    def _escape_length(self) -> int:
        """A letter outside the basic plane is two escapes long and is only decoded whole."""
        if self._raw[self._at + 1 : self._at + 2] != "u":
            return 2
        first = self._raw[self._at + 2 : self._at + 6].lower()
        return 12 if first[:2] in ("d8", "d9", "da", "db") else 6

    def values(self) -> dict[str, object]:
        """The members beside the reply; of JSON that was cut off at the token limit, those that are whole."""
        try:
            value = from_json(self._raw, allow_partial=True)
        except ValueError:
            return {}
        return {name: member for name, member in value.items() if name != "reply"} if isinstance(value, dict) else {}

    def call(self) -> tuple[str, dict[str, object]] | None:
        """The finished tool call, None when the JSON is not one (cut off at the token limit)."""
        try:
            value = json.loads(self._raw)
            return str(value["tool"]), dict(value["arguments"])
        except (ValueError, KeyError, TypeError):
            return None


def _unescape(text: str) -> str:
    if text[1] != "u":
        return ESCAPES.get(text[1], text[1])
    try:
        return str(json.loads(f'"{text}"')).encode("utf-8", "replace").decode()
    except ValueError:
        return ""


class SentenceReader:
    """Holds text back until a sentence is whole, because a sentence is checked before it is shown."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> Iterator[str]:
        self._held += text
        while end := SENTENCE_END.search(self._held):
            yield self._held[: end.end()]
            self._held = self._held[end.end() :]

    @property
    def held(self) -> str:
        """The sentence that is not whole yet."""
        return self._held

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held
