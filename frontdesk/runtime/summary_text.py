"""The texts of a summary: what the model is given to sum up, and the notes in its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse, TextPart

from frontdesk.core.storable import storable
from frontdesk.runtime.history import StoredMessage

MOST_CHARACTERS = 40_000  # of the messages, about 13,000 tokens
LONGEST_MESSAGE, LONGEST_RESULT = 1_500, 300  # characters
LONGEST_NOTES = 4_000  # characters of what the model writes
LEFT_OUT = "(older messages are left out)"


@dataclass(frozen=True, slots=True)
class Arrear:
    """What goes into the summary next: the messages up to `end`, and the tool calls of their turns."""

    end: int
    messages: Sequence[StoredMessage]
    calls: Mapping[int, Sequence[str]]


def told(arrear: Arrear, notes: str, earlier: str, most: int = MOST_CHARACTERS) -> str:
    """What the model is given: the notes so far, and who said what after them, as lines of JSON."""
    lines: list[str] = []
    spoken = {message.ai_turn_id: message.position for message in reversed(arrear.messages) if _is_ours(message)}
    heard = {message.ai_turn_id: message.position for message in arrear.messages if not _is_ours(message)}
    for message in arrear.messages:
        # Before the answer that they led to; those of a turn that sent nothing, behind what it was about.
        turn, calls = message.ai_turn_id, arrear.calls.get(message.ai_turn_id or 0, ())
        if spoken.get(turn) == message.position:
            lines += calls
        who = {"contact": "customer", "user": "team_member", "system": "automatic_message"}.get(message.sender)
        lines.append(_line({"from": who or "assistant", "text": _cut(message.text, LONGEST_MESSAGE)}))
        if turn not in spoken and heard.get(turn) == message.position:
            lines += calls
    return "\n".join([*([earlier, json.dumps(notes, ensure_ascii=False), ""] if notes else []), *_newest(lines, most)])


def _is_ours(message: StoredMessage) -> bool:
    return message.sender != "contact"


def call_line(row: Mapping[str, object]) -> str:
    """One tool call of a turn: what it was asked and how it ended."""
    asked, said = (_cut(str(row[name] or ""), LONGEST_RESULT) for name in ("arguments", "result"))
    return _line({"from": "tool", "tool": str(row["tool_name"]), "arguments": asked, "status": str(row["status"]),
                  "result": said})  # fmt: skip


def notes_of(response: ModelResponse) -> str:
    """The notes in the model's answer. Raises `UnexpectedModelBehavior` where it wrote none."""
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart)).strip()
    if not text:
        raise UnexpectedModelBehavior("a summary without a word")
    return str(storable(_cut(text, LONGEST_NOTES)))


def _newest(lines: Sequence[str], most: int) -> list[str]:
    """As many lines as may be sent, the newest of them."""
    kept: list[str] = []
    left = most
    for line in reversed(lines):
        left -= len(line)
        if left < 0:
            return [LEFT_OUT, *reversed(kept)]
        kept.append(line)
    return [*reversed(kept)]


def _line(said: Mapping[str, str]) -> str:
    return json.dumps(said, ensure_ascii=False)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
