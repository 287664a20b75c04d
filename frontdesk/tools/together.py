"""Several toolsets as one: internal tools, API tools, whatever else an assistant can do."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx


class Together(AbstractToolset[ToolDeps]):
    """Each tool is called in the set that it came from. Names differ by prefix; of two equal ones the first counts."""

    def __init__(self, toolsets: Sequence[AbstractToolset[ToolDeps]]) -> None:
        self.toolsets = tuple(toolsets)

    @property
    def id(self) -> str | None:
        return "all"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        found: dict[str, ToolsetTool[ToolDeps]] = {}
        for toolset in self.toolsets:
            found = {**await toolset.get_tools(ctx), **found}
        return found

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> object:
        return await tool.toolset.call_tool(name, tool_args, ctx, tool)
