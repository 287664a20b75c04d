"""`advanced_options.budget` and `.summary`: what an assistant may spend, and how it remembers long conversations."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from frontdesk.assistants.section import Section

Dollars = Annotated[FiniteFloat, Field(gt=0, le=1_000_000)]


class Budget(Section):
    """Limits in US dollars, by the prices of the models; null is no limit.

    A conversation counts from its last opening (or cut of the context), a day is one of the assistant's `timezone`.
    """

    max_cost_per_conversation: Dollars | None = None
    max_cost_per_day: Dollars | None = None
    on_exceeded: Literal["handoff", "stop"] = "handoff"

    @property
    def is_limited(self) -> bool:
        return self.max_cost_per_conversation is not None or self.max_cost_per_day is not None

    @property
    def per_conversation(self) -> Decimal | None:
        return _exact(self.max_cost_per_conversation)

    @property
    def per_day(self) -> Decimal | None:
        return _exact(self.max_cost_per_day)


class Summary(Section):
    """With more than `after_messages` messages to show, the older half of them is told as a summary."""

    enabled: bool = True
    after_messages: Annotated[int, Field(ge=4, le=500)] = 40


def _exact(dollars: float | None) -> Decimal | None:
    """As it was written: 0.1 is a tenth and not what the machine makes of it."""
    return None if dollars is None else Decimal(str(dollars))
