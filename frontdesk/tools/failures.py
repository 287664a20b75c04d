"""How a tool call that did not work is told to the model: one sentence that lets it correct itself, or answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from frontdesk.core.errors import ApiError, BadRequest, Invalid, NotFound

BROKEN = "The tool failed on our side. Do not call it again now; say that this could not be done."
UNKNOWN = "The outcome of this call is unknown. Do not repeat it; tell the customer that a person will check."
OUT_OF_REACH = "There is no such record that you can reach. Use only ids that a tool or the conversation gave you."

_ARGUMENT: Mapping[str, str] = {
    "missing": "is required",
    "missing_argument": "is required",
    "unexpected_keyword_argument": "is not a parameter",
    "extra_forbidden": "is not a parameter",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a text",
}


class WrongCall(BadRequest):
    """Arguments with which the tool cannot be called; the message is the sentence."""


class Refused(Exception):
    """A call that was not made: not allowed, or one too many. `is_last` ends the turn's loop."""

    def __init__(self, sentence: str, *, is_last: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.is_last = sentence, is_last


def _invalid(error: Invalid) -> str:
    return "Nothing was done: " + "; ".join(f"{path} {why}" for path, why in error.errors.items()) + "."


class Waits(Exception):
    """A call that a person has to approve first."""


_SENTENCES: Mapping[type[ApiError], Callable[[ApiError], str]] = {
    Invalid: lambda error: _invalid(error),  # type: ignore[arg-type]
    WrongCall: lambda error: error.message,
    # The same words for what does not exist and for what is somebody else's.
    NotFound: lambda error: OUT_OF_REACH,
}


def sentence_of(error: ApiError) -> str:
    """An expected error in words for the model."""
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            return sentence(error)
    return f"Nothing was done: {error.message}"


def wrong_arguments(name: str, error: ValidationError) -> str:
    """Every argument that the tool's schema refuses, by name."""
    faults = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(step) for step in detail["loc"]) or "the arguments"
        message = detail["msg"]
        faults.append(f"{path} {_ARGUMENT.get(detail['type'], message[:1].lower() + message[1:])}")
    return f"{name} was not called: {'; '.join(dict.fromkeys(faults))}."
