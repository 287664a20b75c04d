"""The scripted provider: a model that follows a script, for tests, demonstrations and measurements.

A script looks at the conversation and says what this request is answered with: texts, tool calls, pauses by the
injected clock, failures. It keeps no state of its own, so a resumed turn gets the same answers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from pydantic_ai.exceptions import AgentRunError, ModelConnectionError, ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import ModelRequestParameters

from frontdesk.core.clock import Clock
from frontdesk.models.answering import answer_tool, as_answer
from frontdesk.models.local.grounding import as_json
from frontdesk.models.pieces import Call, Cost, Piece, PieceModel
from frontdesk.models.transcript import Asked, Transcript, read

NAME = "scripted"
LABEL = "scripted model"
RATE_LIMITED, OVERLOADED = 429, 503


@dataclass(frozen=True, slots=True)
class Say:
    """Text, streamed word by word."""

    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """A tool call."""

    tool: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause by the clock, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """What a provider can do wrong; after a `Say` of the same answer it happens in the middle of the stream."""

    kind: Literal["timeout", "rate_limit", "overloaded", "broken_stream"]

    def error(self, model: str) -> AgentRunError:
        if self.kind == "timeout":
            return ModelTimeoutError(model, "The scripted model did not answer in time.")
        if self.kind == "broken_stream":
            return ModelConnectionError(model, "The scripted model broke off.", in_stream=True)
        status = RATE_LIMITED if self.kind == "rate_limit" else OVERLOADED
        return ModelHTTPError(status, model, {"error": {"message": self.kind}})


@dataclass(frozen=True, slots=True)
class Give:
    """Values beside the text, for an assistant that asks for them; for another one nothing."""

    values: dict[str, object]


Step = Say | Use | Give | Wait | Fail
Script = Callable[[Transcript], Sequence[Step]]


def in_order(*answers: Sequence[Step]) -> Script:
    """The first answer for the first request of a turn, the next one after its tool calls; the last one repeats."""

    def script(transcript: Transcript) -> Sequence[Step]:
        made = sum(isinstance(entry, Asked) for entry in transcript.turn)
        for answer in answers:
            uses = sum(isinstance(step, Use) for step in answer)
            if made < uses or not uses:
                return answer
            made -= uses
        return answers[-1]

    return script


def failing_first(failures: int, kind: Fail, then: Script) -> Script:
    """Fails so many times in this process, then follows `then`."""
    left = failures

    def script(transcript: Transcript) -> Sequence[Step]:
        nonlocal left
        if left:
            left -= 1
            return (kind,)
        return then(transcript)

    return script


class Scripts:
    """The scripts by name. A row of `ai_models` names one, with `?wait=2` for a pause (seconds) before each answer."""

    def __init__(self, known: dict[str, Script] | None = None) -> None:
        self._known = dict(known or {})

    def register(self, name: str, script: Script) -> None:
        self._known[name] = script

    def find(self, model: str) -> Script | None:
        name, _, options = model.partition("?")
        script = self._known.get(name)
        wait = dict(parse_qsl(options)).get("wait", "")
        if script is None or not wait.replace(".", "", 1).isdecimal():
            return script
        return lambda transcript: (Wait(float(wait)), *script(transcript))


class ScriptedModel(PieceModel):
    """Follows `script`. Counts words as tokens, so that its usage is the same every time."""

    def __init__(self, name: str, script: Script, clock: Clock) -> None:
        super().__init__(name, NAME)
        self._script, self._clock = script, clock

    def pieces(self, messages: list[ModelMessage], request: ModelRequestParameters) -> AsyncGenerator[Piece]:
        given: dict[str, object] = {}
        pieces, tool = self._followed(read(messages, request), given), answer_tool(request)
        return pieces if tool is None else as_answer(pieces, tool, lambda: given)

    async def _followed(self, transcript: Transcript, given: dict[str, object]) -> AsyncGenerator[Piece]:
        spent, made = 0, sum(isinstance(entry, Asked) for entry in transcript.entries)
        for step in self._script(transcript):
            match step:
                case Wait(seconds):
                    await self._clock.sleep(seconds)
                case Fail():
                    raise step.error(self.model_name)
                case Give(values):
                    given |= values
                case Say(text):
                    for word in words(text):
                        yield word
                        spent += 1
                case Use(tool, arguments):
                    made += 1
                    spent += 1 + len(arguments)
                    yield Call(tool, as_json(arguments), f"scripted_{len(transcript.entries)}_{made}")
        yield Cost(input_tokens=count(transcript), output_tokens=spent)


def words(text: str) -> list[str]:
    """The pieces of a stream; together they are the text."""
    pieces = text.split(" ")
    return [piece if i == 0 else f" {piece}" for i, piece in enumerate(pieces) if piece or i]


def count(transcript: Transcript) -> int:
    texts = [transcript.stable, transcript.moving, *(str(entry) for entry in transcript.entries)]
    return sum(len(text.split()) for text in texts)
