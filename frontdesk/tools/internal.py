"""The toolset of internal tools: functions whose signature is the schema and whose docstring the model reads.

Arguments are checked inside the call and not before it, so that a wrong one is logged, counted against the limits and
told in our words like any other failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from pydantic import ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_ai import RunContext
from pydantic_ai.tools import GenerateToolJsonSchema, Tool, ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool
from pydantic_core import core_schema, from_json

from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps

from .failures import WrongCall, wrong_arguments
from .results import Result, bounded

ToolFunction = Callable[..., Awaitable[Result]]
UNREADABLE = "\x00unreadable"  # no argument can have this name


class RawArguments:
    """Takes whatever the model wrote; what is no JSON object is refused later, by the call."""

    def validate_json(self, input: str | bytes | bytearray, **_: object) -> dict[str, object]:
        try:
            value = from_json(input, allow_inf_nan=False)
        except ValueError:
            value = None
        return self.validate_python(value)

    def validate_python(self, input: object, **_: object) -> dict[str, object]:
        return input if isinstance(input, dict) else {UNREADABLE: str(input)[:200]}


RAW = RawArguments()


class ShortSchema(GenerateToolJsonSchema):
    """An optional parameter is one that may be left out; saying so with null and a default costs tokens only."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown = super().default_schema(schema)
        return {name: value for name, value in shown.items() if name != "default" or value is not None}


class InternalTool:
    """One key of the table: the function, and what its key says of it."""

    def __init__(self, function: ToolFunction) -> None:
        self.name = function.__name__
        self.key = TOOL_KEYS[self.name]
        self._tool: Tool[ToolDeps] = Tool(
            function,
            takes_ctx=True,
            docstring_format="google",
            require_parameter_descriptions=True,
            schema_generator=ShortSchema,
        )

    @cached_property
    def definition(self) -> ToolDefinition:
        return replace(self._tool.tool_def, metadata={"is_change": self.key.changes})

    async def run(self, arguments: dict[str, object], ctx: RunContext[ToolDeps]) -> Json:
        """Raises `WrongCall` with the sentence for the model where the schema refuses an argument."""
        if UNREADABLE in arguments:
            raise WrongCall(f"{self.name} takes its arguments as one JSON object.")
        try:
            checked = self._tool.function_schema.validator.validate_python(arguments)
        except ValidationError as error:
            raise WrongCall(wrong_arguments(self.name, error)) from None
        result: Json = await self._tool.function_schema.call(checked, ctx)
        return bounded(result)


class InternalToolset(AbstractToolset[ToolDeps]):
    """The tools of a table, by key."""

    def __init__(self, tools: Iterable[InternalTool]) -> None:
        self.tools: Mapping[str, InternalTool] = {tool.name: tool for tool in tools}

    @property
    def id(self) -> str | None:
        return "internal"

    async def get_tools(self, ctx: RunContext[ToolDeps]) -> dict[str, ToolsetTool[ToolDeps]]:
        return {
            name: ToolsetTool(toolset=self, tool_def=tool.definition, max_retries=0, args_validator=RAW)
            for name, tool in self.tools.items()
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, object], ctx: RunContext[ToolDeps], tool: ToolsetTool[ToolDeps]
    ) -> Json:
        return await self.tools[name].run(tool_args, ctx)
