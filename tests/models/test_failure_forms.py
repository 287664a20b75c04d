"""What providers publish as their errors, through their own SDKs over HTTP: each is told by its kind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic_ai import models
from pydantic_ai.exceptions import ModelAPIError

from frontdesk.core.egress import Guard
from frontdesk.models.clients import Clients
from frontdesk.runtime.failure_kinds import is_filtered, kind_of
from tests.models.asking import Talk
from tests.models.http_server import Handler, answer, serving


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    clients = Clients(Guard(allow_loopback=True))
    yield clients
    await clients.close()


def of_openai(message: str, code: str | None = None, type: str = "invalid_request_error") -> object:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def of_anthropic(message: str, type: str = "invalid_request_error") -> object:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}


def of_google(status: str, message: str, *details: object, code: int = 400) -> object:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


BLOCKED = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
TPM = "Request too large for m in organization o on tokens per min (TPM): Limit 10000, Requested 20000."
COMPATIBLE = "openai_compatible"
FORMS = [
    ("openai", 400, of_openai("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
     "context_too_long"),
    ("openai", 429, of_openai(TPM, "rate_limit_exceeded", "tokens"), "context_too_long"),
    ("openai", 401, of_openai("Incorrect API key provided.", "invalid_api_key"), "wrong_key"),
    ("openai", 404, of_openai("The model `m` does not exist.", "model_not_found"), "unknown_model"),
    ("openai", 429, of_openai("You exceeded your current quota.", "insufficient_quota"), "quota_spent"),
    ("openai", 429, of_openai("Rate limit reached.", "rate_limit_exceeded"), "rate_limited"),
    ("openai", 400, of_openai("Invalid prompt.", "content_policy_violation"), "content_filtered"),
    ("openai", 400, of_openai("Unsupported parameter: 'top_p'.", "unsupported_parameter"), "model_rejected"),
    ("openai", 503, of_openai("overloaded", "server_is_overloaded"), "model_failed"),
    ("anthropic", 400, of_anthropic("prompt is too long: 210000 tokens > 200000 maximum"), "context_too_long"),
    ("anthropic", 400, of_anthropic("input length and `max_tokens` exceed context limit: 198981 + 21333 > 200000"),
     "context_too_long"),
    ("anthropic", 413, of_anthropic("Request exceeds the maximum size", "request_too_large"), "context_too_long"),
    ("anthropic", 400, of_anthropic("Output blocked by content filtering policy"), "content_filtered"),
    ("anthropic", 401, of_anthropic("invalid x-api-key", "authentication_error"), "wrong_key"),
    ("anthropic", 404, of_anthropic("model: m", "not_found_error"), "unknown_model"),
    ("anthropic", 400, of_anthropic("Your credit balance is too low to access the Anthropic API."), "quota_spent"),
    ("anthropic", 529, of_anthropic("Overloaded", "overloaded_error"), "model_failed"),
    ("google", 400, of_google("INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens"
                              " allowed (1048576)."), "context_too_long"),
    ("google", 400, of_google("INVALID_ARGUMENT", "API key not valid.", {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}), "wrong_key"),
    ("google", 404, of_google("NOT_FOUND", "models/m is not found.", code=404), "unknown_model"),
    ("google", 429, of_google("RESOURCE_EXHAUSTED", "Slow down.", code=429), "rate_limited"),
    (COMPATIBLE, 400, {"object": "error", "message": "Prompt contains 40000 tokens, too large for model with 32768"
                       " maximum context length", "type": "invalid_request_error", "code": 3051}, "context_too_long"),
    (COMPATIBLE, 400, {"error": {"code": 400, "message": "request (4390 tokens) exceeds the available context size",
                                 "type": "exceed_context_size_error"}}, "context_too_long"),
    (COMPATIBLE, 500, {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}},
     "context_too_long"),
    (COMPATIBLE, 400, of_openai("Range of input length should be [1, 30720]"), "context_too_long"),
    (COMPATIBLE, 400, of_openai("prompt token count of 93854 exceeds the limit of 90000"), "context_too_long"),
    (COMPATIBLE, 400, of_openai(BLOCKED, "content_filter"), "content_filtered"),
    (COMPATIBLE, 400, of_openai("Input data may contain inappropriate content.", "data_inspection_failed"),
     "content_filtered"),
    (COMPATIBLE, 403, of_openai("Your input was flagged by the moderation."), "content_filtered"),
    (COMPATIBLE, 402, of_openai("Insufficient balance"), "quota_spent"),
    (COMPATIBLE, 500, of_openai("content filter crashed"), "model_failed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "status", "body", "kind"), FORMS, ids=[f"{form[0]}-{i}-{form[3]}" for i, form in enumerate(FORMS)]
)
async def test_an_error_is_told_by_its_kind(
    clients: Clients, provider: str, status: int, body: object, kind: str
) -> None:
    async with serving(answer(json.dumps(body).encode(), status, content_type="application/json")) as server:
        with pytest.raises(ModelAPIError) as caught:
            await talk(clients, provider, server.url).ask("Hi")
    assert kind_of(caught.value) == kind


def talk(clients: Clients, provider: str, url: str) -> Talk:
    return Talk(clients.model(provider, "m", f"{url}/v1" if "openai" in provider else url, "key"))


def stream(*events: object, named: bool = False) -> Handler:
    """Server-sent events; Anthropic's carry their names."""
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" if named  # type: ignore[index]
             else f"data: {json.dumps(event)}\n\n" for event in events]  # fmt: skip
    return answer("".join(lines).encode(), content_type="text/event-stream")


def chunk(delta: object, finish: str | None = None) -> object:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def message(*between: object, stop: str) -> Sequence[object]:
    usage = {"input_tokens": 3, "output_tokens": 1}
    start = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
             "stop_sequence": None, "usage": usage}  # fmt: skip
    end = {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage}
    return {"type": "message_start", "message": start}, *between, end, {"type": "message_stop"}


HALF = {"role": "assistant", "content": "You could"}
HALF_BLOCK = (
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "You could"}},
    {"type": "content_block_stop", "index": 0},
)
CANDIDATE = {"content": {"role": "model", "parts": [{"text": "You could"}]}, "finishReason": "SAFETY", "index": 0}
FILTERED = {
    "openai-finish": ("openai", stream(chunk(HALF), chunk({}, "content_filter"))),
    "openai-refusal": ("openai", stream(chunk({"role": "assistant", "refusal": "I cannot."}), chunk({}, "stop"))),
    "compatible-sensitive": (COMPATIBLE, stream(chunk(HALF), chunk({}, "sensitive"))),
    "anthropic-refusal": ("anthropic", stream(*message(*HALF_BLOCK, stop="refusal"), named=True)),
    "anthropic-nothing": ("anthropic", stream(*message(stop="refusal"), named=True)),
    "google-safety": ("google", stream({"candidates": [CANDIDATE]})),
    "google-prompt": ("google", stream({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})),
}


@pytest.mark.parametrize("form", FILTERED)
async def test_an_answer_that_a_filter_broke_off_is_none(clients: Clients, form: str) -> None:
    provider, handler = FILTERED[form]
    async with serving(handler) as server:
        asked = await talk(clients, provider, server.url).ask("Hi")
    assert is_filtered(asked.response)


async def test_an_answer_that_ends_as_it_should_is_one(clients: Clients) -> None:
    async with serving(stream(chunk(HALF), chunk({}, "stop"))) as server:
        asked = await talk(clients, "openai", server.url).ask("Hi")
    assert (asked.text, is_filtered(asked.response)) == ("You could", False)
