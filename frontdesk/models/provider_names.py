"""What the providers are called, and which of their models is asked when none is named.

Apart from `providers.py`, which loads every provider's SDK: seconds that an HTTP process need not spend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LOCAL_LABEL = "small built-in model"


@dataclass(frozen=True, slots=True)
class Named:
    """One provider in words; a server of one's own has no default model but its first."""

    label: str
    default_model: str | None = None


NAMED: Mapping[str, Named] = {
    "openai": Named("OpenAI", "gpt-5.6-luna"),
    "anthropic": Named("Anthropic", "claude-haiku-5-5"),
    "google": Named("Google", "gemini-3.8-flash"),
    "openai_compatible": Named("OpenAI-compatible server"),
}
