"""A catalogue in place of a long list of tools: list them, describe one, call one.

Every tool that is offered is paid for in every step of every turn. Up to `MOST_CHARACTERS` the list itself is cheaper
and surer, because the catalogue costs two more steps before the first call; beyond it the model gets these three.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import ToolsetTool
from pydantic_ai.toolsets.wrapper import WrapperToolset

from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx
from .failures import WrongCall
from .internal import RAW, UNREADABLE

Tools = dict[str, ToolsetTool[ToolDeps]]
Arguments = dict[str, object]
# About 12,000 tokens: names and JSON take 3 to 4.5 characters a token, by the model's vocabulary (docs/why/0058).
MOST_CHARACTERS = 36_000
AREAS = tuple(dict.fromkeys(key.area for key in TOOL_KEYS.values()))
NAME: Json = {"type": "string", "description": "Name of the tool, from list_tools."}


def _definition(tool: str, description: str, is_change: bool, properties: Mapping[str, Json]) -> ToolDefinition:
    required: list[Json] = [name for name in properties if name != "area"]
    schema: dict[str, Json] = {
        "type": "object", "properties": dict(properties), "required": required, "additionalProperties": False,
    }  # fmt: skip
    metadata = {"is_change": is_change}
    return ToolDefinition(name=tool, description=description, parameters_json_schema=schema, metadata=metadata)


DEFINITIONS = (
    _definition(
        "list_tools", "List the tools that you can call, with what each is for.", False,
        {"area": {"type": "string", "enum": [*AREAS], "description": "Only tools of this area."}},
    ),
    _definition(
        "describe_tool", "Read how a tool is called: its description and the JSON Schema of its arguments.", False,
        {"name": NAME},
    ),
    _definition(
        # What it calls may change something, so it stands alone in its step like every change.
        "call_tool", "Call a tool that you have described before.", True,
        {"name": NAME, "arguments": {"type": "object", "description": "Its arguments, as describe_tool says."}},
    ),
)  # fmt: skip


def characters(tools: Tools) -> int:
    """What a list of tools weighs, as providers are sent it."""
    return sum(len(json.dumps(_sent(tool.tool_def))) for tool in tools.values())


def _sent(definition: ToolDefinition) -> dict[str, object]:
    return {
        "name": definition.name,
        "description": definition.description,
        "parameters": definition.parameters_json_schema,
    }


@dataclass
class Catalogue(WrapperToolset[ToolDeps]):
    """Offers the tools themselves, or the three of the catalogue where the list would be too long.

    It stands inside of what logs and limits, so that a call by the catalogue is a step like any other, and outside of
    what allows, so that it lists and calls only what is allowed.
    """

    most_characters: int = MOST_CHARACTERS

    async def get_tools(self, ctx: Ctx) -> Tools:
        tools = await super().get_tools(ctx)
        if characters(tools) <= self.most_characters:
            return tools
        catalogue = {
            one.name: ToolsetTool(toolset=self, tool_def=one, max_retries=0, args_validator=RAW) for one in DEFINITIONS
        }
        return catalogue | {name: tool for name, tool in tools.items() if (tool.tool_def.metadata or {}).get("stays")}

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        if name not in ("list_tools", "describe_tool", "call_tool"):
            result: Json = await super().call_tool(name, tool_args, ctx, tool)
            return result
        tools = await super().get_tools(ctx)
        if name == "list_tools":
            return _listed(tools, tool_args.get("area"))
        chosen = tools.get(str(tool_args.get("name")))
        if chosen is None:
            raise WrongCall(f"There is no tool {str(tool_args.get('name'))[:80]!r}: take a name from list_tools.")
        if name == "describe_tool":
            return cast(Json, _sent(chosen.tool_def))
        arguments = tool_args.get("arguments")
        inner = cast(Arguments, arguments) if isinstance(arguments, dict) else {UNREADABLE: str(arguments)[:200]}
        answer: Json = await super().call_tool(chosen.tool_def.name, inner, ctx, chosen)
        return answer


def _listed(tools: Tools, area: object) -> Json:
    """Name and first sentence of each tool, of one area or of all."""
    rows = [
        {"name": name, "description": (tool.tool_def.description or "").partition(". ")[0].partition("\n")[0]}
        for name, tool in tools.items()
        if area is None or (name in TOOL_KEYS and TOOL_KEYS[name].area == area)
    ]
    return {"total": len(rows), "data": cast(Json, rows)}
