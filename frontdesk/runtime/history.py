"""The conversation as a model reads it, rebuilt from the stored messages and steps: always valid, always bounded.

The history is made of units (the customer's words, one turn with its calls and its answer, a person's message).
Shortening drops whole units, oldest first, so no call ever loses its result. The same rows give the same history.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from frontdesk.assistants.config import Language
from frontdesk.runtime.tool_history import StoredStep, exchange

Sender = Literal["contact", "user", "assistant", "system"]


@dataclass(frozen=True, slots=True)
class Marks:
    """What we write into a history ourselves."""

    left_out: str
    shortened: str


MARKS: dict[Language, Marks] = {
    "ENG": Marks("(Earlier messages of this conversation are left out.)", " … (shortened) … "),
    "ESP": Marks("(Faltan los mensajes anteriores de esta conversación.)", " … (abreviado) … "),
}

LONGEST_RESULT = 2_000  # characters of a tool result of an earlier turn
CHARACTERS_PER_TOKEN = 3  # below the average of English (4) and Spanish (3.5), so that the estimate is never short
TOKENS_PER_PART = 8  # roles and separators that providers add
IMAGE_TOKENS = 1_600  # at most, with the providers that tell: they scale down what is larger


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A row of `conversation_messages`; `name` is the person's who wrote it, for sender `user`.

    `images` are what the model is shown of it beside the text.
    """

    position: int
    sender: Sender
    text: str
    created_at: datetime
    ai_turn_id: int | None = None
    message_type: str = "text"
    is_deleted: bool = False
    name: str | None = None
    images: tuple[BinaryContent, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """`messages` is `history_messages`; `since` the later of `ai_context_cut` and the episode's begin. `summary` stands
    for the messages up to position `after`. From `waits_from` on, what the customer wrote waits for an answer."""

    messages: int = 50
    tokens: int = 24_000
    since: datetime | None = None
    after: int = 0
    summary: str = ""
    waits_from: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Messages that are valid as they are; `pending` is the current turn's response whose calls still have to run."""

    messages: list[ModelMessage]
    pending: ModelResponse | None = None
    left_out: int = 0  # units that did not fit
    first_position: int = 0  # of the oldest message that did


@dataclass(slots=True)
class Unit:
    messages: list[ModelMessage]
    is_kept: bool = False  # the customer's last words and the turn in hand are never dropped
    position: int = 0  # of its first message
    tokens: int = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = sum(map(tokens_of, self.messages))


def tokens_of(message: ModelMessage) -> int:
    """An estimate: a third of the characters, and a constant for each part and each image."""
    total = 0
    for part in message.parts:
        if isinstance(part, ToolReturnPart):
            text = part.model_response_str()
        elif isinstance(part, UserPromptPart) and not isinstance(part.content, str):
            text = "".join(piece for piece in part.content if isinstance(piece, str))
            total += IMAGE_TOKENS * sum(isinstance(piece, BinaryContent) for piece in part.content)
        else:
            text = str(getattr(part, "content", "") or "") + str(getattr(part, "args", "") or "")
        total += TOKENS_PER_PART + math.ceil(len(text) / CHARACTERS_PER_TOKEN)
    return total


def rebuild(
    messages: Sequence[StoredMessage],
    steps: Mapping[int, Sequence[StoredStep]],
    limits: Limits,
    *,
    current_turn: int | None = None,
    language: Language = "ENG",
) -> History:
    """The history for the next model call, ending with what has to be answered.

    `steps` are by turn. Notes, deleted messages and everything before `limits.since` are left out. With
    `current_turn`, that turn's own steps come last, so that a killed turn goes on where it was.
    """
    marks = MARKS[language]
    # Who writes while an answer is on its way stands before it in the thread, and has not been answered by it.
    shown = sorted((m for m in messages if is_shown(m, limits)), key=lambda m: (_waits(m, limits), m.position))
    first_kept = first_unanswered(shown)
    # A burst that is longer than the limit is kept whole: it is what has to be answered.
    recent = shown[min(max(0, len(shown) - limits.messages), first_kept) :]
    units = list(_units(recent, steps, current_turn, shown[first_kept:], marks.shortened))
    own = exchange(steps.get(current_turn, ()), is_current=True) if current_turn is not None else None
    if own and own.messages:
        units.append(Unit(own.messages, is_kept=True))
    opening = _summary(limits.summary, shown[0].created_at) if limits.summary and shown else None
    taken = sum(tokens_of(message) for message in (opening, own.pending if own else None) if message is not None)
    kept = _fit(units, limits.tokens - taken, marks.shortened)
    is_cut = len(recent) < len(shown)
    joined = _joined([message for unit in kept for message in unit.messages], is_cut, marks.left_out, opening)
    first = next((unit.position for unit in kept if unit.position), 0)
    return History(joined, own.pending if own else None, len(units) - len(kept), first)


def _summary(text: str, at: datetime) -> ModelRequest:
    """What stands for the messages that are summed up. It was made of customers' words, so it has no marks either."""
    told = f"<automatic_message>{_unmarked(text)}</automatic_message>"
    return ModelRequest([UserPromptPart(told, timestamp=at)])


def is_shown(message: StoredMessage, limits: Limits) -> bool:
    """Whether the history may tell of it: words, of this context, behind the summary."""
    since = limits.since
    if message.position <= limits.after:
        return False
    is_hidden = message.is_deleted or message.message_type in ("note", "reaction") or not message.text.strip()
    return not is_hidden and (since is None or message.created_at > since)


def _waits(message: StoredMessage, limits: Limits) -> bool:
    first = limits.waits_from
    return first is not None and message.sender == "contact" and message.position >= first


def first_unanswered(shown: Sequence[StoredMessage]) -> int:
    """Where the customer's last run of messages begins."""
    index = len(shown)
    while index > 0 and shown[index - 1].sender == "contact":
        index -= 1
    return index


def _units(
    messages: Sequence[StoredMessage],
    steps: Mapping[int, Sequence[StoredStep]],
    current_turn: int | None,
    last_words: Sequence[StoredMessage],
    mark: str,
) -> Iterator[Unit]:
    told: set[int] = set()
    last = {message.position for message in last_words}
    silent = _silent_turns(messages, steps, current_turn)
    for message in messages:
        turn = message.ai_turn_id
        if message.sender == "assistant" and turn is not None and turn != current_turn and turn not in told:
            told.add(turn)
            answer = [m for m in messages if m.ai_turn_id == turn and m.sender == "assistant"]
            calls = exchange(steps.get(turn, ()), is_current=False).messages
            spoken = _spoken("\n\n".join(m.text for m in answer), message.created_at)
            yield Unit([*_shortened(calls, mark), spoken], position=message.position)
        elif message.sender != "assistant":
            yield Unit([_heard(message)], message.position in last, message.position)
            if message.position in silent and (calls := exchange(silent[message.position], is_current=False).messages):
                yield Unit(_shortened(calls, mark), position=message.position)
        elif turn is None or turn == current_turn:
            yield Unit([_spoken(message.text, message.created_at)], position=message.position)


def _silent_turns(
    messages: Sequence[StoredMessage], steps: Mapping[int, Sequence[StoredStep]], current_turn: int | None
) -> dict[int, Sequence[StoredStep]]:
    """The steps of turns that sent nothing (muted, taken over), by the last inbound that they were about."""
    spoke = {m.ai_turn_id for m in messages if m.sender == "assistant"} | {None, current_turn}
    last_inbound = {m.ai_turn_id: m.position for m in messages if m.sender == "contact"}
    return {
        position: steps[turn]
        for turn, position in last_inbound.items()
        if turn is not None and turn not in spoke and turn in steps
    }


def _spoken(text: str, at: datetime) -> ModelResponse:
    return ModelResponse([TextPart(text)], timestamp=at)


def _heard(message: StoredMessage) -> ModelRequest:
    """What reached the model's side: the customer's words bare, everybody else's marked."""
    text = _unmarked(message.text)
    if message.sender == "user":
        name = (message.name or "").replace('"', "'")
        text = f'<team_member name="{name}">{text}</team_member>' if name else f"<team_member>{text}</team_member>"
    elif message.sender == "system":
        text = f"<automatic_message>{text}</automatic_message>"
    content: str | list[UserContent] = [text, *message.images] if message.images else text
    return ModelRequest([UserPromptPart(content, timestamp=message.created_at)])


def _unmarked(text: str) -> str:
    """A customer cannot write our marks, so that nobody speaks as the team."""
    for mark in ("team_member", "automatic_message", "tool_result"):
        for opening in (f"<{mark}", f"</{mark}"):
            text = text.replace(opening, opening.replace("<", "‹"))
    return text


def _shortened(messages: Sequence[ModelMessage], mark: str) -> list[ModelMessage]:
    """Long results of earlier turns are cut in the middle: their begin and end tell the most."""
    return [
        replace(message, parts=[_result_cut(part, LONGEST_RESULT, mark) for part in message.parts])
        if isinstance(message, ModelRequest)
        else message
        for message in messages
    ]


def _result_cut(part: ModelRequestPart, room: int, mark: str) -> ModelRequestPart:
    if isinstance(part, ToolReturnPart) and len(text := part.model_response_str()) > room:
        return _with_content(part, _middle_cut(text, room, mark))
    return part


def _with_content(part: ToolReturnPart, text: str) -> ToolReturnPart:
    return ToolReturnPart(
        part.tool_name, text, tool_call_id=part.tool_call_id, timestamp=part.timestamp, outcome=part.outcome
    )


def _middle_cut(text: str, length: int, mark: str) -> str:
    if len(text) <= length:
        return text
    half = max(0, length - len(mark)) // 2
    return text[:half] + mark + text[len(text) - half :]


def _fit(units: Sequence[Unit], budget: int, mark: str) -> list[Unit]:
    """Drop the oldest units until the rest fits; what must stay and is still too long is cut in the middle."""
    kept, total = list(units), sum(unit.tokens for unit in units)
    # Units that must stay are the last ones, so the first of them ends the dropping.
    while total > budget and kept and not kept[0].is_kept:
        total -= kept.pop(0).tokens
    if total > budget:
        kept = [_cut_unit(unit, budget // max(1, len(kept)), mark) for unit in kept]
    return kept


def _cut_unit(unit: Unit, budget: int, mark: str) -> Unit:
    room = max(200, (budget - TOKENS_PER_PART) * CHARACTERS_PER_TOKEN)
    cut: list[ModelMessage] = []
    for message in unit.messages:
        if isinstance(message, ModelRequest):
            message = replace(message, parts=[_cut_part(part, room, mark) for part in message.parts])
        cut.append(message)
    return Unit(cut, unit.is_kept, unit.position)


def _cut_part(part: ModelRequestPart, room: int, mark: str) -> ModelRequestPart:
    if isinstance(part, UserPromptPart):
        return replace(part, content=_content_cut(part.content, room, mark))
    return _result_cut(part, room, mark)


def _content_cut(content: str | Sequence[UserContent], room: int, mark: str) -> str | list[UserContent]:
    """The words are cut, the images stay: there are only as many as there is room for."""
    if not isinstance(content, str):
        return [_middle_cut(piece, room, mark) if isinstance(piece, str) else piece for piece in content]
    return _middle_cut(content, room, mark)


def _joined(
    messages: Sequence[ModelMessage], is_cut: bool, left_out: str, opening: ModelRequest | None = None
) -> list[ModelMessage]:
    """Neighbours of one side become one message, and the first is always the customer's side.

    `opening` is the summary of what came before them.
    """
    first: list[ModelMessage] = [] if opening is None else [opening]
    if messages and (is_cut or (opening is None and isinstance(messages[0], ModelResponse))):
        first.append(ModelRequest([UserPromptPart(left_out, timestamp=_moment(messages[0]))]))
    joined: list[ModelMessage] = []
    for message in (*first, *messages):
        last = joined[-1] if joined else None
        if isinstance(last, ModelRequest) and isinstance(message, ModelRequest):
            joined[-1] = replace(last, parts=[*last.parts, *message.parts])
        elif isinstance(last, ModelResponse) and isinstance(message, ModelResponse):
            joined[-1] = replace(last, parts=_texts_joined([*last.parts, *message.parts]))
        else:
            joined.append(message)
    return joined


def _texts_joined(parts: Sequence[ModelResponsePart]) -> list[ModelResponsePart]:
    texts = [part.content for part in parts if isinstance(part, TextPart)]
    joined: list[ModelResponsePart] = [TextPart("\n\n".join(texts))] if texts else []
    joined.extend(part for part in parts if not isinstance(part, TextPart))
    return joined


def _moment(message: ModelMessage) -> datetime:
    if isinstance(message, ModelResponse):
        return message.timestamp
    part = message.parts[0]
    assert isinstance(part, UserPromptPart | ToolReturnPart)
    return part.timestamp
