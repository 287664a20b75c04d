"""What is done about a model that fails (rule 14 of a turn): try again after a pause, or give up with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import httpx2
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelHTTPError,
    UnexpectedModelBehavior,
    UserError,
)

from frontdesk.assistants.no_model import NoModel
from frontdesk.core.errors import Json
from frontdesk.runtime.failure_kinds import kind_of
from frontdesk.runtime.tooling import TooManyCalls

MOST_ATTEMPTS = 3  # runs of one turn with one model, the first included
MOST_SLOW_ATTEMPTS = 2  # of a model that we waited for to the end of our patience
ATTEMPTS_BEFORE_FALLBACK = 2  # of a model that another one can stand in for: the customer waits
MOST_RESUMPTIONS = 6  # a turn that takes its process down with it must end too
PAUSES = (1.0, 4.0, 10.0)  # seconds before the second run, the third, …
LONGEST_PAUSE = 30.0  # seconds that a provider may ask us to wait; who asks for more is not asked again
LONGEST_BEFORE_FALLBACK = 4.0  # where another model could answer meanwhile
# What comes again whenever the same thing is asked of the same model.
FINAL = frozenset((
    "wrong_key", "unknown_model", "quota_spent", "content_filtered", "context_too_long", "answer_cut_off",
    "model_rejected",
))  # fmt: skip


class ModelTimedOut(Exception):
    """The model did not finish one answer within its time."""


class BudgetSpent(Exception):
    """A limit of the assistant's own (`advanced_options.budget`) was reached while the turn ran.

    `stops`: the conversation stays with its assistant. `facts` are for the decision's sentences.
    """

    def __init__(self, code: str, facts: dict[str, Json], *, stops: bool) -> None:
        super().__init__(code)
        self.code, self.facts, self.stops = code, facts, stops


class ClaimWithoutReceipt(Exception):
    """The model says once more that it did what nothing did (rule 16 of a turn), and nothing is left without it."""


class TurnExhausted(Exception):
    """The turn was resumed again and again and never came to its end: something on our side breaks it."""


Failure = (
    AgentRunError | UserError | httpx2.HTTPError | TimeoutError | ModelTimedOut | NoModel | TooManyCalls | BudgetSpent
    | TurnExhausted | ClaimWithoutReceipt
)  # fmt: skip
FAILURES = (
    AgentRunError, UserError, httpx2.HTTPError, TimeoutError, ModelTimedOut, NoModel, TooManyCalls, BudgetSpent,
    TurnExhausted, ClaimWithoutReceipt,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pause` before the next try, or None to give up with `code`. With `falls_back` the next model tries, at once."""

    code: str
    pause: timedelta | None = None
    falls_back: bool = False


def judge(failure: Failure, attempts: int, *, has_next: bool = False) -> Verdict:
    """What to do after the `attempts`-th run of a model failed; `has_next` is whether another can stand in for it.
    Pure: the same failure gets the same verdict."""
    if isinstance(failure, NoModel):
        return Verdict(failure.reason)
    if isinstance(failure, BudgetSpent):
        return Verdict(failure.code)
    if isinstance(failure, TooManyCalls):
        return Verdict("too_many_tool_calls")
    if isinstance(failure, ClaimWithoutReceipt):
        return Verdict("claim_without_receipt")
    if isinstance(failure, TurnExhausted):
        return Verdict("internal_error")
    code = "model_timed_out" if isinstance(failure, ModelTimedOut) else kind_of(failure)
    if code == "too_many_tool_calls":
        return Verdict(code)
    is_last = code in FINAL or _asked_pause(failure) > LONGEST_PAUSE or attempts >= _most_attempts(failure)
    if has_next and (is_last or attempts >= ATTEMPTS_BEFORE_FALLBACK or _is_slow(failure, attempts)):
        return Verdict(code, timedelta(0), falls_back=True)
    return Verdict(code) if is_last else Verdict(code, timedelta(seconds=_pause(failure, attempts)))


def _most_attempts(failure: Failure) -> int:
    return MOST_SLOW_ATTEMPTS if isinstance(failure, ModelTimedOut) else MOST_ATTEMPTS


def _is_slow(failure: Failure, attempts: int) -> bool:
    """Trying the same model again would cost more time than asking another one."""
    return isinstance(failure, ModelTimedOut) or _pause(failure, attempts) > LONGEST_BEFORE_FALLBACK


def _asked_pause(failure: Failure) -> float:
    """Seconds that the provider wants us to wait. Longer than a customer should, nothing is tried again before."""
    return (failure.retry_after or 0.0) if isinstance(failure, ModelAPIError) else 0.0


def _pause(failure: Failure, attempts: int) -> float:
    return min(LONGEST_PAUSE, max(_asked_pause(failure), PAUSES[min(attempts, len(PAUSES)) - 1]))


def sentence(failure: Failure) -> str:
    """The failure in one line for the trace. Provider bodies are left out: they may hold what nobody checked."""
    if isinstance(failure, ClaimWithoutReceipt):
        return str(failure)[:500]
    if isinstance(failure, ModelHTTPError):
        return f"{type(failure).__name__}: HTTP {failure.status_code} from {failure.model_name}"
    if isinstance(failure, ModelAPIError):
        return f"{type(failure).__name__} from {failure.model_name}"
    said = failure.message if isinstance(failure, UnexpectedModelBehavior) else str(failure)
    first, _, _ = said.partition("\n")
    return f"{type(failure).__name__}: {first}"[:500]
