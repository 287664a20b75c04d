"""What "Installation default" means here and now: the operator's settings, resolved at run time.

A configured provider's key, else an OpenAI-compatible local server by URL, else the built-in model, else none.
FRONTDESK_MODEL chooses: `none`, `local`, `provider:model`, or only a model's name.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from frontdesk.core.settings import Settings
from frontdesk.models.provider_names import LOCAL_LABEL, NAMED

NONE, LOCAL, COMPATIBLE = "none", "local", "openai_compatible"
KEYED = ("openai", "anthropic", "google")


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and, where it has several, a model; `model` None is the server's first one."""

    provider: str
    model: str | None

    @property
    def label(self) -> str:
        """In words, for the start's banner and /health."""
        if self.provider == LOCAL:
            return LOCAL_LABEL
        if self.provider == NONE:
            return "none"
        return f"{NAMED[self.provider].label} {self.model}" if self.model else NAMED[self.provider].label


def installation_key(settings: Settings, provider: str) -> str | None:
    """The installation's key of a provider; it goes to models of the installation's catalogue only."""
    keys: dict[str, SecretStr | None] = {
        "openai": settings.openai_api_key,
        "anthropic": settings.anthropic_api_key,
        "google": settings.google_api_key,
        COMPATIBLE: settings.openai_base_key,
    }
    key = keys.get(provider)
    return key.get_secret_value() if key else None


def installation_choice(settings: Settings) -> Choice:
    """Never fails: what is chosen and cannot answer for want of a key is told when it is asked."""
    wish = (settings.model or "").strip()
    if wish in (NONE, LOCAL):
        return Choice(wish, None)
    provider, mark, model = wish.partition(":")
    if mark and provider in NAMED:
        return Choice(provider, model or NAMED[provider].default_model)
    for name in KEYED:
        if installation_key(settings, name):
            return Choice(name, wish or NAMED[name].default_model)
    if settings.openai_base_url:
        return Choice(COMPATIBLE, wish or None)
    return Choice(LOCAL, None)


def wants_built_in(settings: Settings) -> bool:
    """Whether the built-in model has to be fetched and its server started."""
    return installation_choice(settings).provider == LOCAL
