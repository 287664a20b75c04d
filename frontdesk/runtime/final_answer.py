"""How a turn ends whose assistant has `additional_json_keys`: one call of `final_answer` with the reply and the values.

What is wrong with the values is told to the model once. The reply that the customer saw growing stands: a correction
mends the values and never takes a reply away, so that a model that cannot do it costs a value and not the answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic_ai import PromptedOutput, StructuredDict, ToolOutput
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    RetryFeedbackPart,
    RetryInfo,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_core import from_json

from frontdesk.assistants.json_keys import FINAL_ANSWER, REPLY, JsonKey, answer_schema
from frontdesk.assistants.json_values import Judged, judge
from frontdesk.core.errors import Json
from frontdesk.core.storable import storable
from frontdesk.runtime.failure_kinds import is_filtered
from frontdesk.runtime.tool_history import StoredStep

DESCRIPTION = (
    "Ends your turn: gives the customer your reply, and beside it the values that are asked for. Call it alone, after"
    " all other tools. Leave out a value that the conversation does not tell; never invent one."
)
TOO_EARLY = "Not given: other tools were called beside it. Read their results, then call it again, alone."
NO_REPLY = "reply is required"
MOST_ANSWERS = 2  # of one turn: the first one, and one correction


@dataclass(frozen=True, slots=True)
class Output:
    """The values of a turn, and for each key what became of it."""

    values: dict[str, Json]
    faults: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn ends with. `output` where the assistant has keys."""

    text: str
    output: Output | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One response of the model that is meant to be the last."""

    reply: str
    judged: Judged
    calls: tuple[ToolCallPart, ...] = ()

    @property
    def wrong(self) -> list[str]:
        """What is wrong with it; empty where it is good."""
        missing = [] if self.reply.strip() else [NO_REPLY]
        return [*missing, *(sentence for _, sentence in self.judged.faults.values())]

    def sentence(self, *, by_call: bool) -> str:
        """What the model is told of it."""
        kept = "Repeat the reply as it is and correct the values" if self.reply.strip() else "Give it whole"
        how = f"call {FINAL_ANSWER} once more" if by_call else "write the JSON object once more"
        return f"This answer cannot be taken: {'; '.join(self.wrong)}. {kept}: {how}."


def output_tool(keys: Sequence[JsonKey], *, by_call: bool = True) -> Any:
    """The output type of a run: it must end by this call, or where the model takes no tools by the object as text."""
    shape = StructuredDict(answer_schema(keys), name=FINAL_ANSWER)
    return ToolOutput(shape, name=FINAL_ANSWER, description=DESCRIPTION) if by_call else PromptedOutput(shape)


def answer_calls(response: ModelResponse) -> tuple[ToolCallPart, ...]:
    return tuple(call for call in response.tool_calls if call.tool_name == FINAL_ANSWER)


def given_in(response: ModelResponse, keys: Sequence[JsonKey]) -> Given | None:
    """The answer in a response; None where it calls tools and so is not the last one.

    A model that cannot call, or was not made to (some servers ignore it), writes text: the object, or a bare reply.
    """
    calls = answer_calls(response)
    if len(calls) < len(response.tool_calls):
        return None
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    arguments = members_of(calls[0].args if calls else text)
    if not calls and REPLY in arguments:
        text = ""
    reply = arguments.get(REPLY)
    said = reply if isinstance(reply, str) and reply.strip() else text
    return Given(str(storable(said)), judge(keys, arguments), calls)


def members_of(args: object) -> dict[str, Json]:
    """The members of an object that are whole, be it cut off or wrapped in something else."""
    for _ in range(2):  # some servers write the object as a text once more
        if isinstance(args, str):
            args = _parsed(args)
    try:
        members = storable(cast(Json, args)) if isinstance(args, dict) else {}
        json.dumps(members)  # numbers of thousands of digits are read and cannot be written
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Json]", members)


def _parsed(text: str) -> object:
    start, end = max(text.find("{"), 0), text.rfind("}") + 1
    for read in (lambda: json.loads(text), lambda: json.loads(text[start:end]), lambda: _begun(text[start:])):
        try:
            return read()
        except (ValueError, RecursionError):
            continue
    return None


def _begun(text: str) -> object:
    """The members that are whole in an object that was cut off."""
    return from_json(text, allow_partial=True)


class Answers:
    """The answers that a turn's model has given so far; the steps are the truth, so a resumed turn has them too."""

    def __init__(self, keys: Sequence[JsonKey], steps: Sequence[StoredStep], *, by_call: bool = True) -> None:
        self._keys, self._given, self.by_call = keys, list[Given](), by_call
        self._is_last, self._since = False, 0
        self._objection, self._refused = "", set[int]()  # replies that claim what nothing did
        self._last: ModelResponse | None = None
        for step in sorted(steps, key=lambda step: step.position):
            if step.kind == "model":
                for message in ModelMessagesTypeAdapter.validate_python(list(step.messages)):
                    if isinstance(message, ModelResponse) and not is_filtered(message):
                        self.add(message)
            elif step.kind == "check" and isinstance(step.result, dict) and step.result.get("objection"):
                self.refuse(str(step.result["objection"]))

    def refuse(self, objection: str) -> None:
        """The last answer's reply may not be sent: it is none, and the model is told why (rule 16 of a turn)."""
        self._objection = objection
        if self._given:
            self._refused.add(len(self._given) - 1)
            self._since = len(self._given)

    @property
    def is_refused(self) -> bool:
        """Whether the last answer was refused for what its reply says."""
        return bool(self._objection)

    def add(self, response: ModelResponse) -> Given | None:
        """The answer in the response, counted; None where it goes on with tools."""
        given = given_in(response, self._keys)
        self._is_last, self._last, self._objection = given is not None, response, ""
        if given is None:
            # What was said before a tool was called is no reply to what the tool told.
            self._since = len(self._given)
        else:
            self._given.append(given)
        return given

    @property
    def taken(self) -> Answer | None:
        """The answer that the turn ends with, if the last response was it."""
        if not self._is_last or self._objection:
            return None
        count = len(self._given) - len(self._refused)
        return self.best if not self._given[-1].wrong or count >= MOST_ANSWERS else None

    @property
    def best(self) -> Answer | None:
        """What can be made of all answers: the first reply since the last tool, of each value the newest that holds."""
        if not self._given:
            return None
        earlier = [given for i, given in enumerate(self._given[: self._since]) if i not in self._refused]
        replies = [given.reply for given in (*self._given[self._since :], *earlier[::-1])]
        text = next((reply for reply in replies if reply.strip()), "")
        values = {key: value for given in self._given for key, value in given.judged.values.items()}
        faults = {key: fault for key, fault in self._given[-1].judged.faults.items() if key not in values}
        ordered = {one.key: values[one.key] for one in self._keys if one.key in values}
        return Answer(text, Output(ordered, faults))

    @property
    def last_calls(self) -> tuple[ToolCallPart, ...]:
        """The calls of the last answer."""
        return self._given[-1].calls if self._given else ()

    @property
    def to_correct(self) -> Given | None:
        """The answer that the model has to give once more, if the last response was one."""
        return self._given[-1] if self._is_last and self.taken is None else None

    @property
    def open_exchange(self) -> list[ModelMessage]:
        """Of a resumed turn the answer that has to be corrected, where no call of it stands in the steps."""
        given = self.to_correct
        return [] if given is None or given.calls or self._last is None else [self._last, self.correction(given)]

    @property
    def has_reply(self) -> bool:
        """Whether there is a reply already that a correction will not change."""
        return any(given.reply.strip() for given in self._given[self._since :])

    def sentence(self, given: Given) -> str:
        """Why the answer cannot be taken."""
        wrong = given.sentence(by_call=self.by_call) if given.wrong or not self._objection else ""
        how = f"call {FINAL_ANSWER} once more" if self.by_call else "write the JSON object once more"
        return f"{self._objection} Then {how}. {wrong}".strip() if self._objection else wrong

    def correction(self, given: Given) -> ModelRequest:
        """What the model is told about an answer that was not good."""
        sentence = self.sentence(given)
        if not given.calls:
            return ModelRequest([RetryFeedbackPart(sentence, retry=RetryInfo(cause="model_retry"))])
        return ModelRequest([answered(call, sentence, "failed") for call in given.calls])


def answered(call: ToolCallPart, sentence: str, outcome: Any) -> ModelRequestPart:
    return ToolReturnPart(call.tool_name, sentence, tool_call_id=call.tool_call_id, outcome=outcome)
