"""What is around every tool alike, from the outside in: once, logged, limited, catalogue, allowed, effects.

Each wrapper is one rule of a turn (design: who may speak). A call that is refused or fails reaches the model as a
failed result with one sentence; only what ends the turn is an exception of the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import structlog
from pydantic_ai import RunContext
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool
from pydantic_ai.toolsets.wrapper import WrapperToolset

from frontdesk.assistants.permissions import permission
from frontdesk.core.database import Connection
from frontdesk.core.errors import ApiError, Json, Unavailable
from frontdesk.core.storable import storable
from frontdesk.runtime.tooling import CallRecord, CallStatus, LeaseLost, Superseded, ToolDeps, TooManyCalls, fingerprint

from .catalogue import MOST_CHARACTERS, Catalogue
from .failures import BROKEN, UNKNOWN, Refused, sentence_of

log = structlog.get_logger(__name__)

Ctx = RunContext[ToolDeps]
Tools = dict[str, ToolsetTool[ToolDeps]]
Arguments = dict[str, object]
PATIENCE = 3  # steps in which the model may go on calling after it was told to answer


def is_change(tool: ToolsetTool[ToolDeps]) -> bool:
    """Whether a call changes anything. A tool that does not say so counts as changing."""
    return bool((tool.tool_def.metadata or {}).get("is_change", True))


def _call_id(ctx: Ctx) -> str:
    if ctx.tool_call_id is None:
        raise RuntimeError("a tool call has no id")
    return ctx.tool_call_id


def _transaction(ctx: Ctx) -> Connection:
    if ctx.deps.connection is None:
        raise RuntimeError("a tool was called outside of its transaction")
    return ctx.deps.connection


@dataclass
class Once(WrapperToolset[ToolDeps]):
    """A call runs once per (turn, call id), then its stored result answers. A changing call runs beside no other."""

    async def get_tools(self, ctx: Ctx) -> Tools:
        tools = await super().get_tools(ctx)
        return {
            name: replace(tool, tool_def=replace(tool.tool_def, sequential=is_change(tool)))
            for name, tool in tools.items()
        }

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        stored = await ctx.deps.turn.stored_call(_call_id(ctx))
        if stored is None:
            result: Json = await super().call_tool(name, tool_args, ctx, tool)
            return result
        if stored.status == "done" and stored.tool_name == name:
            return stored.result
        # An intent that has no result may have had its effect: at most once means that it is not tried again.
        raise ToolFailed(str(stored.result) if stored.status in ("failed", "refused") else UNKNOWN)


@dataclass
class Logged(WrapperToolset[ToolDeps]):
    """One transaction per call: the step row with arguments, result, status and duration stands beside the effect."""

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps = ctx.deps
        started, is_last = deps.clock.monotonic(), False
        async with deps.turn.transaction() as connection:
            inner = replace(ctx, deps=deps.within(connection))
            status: CallStatus = "failed"
            result: Json
            try:
                result, status = storable(await super().call_tool(name, tool_args, inner, tool)), "done"
            except Refused as refusal:
                result, status, is_last = refusal.sentence, "refused", refusal.is_last
            except (LeaseLost, Superseded, Unavailable):
                raise
            except ApiError as error:
                result = sentence_of(error)
            except Exception:
                log.exception("tool failed", tool=name, turn=deps.turn.turn_id)
                result = BROKEN
            took = round((deps.clock.monotonic() - started) * 1000)
            arguments = storable(tool_args)  # type: ignore[arg-type]
            assert isinstance(arguments, dict)
            record = CallRecord(_call_id(ctx), name, arguments, status, storable(result), is_change(tool), took)
            await deps.turn.record_call(connection, record)
        if is_last:
            raise TooManyCalls(name)
        if status != "done":
            raise ToolFailed(str(record.result))
        return record.result


@dataclass
class Limited(WrapperToolset[ToolDeps]):
    """At most `max_tool_calls` in a turn and `max_identical_tool_calls` of one call; then the model must answer."""

    refused_steps: set[int] = field(default_factory=set)

    async def for_run(self, ctx: Ctx) -> AbstractToolset[ToolDeps]:
        return replace(self, wrapped=await self.wrapped.for_run(ctx), refused_steps=set())

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        calls, options = ctx.deps.turn.calls, ctx.deps.config.options
        mark = fingerprint(name, tool_args)
        # Counted before the first await, so that calls of one step that run side by side see each other.
        calls[mark] += 1
        sentence = None
        if calls.total() > options.max_tool_calls:
            sentence = f"All {options.max_tool_calls} tool calls of this turn are used."
        elif calls[mark] > options.max_identical_tool_calls:
            sentence = f"This very call was made {options.max_identical_tool_calls} times already."
        if sentence is not None:
            self.refused_steps.add(ctx.run_step)
            is_last = len(self.refused_steps) > PATIENCE
            raise Refused(f"{sentence} Answer the customer now with what you know, without tools.", is_last=is_last)
        result: Json = await super().call_tool(name, tool_args, ctx, tool)
        return result


@dataclass
class Allowed(WrapperToolset[ToolDeps]):
    """Offered is what the turn's configuration allows; run is what the current record still allows.

    The narrower of both scopes bounds what the call reaches.
    """

    async def get_tools(self, ctx: Ctx) -> Tools:
        tools = await super().get_tools(ctx)
        return {name: tool for name, tool in tools.items() if permission(ctx.deps.config, name).is_allowed}

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        view = await ctx.deps.turn.current_assistant(_transaction(ctx))
        rulings = (permission(ctx.deps.config, name), permission(view.config, name))
        if view.is_blocked:
            raise Refused(f"{name} was not called: the contact is blocked.")
        for ruling in rulings:
            if not ruling.is_allowed:
                raise Refused(f"{name} was not called: {ruling.sentence}. Go on without it.")
        is_wide = all(ruling.scope == "organization" for ruling in rulings)
        deps = ctx.deps.allowed(view, "organization" if is_wide else "own")
        result: Json = await super().call_tool(name, tool_args, replace(ctx, deps=deps), tool)
        return result


@dataclass
class Effects(WrapperToolset[ToolDeps]):
    """The turn commits to its effects before its first change, so that a newer inbound cannot take its place any more.

    The tool's own statements are a savepoint: where they fail, the failure can still be recorded.
    """

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        connection = _transaction(ctx)
        if is_change(tool):
            await ctx.deps.turn.start_effects(connection)
        async with connection.transaction():
            result: Json = await super().call_tool(name, tool_args, ctx, tool)
        return result


def wrapped(tools: AbstractToolset[ToolDeps], most_characters: int = MOST_CHARACTERS) -> AbstractToolset[ToolDeps]:
    """Any toolset with all the rules around it; calls reach a tool in no other way."""
    return Once(Logged(Limited(Catalogue(Allowed(Effects(tools)), most_characters))))
