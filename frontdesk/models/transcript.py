"""Pydantic AI's messages as the few things that our own models look at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryFeedbackPart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters

NOT_TEXT = "[attachment]"


@dataclass(frozen=True, slots=True)
class Said:
    """What the customer or the assistant wrote."""

    by_customer: bool
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool call of the assistant."""

    tool: str
    arguments: dict[str, object]
    call_id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A tool's answer, as text for the model and, where it was JSON, as a value."""

    tool: str
    text: str
    value: object
    is_error: bool


Entry = Said | Asked | Returned


@dataclass(frozen=True, slots=True)
class Transcript:
    """`stable` instructions stay the same for a whole configuration, `moving` ones change from turn to turn."""

    stable: str
    moving: str
    entries: tuple[Entry, ...]

    @property
    def last_words(self) -> str:
        """What the customer wrote last."""
        return next((e.text for e in reversed(self.entries) if isinstance(e, Said) and e.by_customer), "")

    @property
    def turn(self) -> tuple[Entry, ...]:
        """The calls and results since the customer wrote last."""
        start = max((i for i, e in enumerate(self.entries) if isinstance(e, Said) and e.by_customer), default=-1)
        return self.entries[start + 1 :]


def read(messages: Sequence[ModelMessage], request: ModelRequestParameters) -> Transcript:
    stable, moving = _instructions(messages, request)
    entries: list[Entry] = []
    for message in messages:
        entries.extend(_asked(message) if isinstance(message, ModelResponse) else _told(message))
    return Transcript(stable, moving, tuple(entries))


def with_replies(transcript: Transcript, answer: str) -> Transcript:
    """The same, with calls of the tool `answer` as the words that they said."""
    entries = tuple(
        Said(False, str(entry.arguments.get("reply") or ""))
        if isinstance(entry, Asked) and entry.tool == answer
        else entry
        for entry in transcript.entries
    )
    return replace(transcript, entries=entries)


def _instructions(messages: Sequence[ModelMessage], request: ModelRequestParameters) -> tuple[str, str]:
    system = [
        part.content
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, SystemPromptPart)
    ]
    parts = request.instruction_parts
    if parts is None:
        written = [m.instructions for m in messages if isinstance(m, ModelRequest) and m.instructions]
        return "\n\n".join([*system, *written[-1:]]), ""
    stable = [part.content for part in parts if not part.dynamic]
    return "\n\n".join([*system, *stable]), "\n\n".join(part.content for part in parts if part.dynamic)


def _told(message: ModelRequest) -> Iterator[Entry]:
    for part in message.parts:
        if isinstance(part, UserPromptPart):
            yield Said(True, _plain(part.content))
        elif isinstance(part, ToolReturnPart):
            text = part.model_response_str()
            yield Returned(part.tool_name, text, _parsed(text), part.outcome != "success")
        elif isinstance(part, RetryFeedbackPart):
            yield Returned("", part.model_response(), None, True)


def _asked(message: ModelResponse) -> Iterator[Entry]:
    for part in message.parts:
        if isinstance(part, TextPart) and part.content:
            yield Said(False, part.content)
        elif isinstance(part, ToolCallPart):
            yield Asked(part.tool_name, part.args_as_dict(), part.tool_call_id)


def _plain(content: str | Sequence[UserContent]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(piece if isinstance(piece, str) else getattr(piece, "content", NOT_TEXT) for piece in content)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
