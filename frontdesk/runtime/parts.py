"""`response_config`: an answer as one message, or cut into several where a paragraph or a sentence ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.assistants.response_config import Delay, ResponseConfig
from frontdesk.core.capabilities import CAPABILITIES, MAIL
from frontdesk.runtime.blocks import blocks
from frontdesk.runtime.lengths import Atom, fitted, sentences

COMFORTABLE = 280  # characters; a single paragraph below this stays one message
SINGLE = ResponseConfig(mode="single")
SLOWEST = 400  # characters of a part that waits the longest delay
MOST = 12_000  # characters of one answer: beyond that a model has lost its way, and nobody reads it


@dataclass(frozen=True, slots=True)
class Part:
    """One message of an answer; `delay_seconds` is waited before it, after the part before was accepted."""

    text: str
    delay_seconds: float


def split(text: str, config: ResponseConfig, longest: int | None = None) -> tuple[Part, ...]:
    """The parts of an answer, at most `max_messages`; nothing but white space between parts is lost.

    What the channel does not take in one message (`longest`, in characters) comes in as many as it needs.
    """
    text = text.strip()
    if not text:
        return ()
    is_single = config.mode == "single" or config.max_messages == 1
    texts = [text] if is_single else _parted(text, config.max_messages)
    if longest is not None and max(map(len, texts)) > longest:
        texts = fitted(text, longest)
    return tuple(
        Part(part, 0 if i == 0 or is_single else _delay(part, config.delay_seconds)) for i, part in enumerate(texts)
    )


def _parted(text: str, most: int) -> list[str]:
    atoms = [Atom("\n\n", block.text.strip("\n")) for block in blocks(text)]
    count = len(atoms)
    if count == 1 and blocks(text)[0].kind == "text":
        atoms = list(sentences(text))
        count = min(len(atoms), math.ceil(len(text) / COMFORTABLE))
    return _balanced(atoms, min(count, most))


def _delay(text: str, delay: Delay) -> float:
    """Longer parts take longer to type; the same text always waits the same time."""
    return round(delay.min + (delay.max - delay.min) * min(1, len(text) / SLOWEST), 2)


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


def split_for(channel: str, text: str, config: ResponseConfig) -> tuple[Part, ...]:
    """The parts as the channel takes them: one mail is one answer, and none is longer than a message may be."""
    known = CAPABILITIES.get(channel)
    if len(text) > MOST:
        text = f"{fitted(text, MOST)[0]} …"
    return split(text, SINGLE if channel in MAIL else config, known.longest_text if known else None)
