"""OpenAI, and every server that speaks its protocol."""

from __future__ import annotations

import httpx2
from openai import AsyncOpenAI, Omit
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider as Client
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

# A local server takes any key, the SDK insists on one.
NO_KEY = "none"
ADDRESS = "https://api.openai.com/v1"
# A server or proxy that dies may close its line in good order: without this, half an answer passes for a whole one.
WHOLE_ANSWERS = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)


def make_openai(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client[AsyncOpenAI]:
    return OpenAIProvider(openai_client=_client(http, key, base_url or ADDRESS))


def make_compatible(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client[AsyncOpenAI]:
    return OpenAICompatibleProvider("openai-compatible", openai_client=_client(http, key, base_url))


def make_model(name: str, client: Client[AsyncOpenAI]) -> Model:
    return OpenAIChatModel(name, provider=client, profile=WHOLE_ANSWERS)


def _client(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> AsyncOpenAI:
    # The SDK reads more of the environment than the key; an organization's server must not be told any of it.
    unsaid = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    return AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=base_url,
        http_client=http,
        max_retries=0,
        default_headers=unsaid,  # type: ignore[arg-type]
    )
