"""Regular expressions that users write, matched in time that grows only with the text.

RE2 leaves out what makes an expression slow (look-around, back-references), so no rule of one organization can hold up
the installation. Syntax: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MAX_LENGTH = 500  # characters of an expression
# `(a{1,100}){1,10}` is short to write and long to run: what counts is the compiled program, in RE2's instructions.
MAX_PROGRAM = 5_000
MAX_MEMORY = 2 * 1024 * 1024  # bytes that one expression may take, its cache of states included

_UNSUPPORTED = ("invalid perl operator: (?=", "invalid perl operator: (?!", "invalid perl operator: (?<")


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression that was checked. It ignores case and accents: customers write `telefono` and `TELÉFONO`."""

    text: str
    _program: Any  # RE2 has no types of its own

    def found_in(self, text: str) -> bool:
        """Whether the expression matches anywhere in the text; `^` and `$` are the ends of the whole text."""
        return self._program.search(without_accents(text)) is not None


def without_accents(text: str) -> str:
    """The text with plain letters: `Ñandú` becomes `Nandu`. RE2's `\\b` and `\\w` know these only."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """The expression ready to match. Raises `ValueError` with a sentence that says what is wrong with it."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must be a regular expression of at most {MAX_LENGTH} characters")
    try:
        program = re2.compile(without_accents(text), _options())
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode, without half a surrogate pair") from None
    except re2.error as error:
        raise ValueError(_sentence(error)) from None
    if program.programsize > MAX_PROGRAM:
        raise ValueError("must be a simpler regular expression: its repetitions multiply to too much work")
    if program.search("") is not None:
        raise ValueError("must not match an empty text, because then it matches every text")
    return Pattern(text, program)


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # it would write the expression to our standard error
    options.max_mem = MAX_MEMORY
    return options


def _sentence(error: Exception) -> str:
    reason = error.args[0]
    words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if words.startswith(_UNSUPPORTED) or (words.startswith("invalid escape sequence: \\") and words[-1:].isdigit()):
        return "must be a regular expression without look-ahead, look-behind and back-references (RE2's syntax)"
    if "too large" in words or "repetition size" in words:
        return "must be a simpler regular expression: a repetition may count to 1000, nested ones multiplied"
    return f"must be a regular expression: {words}"
