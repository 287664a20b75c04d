"""The built-in model without a desk: no tools, no evidence, no guards. For answers outside of conversations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from uuid import uuid4

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters

from frontdesk.models.local.engine import Engine, Tally
from frontdesk.models.local.prompt import Message
from frontdesk.models.pieces import Call, Cost, Piece, PieceModel

LONGEST = 500  # tokens of one answer, about 350 words
# Without a desk's short form so small a model writes the same line over and over.
SAMPLING = {"repeat_penalty": 1.15, "repeat_last_n": 256, "dry_multiplier": 0.8}


class PlainLocalModel(PieceModel):
    """What it is asked goes to the server as it is; with an output tool, its schema is the grammar of the answer."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(name, "frontdesk")
        self._engine = engine

    async def pieces(self, messages: list[ModelMessage], request: ModelRequestParameters) -> AsyncGenerator[Piece]:
        form, tally = next(iter(request.output_tools), None), Tally()
        schema = form.parameters_json_schema if form else None
        written = self._engine.write([*_said(messages)], schema, tally, longest=LONGEST, sampling=SAMPLING)
        if form is None:
            async for piece in written:
                yield piece
        else:
            # Half of a JSON fits nothing, so it is given whole.
            yield Call(form.name, "".join([piece async for piece in written]), f"call:{uuid4().hex[:12]}")
        yield Cost(tally.input_tokens, tally.output_tokens, tally.cached_tokens)


def _said(messages: list[ModelMessage]) -> Iterator[Message]:
    """The messages as the server takes them: what was asked for once more stands as the user's words."""
    instructions = next((m.instructions for m in reversed(messages) if not isinstance(m, ModelResponse)), None)
    if instructions:
        yield {"role": "system", "content": instructions}
    for message in messages:
        if isinstance(message, ModelResponse):
            parts = [p.content if isinstance(p, TextPart) else p.args_as_json_str() for p in message.parts
                     if isinstance(p, TextPart | ToolCallPart)]  # fmt: skip
            yield {"role": "assistant", "content": "\n".join(parts)}
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                yield {"role": "user", "content": str(part.content)}
            elif hasattr(part, "model_response"):
                yield {"role": "user", "content": str(part.model_response())}
