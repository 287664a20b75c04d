"""Google."""

from __future__ import annotations

import httpx2
from google.genai import Client as GoogleSDK
from pydantic_ai.models import Model
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers import Provider as Client
from pydantic_ai.providers.google import GoogleProvider

ADDRESS = "https://generativelanguage.googleapis.com"


def make_google(http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client[GoogleSDK]:
    return GoogleProvider(api_key=key, http_client=http, base_url=base_url or ADDRESS)


def make_model(name: str, client: Client[GoogleSDK]) -> Model:
    return GoogleModel(name, provider=client)
