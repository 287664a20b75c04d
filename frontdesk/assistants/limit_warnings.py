"""Limits that are stored and cannot work as they stand: no search engine, no price, a summary that comes too late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.list_prices import list_prices
from frontdesk.core.errors import Json

LISTED = ("openai", "anthropic", "google")  # providers whose prices are published
AT_HOME = "installation"  # the row that stands for whatever the operator has configured


@dataclass(frozen=True, slots=True)
class Priced:
    """What a row of `ai_models` says of the cost of its model."""

    name: str
    provider: str
    model: str
    price_input: Decimal | None
    price_output: Decimal | None

    @property
    def is_counted(self) -> bool:
        if (self.price_input, self.price_output) != (None, None):
            return True
        return self.provider in LISTED and list_prices(self.provider, self.model) != (None, None)


def limit_warnings(
    config: AssistantConfig, models: Iterable[Priced], *, has_search_engine: bool
) -> Iterator[dict[str, Json]]:
    """`models` are those that the assistant may ask: its own and its fallbacks."""
    options = config.options
    if options.web_search.enabled and not has_search_engine:
        message = "This installation has no search engine (FRONTDESK_SEARXNG_URL), so web_search is never offered."
        yield _warning("advanced_options.web_search", "web_search_not_available", message)
    if options.summary.enabled and options.summary.after_messages > options.history_messages:
        message = f"A summary is made after {options.history_messages} messages already: more are never shown."
        yield _warning("advanced_options.summary.after_messages", "summary_above_history", message)
    if options.budget.is_limited:
        for model in models:
            if model.is_counted:
                continue
            message = f"{model.name} has no price, so its cost cannot be counted and no limit is reached by it."
            if model.provider == AT_HOME:
                message = f"{model.name} may have no price here; then its cost cannot be counted against the limits."
            yield _warning("advanced_options.budget", "budget_not_counted", message)


def _warning(field: str, code: str, message: str) -> dict[str, Json]:
    return {"field": field, "code": code, "message": message}
