"""The wrapper of rule 11: a call that a person has to approve is made with the approval in hand, or waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from pydantic_ai.toolsets.abstract import ToolsetTool
from pydantic_ai.toolsets.wrapper import WrapperToolset

from frontdesk.core.errors import Json
from frontdesk.core.storable import storable
from frontdesk.runtime.tooling import CallToApprove, ToolDeps

from .arguments import Ctx
from .failures import Refused, Waits
from .remote import is_repeatable


@dataclass
class Approved(WrapperToolset[ToolDeps]):
    """Inside of what allows, so that nobody is asked about a call that is refused anyway.

    Outside of the effects, so that a turn that only waits gives way to the customer's next message.
    """

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps = ctx.deps
        if deps.approval_version is not None:
            assert ctx.tool_call_id is not None
            assert deps.connection is not None
            stored = await deps.turn.stored_call(ctx.tool_call_id)
            about = tool.tool_def.metadata or {}
            arguments = cast("dict[str, Json]", storable(cast(Json, tool_args)))
            permit = await deps.turn.permit(deps.connection, CallToApprove(
                ctx.tool_call_id, name, arguments, deps.approval_version,
                about.get("is_change") is False or (stored is not None and is_repeatable(stored)), about.get("version"),
            ))  # fmt: skip
            if permit.state == "waits":
                raise Waits
            if permit.state == "denied":
                raise Refused(permit.sentence)
        result: Json = await super().call_tool(name, tool_args, ctx, tool)
        return result
