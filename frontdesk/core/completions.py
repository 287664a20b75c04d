"""One answer of a model outside of any conversation: what is asked, what comes back, and who is asked.

Below the models, so that edges and resources can ask without knowing them; the composition root brings who answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from .errors import Json

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Completion:
    """A question: `messages` end with the user's. `schema` is the JSON Schema of the answer; None is free text.

    `ai_model_id` of None is the installation's default model.
    """

    organization_id: int
    system: str
    messages: tuple[tuple[Speaker, str], ...]
    ai_model_id: int | None = None
    schema: dict[str, Json] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole answer; with a schema, `text` is its JSON. `cost` is in US dollars, None where no price is known."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Decimal | None = None


class CompletionFailed(Exception):
    """No answer came, and why in one sentence. With `is_lasting` the same question will fail again."""

    def __init__(self, code: str, sentence: str, *, is_lasting: bool = False) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.is_lasting = code, sentence, is_lasting


class Completions(Protocol):
    """Who answers. Both raise `CompletionFailed`."""

    async def complete(self, asked: Completion) -> Completed:
        """The whole answer at once."""
        ...

    def stream(self, asked: Completion) -> AsyncIterator[str | Completed]:
        """Pieces of the text as they come, the whole as the last."""
        ...
