"""One real question to an assistant's model, by the same catalogue, keys, guard and settings as its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import httpx2
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelTimeoutError,
    UserError,
)
from pydantic_ai.messages import InstructionPart, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models import ModelRequestParameters

from frontdesk.assistants.config import config_of
from frontdesk.assistants.no_model import NoModel
from frontdesk.core.clock import Clock
from frontdesk.core.connection_trials import Code, ConnectionTrial, ConnectionTried
from frontdesk.core.database import Database
from frontdesk.core.egress import EgressRefused
from frontdesk.core.prices import cost_of
from frontdesk.models.catalogue import Catalogue, ResolvedModel

SECONDS = 20.0  # a person waits, no customer
QUESTION = ModelRequest([UserPromptPart("Are you there? Answer with the word yes.")])
WORDS = ModelRequestParameters(instruction_parts=[InstructionPart("This tests a connection. Answer with one word.")])
ASSISTANT = "SELECT * FROM ai_assistants WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
TRY_LATER = "Try again in a minute."
Failed = AgentRunError | httpx2.HTTPError | TimeoutError | UserError

# What each failure says, and what to do next. `{label}` is the provider with the model's name.
SENTENCES: dict[Code, str] = {
    "ok": "{label} answered.",
    "wrong_key": "{label} refused the key. Check it at the provider and enter it again.",
    "unknown_model": "{label} is not known there, or this key may not use it. Check the model's name and the address.",
    "no_route": "The server of {label} cannot be reached. Check the address, and whether the server runs.",
    "timeout": "{label} gave no answer within {seconds:.0f} seconds. Try again, or choose a faster model.",
    "rate_limited": f"{{label}} is asked too often with this key. {TRY_LATER}",
    "quota": "The account at {label} has no credit or quota left. Top it up at the provider.",
    "rejected": "{label} refused the request{status}. Check the model's name and the advanced options.",
    "provider_error": f"{{label}} failed{{status}}. {TRY_LATER}",
    "bad_answer": "{label} answered with something that is no answer of a model. Check the address.",
}
ADVICE = {
    "no_key": "Store one for the organization, enter the assistant's own, or choose another connection.",
    "no_model": "Choose another model.",
}


async def try_out(database: Database, catalogue: Catalogue, clock: Clock, trial: ConnectionTrial) -> ConnectionTried:
    """Implements `ConnectionTrials`. No connection of the database is held while the provider is waited for."""
    async with database.reading(trial.organization_id) as connection:
        row = await connection.fetchrow(ASSISTANT, trial.organization_id, trial.ai_assistant_id)
    if row is None:
        return ConnectionTried("no_model", "The assistant was deleted.")
    config = replace(config_of(dict(row)), ai_model_id=trial.ai_model_id, connection=trial.connection)
    started, deadline = clock.monotonic(), asyncio.get_running_loop().time() + SECONDS
    try:
        async with asyncio.timeout_at(deadline):
            resolved = await catalogue.resolve(config, specific_key=trial.specific_key)
    except NoModel as missing:
        reason: Code = "no_key" if missing.reason == "no_key" else "no_model"
        return ConnectionTried(reason, f"{missing} {ADVICE[reason]}")
    except TimeoutError:
        return ConnectionTried("timeout", SENTENCES["timeout"].format(label="The server", seconds=SECONDS))
    tried = ConnectionTried("ok", "", resolved.provider, resolved.model.model_name, resolved.label)
    try:
        async with asyncio.timeout_at(deadline):
            response = await _asked(resolved)
    except (AgentRunError, httpx2.HTTPError, TimeoutError, UserError) as failure:
        took = round((clock.monotonic() - started) * 1000)
        return replace(_failed(tried, failure), latency_ms=took)
    took, usage = round((clock.monotonic() - started) * 1000), response.usage
    return replace(
        tried, message=SENTENCES["ok"].format(label=tried.label), latency_ms=took, input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost=cost_of(usage.input_tokens, usage.output_tokens, resolved.price_input, resolved.price_output),
    )  # fmt: skip


async def _asked(resolved: ResolvedModel) -> ModelResponse:
    """Streamed, with the assistant's own options: what a turn needs is what is tried."""
    async with resolved.model.request_stream([QUESTION], resolved.settings, WORDS) as stream:
        async for _ in stream:
            pass
        return stream.get()


def _failed(tried: ConnectionTried, failure: Failed) -> ConnectionTried:
    code = code_of(failure)
    if code == "no_route" and (refused := next(_refusals(failure), None)) is not None:
        return replace(tried, code=code, message=f"The server of {tried.label} cannot be reached: {refused}")
    status = f" (HTTP {failure.status_code})" if isinstance(failure, ModelHTTPError) else ""
    return replace(tried, code=code, message=SENTENCES[code].format(label=tried.label, seconds=SECONDS, status=status))


def code_of(failure: BaseException) -> Code:
    """The kind of a failure, by the library's categories and, where it has none, by the status."""
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Code], ...] = (
        (ModelQuotaExceededError, "quota"),
        (ModelRateLimitError, "rate_limited"),
        (ModelAuthenticationError, "wrong_key"),
        (ModelNotFoundError, "unknown_model"),
        ((TimeoutError, ModelTimeoutError, ModelRequestTimeout, httpx2.TimeoutException), "timeout"),
        ((ModelConnectionError, httpx2.TransportError), "no_route"),
    )
    for kind, code in kinds:
        if isinstance(failure, kind):
            return code
    if isinstance(failure, ModelHTTPError):
        return "rejected" if failure.status_code < 500 else "provider_error"
    if isinstance(failure, UserError):
        return "rejected"
    return "provider_error" if isinstance(failure, ModelAPIError) else "bad_answer"


def _refusals(failure: BaseException) -> Iterator[str]:
    """Our guard's own words, where it is what stopped the request."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, EgressRefused):
            yield str(cause)
        cause = cause.__cause__ or cause.__context__
