"""Asking a model as the runtime does: streamed, with tools, outside of an agent."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic_ai.messages import InstructionPart, ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

FIND = ToolDefinition(
    name="find_contact",
    description="Find contacts.",
    parameters_json_schema={"type": "object", "properties": {"search": {"type": "string"}}, "required": ["search"]},
)
UPDATE = ToolDefinition(
    name="update_contact",
    description="Change a contact.",
    parameters_json_schema={
        "type": "object",
        "properties": {
            "contact_id": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "phone": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
    },
)
SEARCH = ToolDefinition(
    name="search_products",
    parameters_json_schema={
        "type": "object",
        "properties": {
            "search": {"type": "string"},
            "type": {"enum": ["service", "product"]},
            "limit": {"type": "integer"},
        },
    },
)
GET_PRODUCT = ToolDefinition(
    name="get_product",
    parameters_json_schema={
        "type": "object",
        "properties": {"product_id": {"type": "integer"}},
        "required": ["product_id"],
    },
)


@dataclass
class Asked:
    """The answer and the texts of its stream's events."""

    response: ModelResponse
    events: int = 0

    @property
    def text(self) -> str:
        return self.response.text or ""

    @property
    def calls(self) -> list[tuple[str, dict[str, object]]]:
        return [(call.tool_name, call.args_as_dict()) for call in self.response.tool_calls]


@dataclass
class Talk:
    """A conversation that grows by what is said and asked."""

    model: Model
    tools: tuple[ToolDefinition, ...] = ()
    instructions: str = "You are the receptionist."
    moving: str = ""
    messages: list[ModelMessage] = field(default_factory=list)

    async def ask(self, text: str) -> Asked:
        self.messages.append(ModelRequest(parts=[UserPromptPart(text)]))
        return await self.go_on()

    async def go_on(self) -> Asked:
        parts = [InstructionPart(self.instructions)]
        if self.moving:
            parts.append(InstructionPart(self.moving, dynamic=True))
        request = ModelRequestParameters(function_tools=list(self.tools), instruction_parts=parts)
        events = 0
        async with self.model.request_stream(self.messages, None, request) as stream:
            async for _ in stream:
                events += 1
        asked = Asked(stream.get(), events)
        self.messages.append(asked.response)
        return asked
