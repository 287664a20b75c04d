"""The reply out of a JSON object that is still being written: its text is given out as soon as it is there.

A reader of characters with the state of a JSON parser, so that the same object in whatever pieces gives the same
reply, and nothing of the other members ever comes out.
"""

from __future__ import annotations

from frontdesk.assistants.json_keys import REPLY

ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
REPLACEMENT = "\ufffd"


class ReplyStream:
    """Feed it the pieces of a call's arguments; it gives what each adds to the member `reply` of the outermost object.

    Half a surrogate pair becomes U+FFFD, as does NUL: neither can be stored or shown.
    """

    def __init__(self) -> None:
        self._nesting = ""  # the brackets that are open
        self._is_string = False
        self._escape = ""  # a backslash and what follows it, while it is not whole
        self._high = ""  # the first half of a surrogate pair
        self._key = ""  # the last string of the outermost object where a name stands
        self._awaits_key = False
        self._is_reply = False  # the string in hand is the reply
        self._out: list[str] = []

    def feed(self, delta: str) -> str:
        for character in delta:
            if self._is_string:
                self._within(character)
            else:
                self._between(character)
        text = "".join(self._out)
        self._out.clear()
        return text

    def _between(self, character: str) -> None:
        """Outside of strings: brackets, commas, colons. What stands before the object is passed over."""
        if character == '"' and self._nesting:
            self._is_string = True
            if self._awaits_key:
                self._key = ""
            self._is_reply = self._nesting == "{" and not self._awaits_key and self._key == REPLY
        elif character in "{[":
            if not self._nesting and character == "[":
                return
            self._nesting += character
            self._awaits_key = self._nesting == "{"
        elif character in "}]":
            self._nesting = self._nesting[:-1]
            self._awaits_key = False
        elif character == ",":
            self._awaits_key = self._nesting == "{"
        elif character == ":":
            self._awaits_key = False

    def _within(self, character: str) -> None:
        if self._escape:
            self._escape += character
            self._close_escape()
        elif character == "\\":
            self._escape = character
        elif character == '"':
            self._put_half()
            self._is_string = self._is_reply = False
        else:
            self._put(character)

    def _close_escape(self) -> None:
        """Take the escape if it is whole: two characters, or six of a code."""
        if self._escape[1] != "u":
            self._put(ESCAPES.get(self._escape[1], self._escape[1]))
            self._escape = ""
        elif len(self._escape) == 6:
            code, self._escape = self._escape[2:], ""
            try:
                self._put(chr(int(code, 16)))
            except ValueError:
                self._put(REPLACEMENT)

    def _put(self, character: str) -> None:
        if "\udc00" <= character <= "\udfff" and self._high:
            pair = (self._high + character).encode("utf-16", "surrogatepass").decode("utf-16")
            self._high = ""
            self._emit(pair)
            return
        self._put_half()
        if "\ud800" <= character <= "\udbff":
            self._high = character
        elif "\udc00" <= character <= "\udfff" or character == "\x00":
            self._emit(REPLACEMENT)
        else:
            self._emit(character)

    def _put_half(self) -> None:
        if self._high:
            self._high = ""
            self._emit(REPLACEMENT)

    def _emit(self, text: str) -> None:
        if self._is_reply:
            self._out.append(text)
        elif self._awaits_key and self._nesting == "{":
            self._key += text
