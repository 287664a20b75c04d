"""The providers as a table: how each is built from a key and an address, and what it is called by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, Omit
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers import Provider as Client
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from frontdesk.models.provider_names import NAMED

# A local server takes any key, the SDK insists on one.
NO_KEY = "none"
MakeClient = Callable[[httpx2.AsyncClient, str | None, str | None], Client]
MakeModel = Callable[[str, Client], Model]


@dataclass(frozen=True, slots=True)
class Provider:
    """A service that answers over HTTP. The SDK never tries again by itself: a turn does, by its own clock."""

    label: str
    needs_key: bool
    make_client: MakeClient
    make_model: MakeModel
    default_model: str | None = None


def _openai(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client:
    return OpenAIProvider(openai_client=_openai_client(http, key, base_url or "https://api.openai.com/v1"))


def _compatible(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client:
    return OpenAICompatibleProvider("openai-compatible", openai_client=_openai_client(http, key, base_url))


def _openai_client(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> AsyncOpenAI:
    # The SDK reads more of the environment than the key; an organization's server must not be told any of it.
    unsaid = {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    return AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=base_url,
        http_client=http,
        max_retries=0,
        default_headers=unsaid,  # type: ignore[arg-type]
    )


def _anthropic(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client:
    address = base_url or "https://api.anthropic.com"
    client = AsyncAnthropic(api_key=key, auth_token=None, base_url=address, http_client=http, max_retries=0)
    return AnthropicProvider(anthropic_client=client)


def _google(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client:
    return GoogleProvider(
        api_key=key, http_client=http, base_url=base_url or "https://generativelanguage.googleapis.com"
    )


def _provider(name: str, needs_key: bool, make_client: MakeClient, make_model: MakeModel) -> Provider:
    return Provider(NAMED[name].label, needs_key, make_client, make_model, NAMED[name].default_model)


PROVIDERS: Mapping[str, Provider] = {
    "openai": _provider("openai", True, _openai, lambda name, client: OpenAIChatModel(name, provider=client)),
    "anthropic": _provider("anthropic", True, _anthropic, lambda name, client: AnthropicModel(name, provider=client)),
    "google": _provider("google", True, _google, lambda name, client: GoogleModel(name, provider=client)),
    "openai_compatible": _provider(
        "openai_compatible", False, _compatible, lambda name, client: OpenAIChatModel(name, provider=client)
    ),
}
