"""The providers as a table: how each is built from a key and an address, and what it is called by default.

A provider's SDK costs up to a second of CPU and 20 MB to load, so a process loads it when the first model of that
provider is asked, and never before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.providers import Provider as Client

from frontdesk.models.provider_names import NAMED

MakeClient = Callable[[httpx2.AsyncClient, str | None, str | None], Client[Any]]


@dataclass(frozen=True, slots=True)
class Provider:
    """A service that answers over HTTP: `module` builds its client by `maker`, and its models by `make_model`.

    The SDK never tries again by itself: a turn does, by its own clock.
    """

    label: str
    needs_key: bool
    module: str
    maker: str
    default_model: str | None = None

    def make_client(self, http: httpx2.AsyncClient, key: str | None, base_url: str | None) -> Client[Any]:
        make: MakeClient = getattr(self._load(), self.maker)
        return make(http, key, base_url)

    def make_model(self, name: str, client: Client[Any]) -> Model:
        make: Callable[[str, Client[Any]], Model] = self._load().make_model
        return make(name, client)

    def _load(self) -> ModuleType:
        return importlib.import_module(f"frontdesk.models.{self.module}")


def _provider(name: str, needs_key: bool, module: str, maker: str) -> Provider:
    return Provider(NAMED[name].label, needs_key, module, maker, NAMED[name].default_model)


PROVIDERS: Mapping[str, Provider] = {
    "openai": _provider("openai", True, "openai_clients", "make_openai"),
    "anthropic": _provider("anthropic", True, "anthropic_client", "make_anthropic"),
    "google": _provider("google", True, "google_client", "make_google"),
    "openai_compatible": _provider("openai_compatible", False, "openai_clients", "make_compatible"),
}
