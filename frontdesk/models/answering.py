"""How our own models end a turn by a call: their text becomes the growing `reply` of its arguments.

So what is shown of an answer, how it is stored and what is done about a wrong one is the same for every model.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from uuid import uuid4

from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from frontdesk.assistants.json_keys import REPLY
from frontdesk.models.pieces import Cost, Growth, Piece

Values = Mapping[str, object]


def answer_tool(request: ModelRequestParameters) -> ToolDefinition | None:
    """The call by which this request wants to be answered; None where text will do."""
    for tool in request.output_tools:
        properties = tool.parameters_json_schema.get("properties")
        if isinstance(properties, dict) and REPLY in properties:
            return tool
    return None


async def as_answer(
    pieces: AsyncGenerator[Piece], tool: ToolDefinition, values: Callable[[], Values]
) -> AsyncGenerator[Piece]:
    """The pieces with their text as arguments of `tool`; `values` is asked when the text is over."""
    call_id, has_begun = f"answer:{uuid4().hex[:12]}", False
    async for piece in pieces:
        if isinstance(piece, str):
            text = json.dumps(piece, ensure_ascii=False)[1:-1]
            yield Growth(text, call_id) if has_begun else Growth(f'{{"{REPLY}": "{text}', call_id, tool.name)
            has_begun = True
            continue
        if isinstance(piece, Cost) and has_begun:
            rest = json.dumps(values(), ensure_ascii=False)[1:-1]
            yield Growth(f'", {rest}}}' if rest else '"}', call_id)
            has_begun = False
        yield piece
