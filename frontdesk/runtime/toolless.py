"""A history for a model that cannot use tools: what tools gave stands in it as text, because providers refuse calls and
results where no tool is offered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    RetryPromptPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from frontdesk.runtime.history import History


def without_tools(history: History) -> History:
    """The same conversation; calls that have not run yet are dropped, for nothing could run them."""
    joined: list[ModelMessage] = []
    for message in _plain(history.messages):
        last = joined[-1] if joined else None
        if last is not None and type(last) is type(message):
            joined[-1] = replace(last, parts=[*last.parts, *message.parts])  # type: ignore[arg-type]
        else:
            joined.append(message)
    return History(joined, None, history.left_out)


def _plain(messages: Sequence[ModelMessage]) -> Iterator[ModelMessage]:
    for message in messages:
        if isinstance(message, ModelRequest):
            yield replace(message, parts=[_told(part) for part in message.parts])
        elif parts := [part for part in message.parts if not isinstance(part, ToolCallPart)]:
            yield replace(message, parts=parts)


def _told(part: ModelRequestPart) -> ModelRequestPart:
    if isinstance(part, ToolReturnPart):
        text = part.model_response_str()
    elif isinstance(part, RetryPromptPart) and part.tool_name is not None:
        text = part.model_response()
    else:
        return part
    # The mark is one that a customer cannot write (`history.py`).
    return UserPromptPart(f'<tool_result name="{part.tool_name}">{text}</tool_result>', timestamp=part.timestamp)
