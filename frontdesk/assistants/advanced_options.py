"""`advanced_options`, the members that have an effect: memory, limits of the tool loop, burst window, spending.

The published name is kept. A member is added here when the code that obeys it is, never earlier.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from frontdesk.assistants.receipts_config import Receipts
from frontdesk.assistants.section import Section
from frontdesk.assistants.spending import Budget, Summary
from frontdesk.assistants.web_search import WebSearch

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ModelId = Annotated[int, Field(ge=1, le=2**63 - 1)]
MOST_FALLBACKS = 5


class Burst(Section):
    """A turn waits `window_seconds` after the last message of the customer, never over `max_seconds` in all."""

    window_seconds: Annotated[FiniteFloat, Field(ge=0, le=120)] = 6
    max_seconds: Annotated[FiniteFloat, Field(ge=0, le=600)] = 30

    @model_validator(mode="after")
    def _ordered(self) -> Burst:
        if self.window_seconds > self.max_seconds:
            raise ValueError("must have window_seconds not above max_seconds")
        return self


class AdvancedOptions(Section):
    """`history_messages` counts stored messages, `max_tool_calls` the calls of one turn (rule 9 of a turn).

    Null leaves a choice to the provider. `max_output_tokens` is for one answer of the model. The models of
    `fallback_ai_model_ids` are asked in this order where the assistant's own fails.
    """

    temperature: Annotated[FiniteFloat, Field(ge=0, le=2)] | None = None
    top_p: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None
    max_output_tokens: Annotated[int, Field(ge=16, le=200_000)] | None = None
    reasoning_effort: Effort | None = None
    parallel_tool_calls: bool = True
    fallback_ai_model_ids: list[ModelId] = Field(default_factory=list, max_length=MOST_FALLBACKS)
    history_messages: Annotated[int, Field(ge=1, le=500)] = 50
    max_tool_calls: Annotated[int, Field(ge=0, le=100)] = 20
    max_identical_tool_calls: Annotated[int, Field(ge=1, le=20)] = 3
    burst: Burst = Burst()
    web_search: WebSearch = WebSearch()
    summary: Summary = Summary()
    budget: Budget = Budget()
    receipts: Receipts = Receipts()
