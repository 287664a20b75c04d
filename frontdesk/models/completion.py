"""Answers outside of conversations, by the same catalogue, keys and guards as the turns' models."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Protocol, cast

import httpx2
from jsonschema import Draft202012Validator
from pydantic_ai import Agent, ModelRetry, StructuredDict
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RunUsage

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.no_model import NoModel
from frontdesk.core.completions import Completed, Completion, CompletionFailed
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.core.prices import cost_of
from frontdesk.models.catalogue import ResolvedModel
from frontdesk.models.connection_trial import SENTENCES, code_of
from frontdesk.models.local.model import LocalModel

SECONDS = 120.0  # one answer
TRIES = 2  # for an answer that does not fit its schema
MOST_WAITING = 256  # pieces that a slow reader may be behind
Pieces = asyncio.Queue[str | Completed | None]
DEFAULT_MODEL = "SELECT id FROM ai_models WHERE organization_id IS NULL AND deleted_at IS NULL ORDER BY id LIMIT 1"
LASTING = {"wrong_key", "unknown_model", "quota", "rejected"}


class Models(Protocol):
    """The catalogue, as far as it is needed here."""

    async def resolve(self, config: AssistantConfig) -> ResolvedModel: ...


class ModelCompletions:
    """Implements `core.completions.Completions`."""

    def __init__(self, database: Database, models: Models) -> None:
        self._database, self._models = database, models

    async def complete(self, asked: Completion) -> Completed:
        """The whole answer. Raises `CompletionFailed`."""
        resolved = await self._resolve(asked)
        question, history = asked.messages[-1][1], _history(asked.messages[:-1])
        try:
            async with asyncio.timeout(SECONDS):
                if asked.schema is None:
                    plain = await _agent(resolved, asked).run(question, message_history=history)
                    return _completed(resolved, plain.output, plain.usage)
                agent = _shaped_agent(resolved, asked, asked.schema)
                shaped = await agent.run(question, message_history=history)
                return _completed(resolved, json.dumps(shaped.output, ensure_ascii=False), shaped.usage)
        except (AgentRunError, httpx2.HTTPError, TimeoutError) as error:
            raise _failed(resolved.label, error) from error

    async def stream(self, asked: Completion) -> AsyncIterator[str | Completed]:
        """Pieces of the text, then the whole; an answer with a schema is one piece, because half of it fits nothing."""
        if asked.schema is not None:
            whole = await self.complete(asked)
            yield whole.text
            yield whole
            return
        # Its own task, because a server may ask for the first piece in another one than for the rest.
        pieces: Pieces = asyncio.Queue(MOST_WAITING)
        feeding = asyncio.create_task(self._feed(asked, pieces))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    async def _feed(self, asked: Completion, pieces: Pieces) -> None:
        try:
            await self._feed_from(await self._resolve(asked), asked, pieces)
        finally:
            await pieces.put(None)

    async def _feed_from(self, resolved: ResolvedModel, asked: Completion, pieces: Pieces) -> None:
        question, history = asked.messages[-1][1], _history(asked.messages[:-1])
        run_of, said = _agent(resolved, asked).run_stream, ""
        try:
            async with asyncio.timeout(SECONDS), run_of(question, message_history=history) as run:
                async for piece in run.stream_text(delta=True, debounce_by=None):
                    said += piece
                    await pieces.put(piece)
                await pieces.put(_completed(resolved, said, run.usage))
        except (AgentRunError, httpx2.HTTPError, TimeoutError) as error:
            raise _failed(resolved.label, error) from error

    async def _resolve(self, asked: Completion) -> ResolvedModel:
        """The model with the organization's own key where it has one, else with the installation's."""
        model_id = asked.ai_model_id
        if model_id is None:
            async with self._database.reading(asked.organization_id) as connection:
                model_id = await connection.fetchval(DEFAULT_MODEL)
        config = AssistantConfig(
            id=0, organization_id=asked.organization_id, ai_model_id=model_id, connection="organization"
        )
        try:
            return await self._models.resolve(config)
        except NoModel as error:
            if error.reason != "no_key":
                raise _no_model(error) from error
        try:
            return await self._models.resolve(replace(config, connection="system"))
        except NoModel as error:
            raise _no_model(error) from error


def _no_model(error: NoModel) -> CompletionFailed:
    return CompletionFailed(error.reason, str(error), is_lasting=True)


def _agent(resolved: ResolvedModel, asked: Completion) -> Agent[None, str]:
    return Agent(
        _model(resolved), deps_type=type(None), instructions=asked.system, model_settings=_settings(resolved, asked)
    )


def _shaped_agent(
    resolved: ResolvedModel, asked: Completion, schema: dict[str, Json]
) -> Agent[None, dict[str, object]]:
    shape = StructuredDict(cast("dict[str, object]", schema), name="answer")
    agent: Agent[None, dict[str, object]] = Agent(
        _model(resolved), deps_type=type(None), instructions=asked.system, retries=TRIES,
        output_type=shape, model_settings=_settings(resolved, asked),
    )  # fmt: skip
    validator = Draft202012Validator(schema)

    @agent.output_validator
    def _fits(output: dict[str, object]) -> dict[str, object]:
        wrong = next(validator.iter_errors(output), None)
        if wrong is not None:
            raise ModelRetry(f"{wrong.json_path}: {wrong.message[:200]}")
        return output

    return agent


def _model(resolved: ResolvedModel) -> Model:
    return resolved.model.plain() if isinstance(resolved.model, LocalModel) else resolved.model


def _settings(resolved: ResolvedModel, asked: Completion) -> ModelSettings:
    settings: ModelSettings = {**(resolved.settings or {})}
    if asked.temperature is not None:
        settings["temperature"] = asked.temperature
    if asked.top_p is not None:
        settings["top_p"] = asked.top_p
    if asked.max_tokens is not None:
        settings["max_tokens"] = asked.max_tokens
    return settings


def _history(messages: Sequence[tuple[str, str]]) -> list[ModelMessage]:
    """Neighbours of one side become one message: providers refuse two in a row."""
    history: list[ModelMessage] = []
    for speaker, text in messages:
        last = history[-1] if history else None
        if speaker == "user" and isinstance(last, ModelRequest):
            history[-1] = ModelRequest([*last.parts, UserPromptPart(text)])
        elif speaker == "user":
            history.append(ModelRequest([UserPromptPart(text)]))
        elif isinstance(last, ModelResponse):
            history[-1] = ModelResponse([*last.parts, TextPart(text)])
        else:
            history.append(ModelResponse([TextPart(text)]))
    return history


def _completed(resolved: ResolvedModel, text: str, usage: RunUsage) -> Completed:
    cost = cost_of(usage.input_tokens, usage.output_tokens, resolved.price_input, resolved.price_output)
    return Completed(text, resolved.model.model_name, usage.input_tokens, usage.output_tokens, cost)


def _failed(label: str, error: AgentRunError | httpx2.HTTPError | TimeoutError) -> CompletionFailed:
    """The failure in words of ours: a provider's may hold what nobody checked."""
    if isinstance(error, UnexpectedModelBehavior):
        return CompletionFailed("bad_answer", f"{label} gave no answer of the form that was asked for.")
    code = code_of(error)
    status = f" (HTTP {error.status_code})" if isinstance(error, ModelHTTPError) else ""
    sentence = SENTENCES[code].format(label=label, seconds=SECONDS, status=status)
    return CompletionFailed(code, sentence, is_lasting=code in LASTING)
