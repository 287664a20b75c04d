"""The steps of one turn as model messages: every call has its result right behind it, at every crash point."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)

from frontdesk.assistants.json_keys import FINAL_ANSWER
from frontdesk.core.errors import Json
from frontdesk.runtime.failure_kinds import is_filtered

Status = Literal["intent", "done", "failed", "unknown", "refused"]
StepKind = Literal["model", "tool", "summary", "check"]
FINISHED: frozenset[str] = frozenset(("done", "failed", "unknown", "refused"))
# What old results of these said about the owner is no longer true after a hand-back (rule 3 of a turn).
ABOUT_OWNERSHIP: frozenset[str] = frozenset(("transfer_to_human", "transfer_to_assistant"))
# An answer is told as the words that the customer read, however often it was tried.
OLD_NEWS = ABOUT_OWNERSHIP | {FINAL_ANSWER}
UNKNOWN = "The outcome of this call is unknown. Do not repeat it; tell the customer that a person will check."
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A row of `ai_turn_steps`. `messages` of a model step holds the response; `result` is a tool's, as JSON."""

    position: int
    kind: StepKind
    status: Status = "done"
    messages: Sequence[Json] = ()
    tool_name: str | None = None
    call_id: str | None = None
    result: Json = None
    created_at: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a turn's model and tools said to each other; `pending` is a response whose calls are not all answered."""

    messages: list[ModelMessage] = field(default_factory=list)
    pending: ModelResponse | None = None


def exchange(steps: Sequence[StoredStep], *, is_current: bool) -> Exchange:
    """The closed messages of a turn, without its final text.

    An old turn drops calls that never ran and whatever the model thought. The current one keeps its responses as
    they came; when the last of them still has calls to run, it is `pending`: running it again is safe, because a
    call that is done answers with its stored result.
    """
    results = {step.call_id: step for step in steps if step.kind == "tool" and step.call_id}
    messages: list[ModelMessage] = []
    responses = [
        response for step in sorted(steps, key=_position) if step.kind == "model" for response in _responses(step)
    ]
    for i, response in enumerate(responses):
        calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        if is_current and i == len(responses) - 1 and any(not _is_finished(results.get(c.tool_call_id)) for c in calls):
            return Exchange(messages, response)
        kept = [call for call in calls if call.tool_call_id in results and not (is_old_news(call, is_current))]
        if kept:
            messages.append(_response(response, kept, is_current))
            messages.append(_returns([(call, results[call.tool_call_id]) for call in kept]))
    return Exchange(messages)


def is_old_news(call: ToolCallPart, is_current: bool) -> bool:
    return not is_current and call.tool_name in OLD_NEWS


def _position(step: StoredStep) -> int:
    return step.position


def _is_finished(step: StoredStep | None) -> bool:
    return step is not None and step.status in FINISHED


def _responses(step: StoredStep) -> list[ModelResponse]:
    stored = ModelMessagesTypeAdapter.validate_python(list(step.messages))
    # Of an answer that a filter broke off nothing is true, its calls included.
    return [message for message in stored if isinstance(message, ModelResponse) and not is_filtered(message)]


def _response(response: ModelResponse, kept: Sequence[ToolCallPart], is_current: bool) -> ModelResponse:
    dropped = {id(part) for part in response.parts if isinstance(part, ToolCallPart)} - {id(part) for part in kept}
    if is_current:
        # A provider may sign its reasoning over what follows, so the turn in hand keeps every other part.
        return replace(response, parts=[part for part in response.parts if id(part) not in dropped])
    parts = [part for part in response.parts if isinstance(part, TextPart | ToolCallPart) and id(part) not in dropped]
    return ModelResponse(parts, timestamp=response.timestamp)


def _returns(pairs: Sequence[tuple[ToolCallPart, StoredStep]]) -> ModelRequest:
    return ModelRequest([_return(call, step) for call, step in pairs])


def _return(call: ToolCallPart, step: StoredStep) -> ToolReturnPart | RetryPromptPart:
    """The stored result; a call that began and has none is unknown, never repeated and never invented."""
    is_known = step.status != "intent" and (step.status != "unknown" or step.result is not None)
    content = step.result if is_known else UNKNOWN
    return ToolReturnPart(
        call.tool_name,
        content,
        tool_call_id=call.tool_call_id,
        timestamp=step.created_at,
        outcome="failed" if step.status == "failed" else "denied" if step.status == "refused" else "success",
    )


def step_of(row: Mapping[str, object]) -> StoredStep:
    """A row of `ai_turn_steps`, JSON columns parsed or as text."""
    messages = _json(row["messages"])
    created_at = row["created_at"]
    return StoredStep(
        position=int(str(row["position"])),
        kind=row["kind"],  # type: ignore[arg-type]
        status=row["status"],  # type: ignore[arg-type]
        messages=messages if isinstance(messages, list) else (),
        tool_name=None if row["tool_name"] is None else str(row["tool_name"]),
        call_id=None if row["call_id"] is None else str(row["call_id"]),
        result=_json(row["result"]),
        created_at=created_at if isinstance(created_at, datetime) else EPOCH,
    )


def _json(value: object) -> Json:
    parsed: Json = json.loads(value) if isinstance(value, str | bytes) else value  # type: ignore[assignment]
    return parsed
