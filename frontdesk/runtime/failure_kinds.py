"""What kind of failure it was: by the library's categories, and by the providers' own words where it has none.

Servers that speak OpenAI's protocol word the same thing in many ways, and what is to be done hangs on the kind: a
history that is too long is shortened, a filter is not asked again, a wrong key is for the operator.
"""

from __future__ import annotations

import json

import httpx2
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    OutputTokenLimitExceeded,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.messages import ModelResponse

LONGEST_BODY = 20_000  # characters of a provider's words that are looked at

# As the providers publish them, in lower case. OpenAI's, Google's and Mistral's usual forms the library knows itself.
TOO_LONG = (
    "context_length_exceeded", "maximum context length", "context length", "context window", "context size",
    "exceed_context_size", "context limit", "prompt is too long", "prompt too long", "input is too long",
    "maximum prompt length", "prompt token count",
    "input token count", "input tokens exceed", "too many tokens", "tokens exceed", "request_too_large",
    "request too large", "reduce the length of the messages", "too large for model", "inputs tokens + max_new_tokens",
    "inputs` tokens + `max_new_tokens", "range of input length", "string_above_max_length",
)  # fmt: skip
FILTERED = (
    "content_filter", "content filter", "content_policy", "content policy", "content management policy",
    "content filtering policy", "responsibleaipolicyviolation", "prohibited_content", "data_inspection_failed",
    "datainspectionfailed", "inappropriate content", "content exists risk", "input was flagged", "moderation_blocked",
    "flagged as potentially violating", "safety system", "guardrail_intervened", "prompt was blocked",
    "blocked by safety",
)  # fmt: skip
# Finish reasons of providers that the library does not name: Zhipu, Bedrock behind a gateway, Gemini behind one.
FILTER_REASONS = frozenset((
    "content_filter", "content_filtered", "content-filter", "guardrail_intervened", "refusal", "sensitive", "safety",
    "prohibited_content", "blocklist", "recitation", "spii", "image_safety",
))  # fmt: skip
TIMEOUTS = (TimeoutError, ModelTimeoutError, ModelRequestTimeout, httpx2.TimeoutException)
REJECTED = range(400, 500)
PASSING = (408, 409, 425, 429)  # statuses of the fours that may be gone at the next try
NO_KEY_FOR_IT = (401, 403)


def kind_of(failure: BaseException) -> str:
    """The code of a failure of the model, as decisions have it (`failure_words.py`)."""
    if (known := _by_class(failure)) is not None:
        return known
    if isinstance(failure, ModelAPIError):
        return _by_words(failure) or _by_status(failure)
    if isinstance(failure, httpx2.TransportError):
        return "model_unreachable"
    return "model_rejected" if isinstance(failure, UserError) else "model_failed"


def _by_class(failure: BaseException) -> str | None:
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        (ContentFilterError, "content_filtered"),
        (OutputTokenLimitExceeded, "answer_cut_off"),
        (UsageLimitExceeded, "too_many_tool_calls"),
        (ModelContextWindowExceededError, "context_too_long"),
        (ModelQuotaExceededError, "quota_spent"),
        (TIMEOUTS, "model_timed_out"),
    )
    return next((code for kind, code in kinds if isinstance(failure, kind)), None)


def _by_words(failure: ModelAPIError) -> str | None:
    """Of a refusal; where a server broke, only that it broke of too much (llama.cpp says 500 of that, at times)."""
    status = failure.status_code if isinstance(failure, ModelHTTPError) else httpx2.codes.BAD_REQUEST
    if status not in REJECTED and status != httpx2.codes.INTERNAL_SERVER_ERROR:
        return None
    said = words_of(failure)
    if status in REJECTED and any(word in said for word in FILTERED):
        return "content_filtered"
    return "context_too_long" if any(word in said for word in TOO_LONG) else None


def _by_status(failure: ModelAPIError) -> str:
    status = failure.status_code if isinstance(failure, ModelHTTPError) else None
    if isinstance(failure, ModelRateLimitError) or status == httpx2.codes.TOO_MANY_REQUESTS:
        return "rate_limited"
    if isinstance(failure, ModelAuthenticationError) or status in NO_KEY_FOR_IT:
        return "wrong_key"
    if isinstance(failure, ModelNotFoundError) or status == httpx2.codes.NOT_FOUND:
        return "unknown_model"
    if isinstance(failure, ModelConnectionError):
        return "model_unreachable"
    is_refused = status in REJECTED and status not in PASSING
    return "model_rejected" if is_refused or isinstance(failure, ModelRequestRejectedError) else "model_failed"


def words_of(failure: ModelAPIError) -> str:
    """The provider's words in lower case. They are compared and never kept: nobody checked what they hold."""
    body = failure.body
    try:
        told = body if isinstance(body, str) else json.dumps(body) if body is not None else failure.message
    except (TypeError, ValueError):
        told = str(body)
    codes = f"{failure.provider_error_code or ''} {failure.provider_error_type or ''}"
    return f"{codes} {told[:LONGEST_BODY]}".lower()


def is_filtered(response: ModelResponse) -> bool:
    """Whether a filter ended the answer: what there is of it is no answer, however much it is."""
    if response.finish_reason == "content_filter":
        return True
    raw = (response.provider_details or {}).get("finish_reason")
    return response.finish_reason is None and isinstance(raw, str) and raw.lower() in FILTER_REASONS
