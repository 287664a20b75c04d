"""`response_config`: an answer as one message, or cut into several where a paragraph or a sentence ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.assistants.response_config import Delay, ResponseConfig
from frontdesk.runtime.blocks import Block, blocks
from frontdesk.runtime.sentence import ends

COMFORTABLE = 280  # characters; a single paragraph below this stays one message
SLOWEST = 400  # characters of a part that waits the longest delay


@dataclass(frozen=True, slots=True)
class Part:
    """One message of an answer; `delay_seconds` is waited before it, after the part before was accepted."""

    text: str
    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece that is never cut, and the white space that stood before it."""

    before: str
    text: str


def split(text: str, config: ResponseConfig) -> tuple[Part, ...]:
    """The parts of an answer, at most `max_messages`; nothing but white space between parts is lost."""
    text = text.strip()
    if not text:
        return ()
    if config.mode == "single" or config.max_messages == 1:
        return (Part(text, 0),)
    atoms = [Atom("\n\n", block.text.strip("\n")) for block in blocks(text)]
    count = len(atoms)
    if count == 1:
        atoms = _sentences(blocks(text)[0])
        count = min(len(atoms), math.ceil(len(text) / COMFORTABLE))
    texts = _balanced(atoms, min(count, config.max_messages))
    return tuple(Part(part, 0 if i == 0 else _delay(part, config.delay_seconds)) for i, part in enumerate(texts))


def _delay(text: str, delay: Delay) -> float:
    """Longer parts take longer to type; the same text always waits the same time."""
    return round(delay.min + (delay.max - delay.min) * min(1, len(text) / SLOWEST), 2)


def _sentences(block: Block) -> list[Atom]:
    if block.kind != "text":
        return [Atom("", block.text)]
    atoms, start, gap = [], 0, ""
    for end, after in ends(block.text):
        atoms.append(Atom(gap, block.text[start:end]))
        start, gap = after, block.text[end:after]
    return [*atoms, Atom(gap, block.text[start:])]


def _balanced(atoms: Sequence[Atom], count: int) -> list[str]:
    """The atoms in `count` runs of about the same length; every run has at least one atom."""
    runs: list[str] = []
    left = sum(len(atom.text) for atom in atoms)
    rest = list(atoms)
    for runs_left in range(count, 0, -1):
        goal, run = left / runs_left, rest.pop(0).text
        while rest and (runs_left == 1 or len(rest) >= runs_left):
            # Take the next atom only if that brings the run nearer to its share of what is left.
            longer = len(run) + len(rest[0].text)
            if runs_left > 1 and longer - goal > goal - len(run):
                break
            atom = rest.pop(0)
            run += atom.before + atom.text
        left -= len(run)
        runs.append(run)
    return runs
