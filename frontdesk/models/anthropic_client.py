"""Anthropic."""

from __future__ import annotations

from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers import Provider as Client
from pydantic_ai.providers.anthropic import AnthropicProvider

ADDRESS = "https://api.anthropic.com"


def make_anthropic(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client[Any]:
    client = AsyncAnthropic(api_key=key, auth_token=None, base_url=base_url or ADDRESS, http_client=http, max_retries=0)
    return AnthropicProvider(anthropic_client=client)


def make_model(name: str, client: Client[Any]) -> Model:
    return AnthropicModel(name, provider=client)
