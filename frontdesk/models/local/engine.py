"""One request to the built-in model's server: chat messages and a JSON schema in, the JSON as it is written out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import httpx2
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelTimeoutError

from frontdesk.models.local.prompt import Message

MAX_ANSWER_TOKENS = 300


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server listens on loopback, and its key."""

    url: str
    key: str


class FindEndpoint(Protocol):
    """Gives the running server. Raises a ModelAPIError when it is not there."""

    async def __call__(self) -> Endpoint: ...


@dataclass(slots=True)
class Tally:
    """Tokens of all requests of one answer, and the milliseconds that the server counted."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    writing_ms: float = 0.0
    reading_ms: float = 0.0

    def add(self, chunk: dict[str, dict[str, float]]) -> None:
        usage, timings = chunk.get("usage"), chunk.get("timings")
        if usage:
            self.input_tokens += int(usage.get("prompt_tokens", 0))
            self.output_tokens += int(usage.get("completion_tokens", 0))
        if timings:
            self.cached_tokens += int(timings.get("cache_n", 0))
            self.writing_ms += timings.get("predicted_ms", 0)
            self.reading_ms += timings.get("prompt_ms", 0)


class Engine:
    """The client of the server. It raises the errors of a provider, so that a turn treats it like one."""

    def __init__(self, client: httpx2.AsyncClient, find_endpoint: FindEndpoint, name: str) -> None:
        self._client, self._find_endpoint, self._name = client, find_endpoint, name

    async def write(
        self, messages: Sequence[Message], schema: dict[str, object] | None, tally: Tally,
        longest: int = MAX_ANSWER_TOKENS, sampling: Mapping[str, float] | None = None,
    ) -> AsyncGenerator[str]:  # fmt: skip
        """The answer in pieces, JSON where there is a schema; `tally` is filled at its end."""
        endpoint = await self._find_endpoint()
        form = {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}} if schema else {}
        body = {
            "messages": list(messages),
            **form,
            **(sampling or {}),
            "temperature": 0,
            "max_tokens": longest,
            "cache_prompt": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with self._opened(endpoint, body) as response:
            async for line in response.aiter_lines():
                data = line.removeprefix("data: ")
                if data == "[DONE]":
                    return
                if data is line or not data:
                    continue
                chunk = json.loads(data)
                if "error" in chunk:
                    raise ModelHTTPError(500, self._name, chunk["error"], in_stream=True)
                tally.add(chunk)
                for choice in chunk.get("choices", ()):
                    if text := choice.get("delta", {}).get("content"):
                        yield text
        raise ModelConnectionError(self._name, "The built-in model broke off in the middle of its answer.")

    @asynccontextmanager
    async def _opened(self, endpoint: Endpoint, body: dict[str, object]) -> AsyncGenerator[httpx2.Response]:
        headers = {"authorization": f"Bearer {endpoint.key}"}
        url = f"{endpoint.url}/v1/chat/completions"
        try:
            async with self._client.stream("POST", url, json=body, headers=headers) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise ModelHTTPError(response.status_code, self._name, response.text[:500])
                yield response
        except httpx2.TimeoutException as error:
            raise ModelTimeoutError(self._name, "The built-in model did not answer in time.") from error
        except httpx2.HTTPError as error:
            raise ModelConnectionError(self._name, f"The built-in model cannot be reached: {error}") from error
