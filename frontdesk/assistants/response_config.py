"""`response_config`: the answer as one message, or as several with a pause between them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from frontdesk.assistants.section import Section

Seconds = Annotated[FiniteFloat, Field(ge=0, le=60)]


class Delay(Section):
    """The pause before each part after the first, in seconds; longer parts wait longer."""

    min: Seconds = 1
    max: Seconds = 4

    @model_validator(mode="after")
    def _ordered(self) -> Delay:
        if self.min > self.max:
            raise ValueError("must have min not above max")
        return self


class ResponseConfig(Section):
    """`single`: the whole answer is one message. `multi`: at most `max_messages`, cut where a sentence ends."""

    mode: Literal["single", "multi"] = "single"
    max_messages: Annotated[int, Field(ge=1, le=10)] = 3
    delay_seconds: Delay = Delay()
