"""Trying whether a model answers with an assistant's connection: what is asked and what came of it.

Below the models, so that resources can ask without knowing them; the composition root brings who tries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

Code = Literal[
    "ok", "no_model", "no_key", "wrong_key", "unknown_model", "no_route", "timeout", "rate_limited", "quota",
    "rejected", "provider_error", "bad_answer",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConnectionTrial:
    """The assistant with another model, connection or key, where these are given before they are saved."""

    organization_id: int
    ai_assistant_id: int
    ai_model_id: int
    connection: Literal["system", "organization", "specific"]
    specific_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ConnectionTried:
    """What came of it. `message` is for the person who tries and holds no secret and no text of the provider's."""

    code: Code
    message: str
    provider: str | None = None
    model: str | None = None
    label: str | None = None
    latency_ms: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


class ConnectionTrials(Protocol):
    async def try_out(self, trial: ConnectionTrial) -> ConnectionTried:
        """Ask the model for one word. Never raises for what a provider can do wrong; takes seconds at most."""
        ...
