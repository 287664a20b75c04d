"""Which failure of a model is tried again, and after how long."""

from datetime import timedelta

import pytest
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelTimeoutError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)

from frontdesk.assistants.no_model import NoModel
from frontdesk.runtime.model_failure import MOST_ATTEMPTS, Failure, ModelTimedOut, TurnExhausted, judge, sentence
from frontdesk.runtime.tooling import TooManyCalls


@pytest.mark.parametrize(
    "failure",
    [ModelTimeoutError("m", "slow"), ModelHTTPError(500, "m"), ModelHTTPError(429, "m"), ModelHTTPError(408, "m"),
     UnexpectedModelBehavior("nonsense"), TimeoutError()],
)  # fmt: skip
def test_what_may_pass_is_tried_again(failure: Failure) -> None:
    pauses = [judge(failure, attempt).pause for attempt in range(1, MOST_ATTEMPTS)]
    assert [pause.total_seconds() for pause in pauses if pause] == [1, 4]
    assert judge(failure, MOST_ATTEMPTS).pause is None


@pytest.mark.parametrize(
    ("failure", "code"),
    [(NoModel("none"), "no_model"), (NoModel("key", "no_key"), "no_key"), (TooManyCalls("t"), "too_many_tool_calls"),
     (TurnExhausted("never ends"), "internal_error"), (ModelHTTPError(401, "m"), "wrong_key"),
     (ModelHTTPError(404, "m"), "unknown_model"), (ModelQuotaExceededError("m", "no credits"), "quota_spent"),
     (ModelHTTPError(422, "m"), "model_rejected"), (ContentFilterError("blocked"), "content_filtered"),
     (UsageLimitExceeded("28 requests"), "too_many_tool_calls"), (UserError("no"), "model_rejected"),
     (ModelRateLimitError("m", "slow down", retry_after=31), "rate_limited")],
)  # fmt: skip
def test_what_comes_again_is_not_tried_again(failure: Failure, code: str) -> None:
    verdict = judge(failure, 1)
    assert (verdict.code, verdict.pause) == (code, None)


@pytest.mark.parametrize(("asked", "waited"), [(0.2, 1), (12, 12), (30, 30)])
def test_a_provider_may_ask_for_a_longer_pause_within_a_bound(asked: float, waited: float) -> None:
    pause = judge(ModelRateLimitError("m", "slow down", retry_after=asked), 1).pause
    assert pause is not None
    assert pause.total_seconds() == waited


def test_a_model_that_let_us_wait_to_the_end_is_tried_once_more() -> None:
    pauses = [judge(ModelTimedOut("120 s"), attempt).pause for attempt in (1, 2)]
    assert pauses == [timedelta(seconds=1), None]


def test_a_providers_body_is_not_kept() -> None:
    error = ModelHTTPError(401, "m", body={"error": "Incorrect API key provided: sk-secret"})
    assert sentence(error) == "ModelHTTPError: HTTP 401 from m"


def test_an_answer_that_makes_no_sense_is_not_kept_either() -> None:
    error = UnexpectedModelBehavior("Invalid response: 1 fault\ninput_value='sk-secret'", body='{"key": "sk-secret"}')
    assert sentence(error) == "UnexpectedModelBehavior: Invalid response: 1 fault"


@pytest.mark.parametrize(
    ("failure", "attempts", "falls_back"),
    [
        (ModelTimeoutError("m", "slow"), 1, False), (ModelTimeoutError("m", "slow"), 2, True),
        (ModelHTTPError(401, "m"), 1, True), (ModelQuotaExceededError("m", "no credits"), 1, True),
        (ModelRateLimitError("m", "slow down", retry_after=3), 1, False),
        (ModelRateLimitError("m", "slow down", retry_after=5), 1, True), (ModelTimedOut("120 s"), 1, True),
        (TooManyCalls("t"), 1, False), (TurnExhausted("never ends"), 1, False),
    ],
)  # fmt: skip
def test_another_model_is_asked_where_waiting_would_be_longer(
    failure: Failure, attempts: int, falls_back: bool
) -> None:
    verdict = judge(failure, attempts, has_next=True)
    assert verdict.falls_back is falls_back
    assert not falls_back or verdict.pause == timedelta(0)
