"""A text that is longer than what its channel takes in one message, in as few messages as hold it.

Cut is where it hurts least: between blocks, else between sentences or lines, else between words with links whole, and
only a single word that is too long by itself is cut inside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from frontdesk.runtime.blocks import Block, blocks
from frontdesk.runtime.sentence import ends, whole_spans

_GAP = re.compile(r"\s+")
_JOINS = "\u200d\ufe0e\ufe0f"  # joiner and variation selectors: what stands beside them is one sign
LONGEST_SIGN = 20  # characters that one sign on the screen may consist of


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece that is not cut further, and the white space that stood before it."""

    before: str
    text: str


def fitted(text: str, longest: int) -> list[str]:
    """The text in pieces of at most `longest` characters; nothing but white space between them is lost."""
    pieces: list[str] = []
    for atom in _atoms(text, longest):
        joined = pieces[-1] + atom.before + atom.text if pieces else atom.text
        if pieces and len(joined) <= longest:
            pieces[-1] = joined
        else:
            pieces.append(atom.text)
    return [piece for piece in pieces if piece.strip()]


def _atoms(text: str, longest: int) -> Iterator[Atom]:
    for block in blocks(text):
        yield from _smaller(Atom("\n\n", block.text.strip("\n")), longest, block)


def _smaller(atom: Atom, longest: int, block: Block) -> Iterator[Atom]:
    """The atom where it fits, else its sentences or lines, else its words, else pieces of a word."""
    if len(atom.text) <= longest:
        yield atom
        return
    for line in _first(atom.before, sentences(atom.text) if block.kind == "text" else _lines(atom.text)):
        if len(line.text) <= longest:
            yield line
            continue
        for word in _first(line.before, _words(line.text)):
            yield from _first(word.before, _hacked(word.text, longest))


def _first(before: str, atoms: Iterable[Atom]) -> Iterator[Atom]:
    """The atoms, the first with the white space that stood before the whole."""
    for i, atom in enumerate(atoms):
        yield Atom(before, atom.text) if i == 0 else atom


def sentences(text: str) -> Iterator[Atom]:
    start, gap = 0, ""
    for end, after in ends(text):
        yield Atom(gap, text[start:end])
        start, gap = after, text[end:after]
    yield Atom(gap, text[start:])


def _lines(text: str) -> Iterator[Atom]:
    for i, line in enumerate(text.split("\n")):
        yield Atom("\n" if i else "", line)


def _words(text: str) -> Iterator[Atom]:
    whole = whole_spans(text)
    start, gap = 0, ""
    for match in _GAP.finditer(text):
        if match.start() > start and not any(begin < match.start() < end for begin, end in whole):
            yield Atom(gap, text[start : match.start()])
            start, gap = match.end(), match.group()
    yield Atom(gap, text[start:])


def _hacked(word: str, longest: int) -> Iterator[Atom]:
    while len(word) > longest:
        end = next((end for end in range(longest, max(0, longest - LONGEST_SIGN), -1) if _parts(word, end)), longest)
        yield Atom("", word[:end])
        word = word[end:]
    yield Atom("", word)


def _parts(word: str, end: int) -> bool:
    """Whether two signs meet here, as a reader sees them."""
    return not (unicodedata.combining(word[end]) or word[end] in _JOINS or word[end - 1] in _JOINS)
