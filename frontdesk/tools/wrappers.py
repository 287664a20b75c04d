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

from frontdesk.assistants.approval_words import CONFIRMED
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.permissions import Permission, api_tool_permission, mcp_tool_permission, permission
from frontdesk.core.database import Connection
from frontdesk.core.errors import ApiError, Json, Unavailable
from frontdesk.core.storable import storable
from frontdesk.runtime.tooling import (
    CallRecord,
    CallStatus,
    HandedOver,
    LeaseLost,
    Superseded,
    ToolDeps,
    TooManyCalls,
    fingerprint,
)

from .approved import Approved
from .catalogue import MOST_CHARACTERS, Catalogue
from .failures import BROKEN, UNKNOWN, Refused, Waits, sentence_of
from .remote import Remote, begun, carried_out, is_repeatable

log = structlog.get_logger(__name__)

Ctx = RunContext[ToolDeps]
Tools = dict[str, ToolsetTool[ToolDeps]]
Arguments = dict[str, object]
PATIENCE = 3  # steps in which the model may go on calling after it was told to answer


def changes(tool: ToolsetTool[ToolDeps]) -> bool:
    """Whether a call changes anything. A tool that does not say so counts as changing."""
    return bool((tool.tool_def.metadata or {}).get("is_change", True))


def ends_turn(tool: ToolsetTool[ToolDeps]) -> bool:
    """Whether a call that works is the turn's last act: a hand-off."""
    return bool((tool.tool_def.metadata or {}).get("ends_turn"))


def is_in_order(tool: ToolsetTool[ToolDeps]) -> bool:
    """Whether its calls are made one after the other although they change nothing yet."""
    return bool((tool.tool_def.metadata or {}).get("in_order"))


def ruling_of(config: AssistantConfig, name: str, tool: ToolsetTool[ToolDeps]) -> Permission:
    """What the configuration says of a tool: of ours by its key, of the others by the entry that names them."""
    about = tool.tool_def.metadata or {}
    if "api_tool_id" in about:
        return api_tool_permission(config, about["api_tool_id"], name)
    if "mcp_server_id" in about:
        return mcp_tool_permission(config, about["mcp_server_id"], about["mcp_tool"], name)
    return permission(config, name)


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
            name: replace(tool, tool_def=replace(tool.tool_def, sequential=changes(tool) or is_in_order(tool)))
            for name, tool in tools.items()
        }

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        stored = await ctx.deps.turn.stored_call(_call_id(ctx))
        if stored is None or is_repeatable(stored):
            if stored is not None:
                ctx.deps.turn.calls[fingerprint(name, tool_args)] -= 1  # it was counted when it was begun
            result: Json = await super().call_tool(name, tool_args, ctx, tool)
            return result
        if stored.status == "done" and stored.tool_name == name:
            return stored.result
        # An intent that has no result may have had its effect: at most once means that it is not tried again.
        if stored.status == "intent":
            await ctx.deps.turn.record_outcome(_record(ctx, name, tool_args, "unknown", UNKNOWN, is_change=True))
        raise ToolFailed(str(stored.result) if stored.status in ("failed", "refused") else UNKNOWN)


def _record(
    ctx: Ctx, name: str, arguments: Arguments, status: CallStatus, result: Json, *, is_change: bool, took: int = 0
) -> CallRecord:
    plain = storable(arguments)  # type: ignore[arg-type]
    assert isinstance(plain, dict)
    return CallRecord(_call_id(ctx), name, plain, status, storable(result), is_change, took)


@dataclass(frozen=True, slots=True)
class Said:
    """What the inside of a call's first transaction came to; with `remote` the call is still to be made."""

    result: Json
    status: CallStatus = "failed"
    is_last: bool = False
    remote: Remote | None = None
    is_waiting: bool = False  # for a person: there is no step yet


@dataclass
class Logged(WrapperToolset[ToolDeps]):
    """One transaction per call: the step row with arguments, result, status and duration stands beside the effect.

    A call to another system is made after that transaction, which then holds the intent (`remote.py`).
    """

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        deps, started = ctx.deps, ctx.deps.clock.monotonic()
        before = await deps.turn.stored_call(_call_id(ctx))
        async with deps.turn.transaction(locks_conversation=ends_turn(tool)) as connection:
            said = await self._said(name, tool_args, replace(ctx, deps=deps.within(connection)), tool)
            if said.is_waiting:
                deps.turn.awaits(_call_id(ctx))
                return None
            if before is not None and said.remote is None:
                # It was begun before a crash, and may not be repeated now: that does not undo it.
                said = Said(UNKNOWN, "unknown")
            took = round((deps.clock.monotonic() - started) * 1000)
            remote = said.remote
            is_change = changes(tool) if remote is None else remote.is_change
            result = said.result if remote is None else begun(remote, before)
            record = _record(ctx, name, tool_args, said.status, result, is_change=is_change, took=took)
            # What only reads may be read again, so it needs no intent.
            if remote is None or is_change:
                await deps.turn.record_call(connection, record)
        if remote is not None:
            record = await carried_out(deps, remote, record)
        if said.is_last:
            raise TooManyCalls(name)
        if record.status != "done":
            raise ToolFailed(str(record.result))
        if ends_turn(tool):
            raise HandedOver(name)
        return record.result

    async def _said(self, name: str, tool_args: Arguments, inner: Ctx, tool: ToolsetTool[ToolDeps]) -> Said:
        try:
            result = await super().call_tool(name, tool_args, inner, tool)
        except Refused as refusal:
            return Said(refusal.sentence, "refused", refusal.is_last)
        except Waits:
            return Said(None, is_waiting=True)
        except (LeaseLost, Superseded, Unavailable):
            raise
        except ApiError as error:
            return Said(sentence_of(error))
        except Exception:
            log.exception("tool failed", tool=name, turn=inner.deps.turn.turn_id)
            return Said(BROKEN)
        return Said(None, "intent", remote=result) if isinstance(result, Remote) else Said(result, "done")


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
        # At the limit a turn ends in an answer or a hand-off, so that one is never refused for it.
        if sentence is not None and not ends_turn(tool):
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
        rulings = {name: ruling_of(ctx.deps.config, name, tool) for name, tool in tools.items()}
        return {
            name: _confirmed(tool) if rulings[name].needs_approval else tool
            for name, tool in tools.items()
            if rulings[name].is_allowed
        }

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        view = await ctx.deps.turn.current_assistant(_transaction(ctx))
        rulings = (ruling_of(ctx.deps.config, name, tool), ruling_of(view.config, name, tool))
        if view.is_blocked:
            raise Refused(f"{name} was not called: the contact is blocked.")
        if view.asker is not None and view.asker.role is None:
            raise Refused(f"{name} was not called: the person who asks is no member of the organization any more.")
        for ruling in rulings:
            if not ruling.is_allowed:
                raise Refused(f"{name} was not called: {ruling.sentence}. Go on without it.")
        is_wide = all(ruling.scope == "organization" for ruling in rulings)
        deps = ctx.deps.allowed(view, "organization" if is_wide else "own")
        if any(ruling.needs_approval for ruling in rulings):
            deps = replace(deps, approval_version=view.config.version)
        result: Json = await super().call_tool(name, tool_args, replace(ctx, deps=deps), tool)
        return result


def _confirmed(tool: ToolsetTool[ToolDeps]) -> ToolsetTool[ToolDeps]:
    """What the model reads of a tool whose calls wait for a person."""
    described = f"{tool.tool_def.description or ''} {CONFIRMED}".strip()
    return replace(tool, tool_def=replace(tool.tool_def, description=described))


@dataclass
class Effects(WrapperToolset[ToolDeps]):
    """The turn commits to its effects before its first change, so that a newer inbound cannot take its place any more.

    The tool's own statements are a savepoint: where they fail, the failure can still be recorded.
    """

    async def call_tool(self, name: str, tool_args: Arguments, ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Json:
        connection = _transaction(ctx)
        if changes(tool):
            await ctx.deps.turn.start_effects(connection)
        async with connection.transaction():
            result: Json = await super().call_tool(name, tool_args, ctx, tool)
        return result


def wrapped(tools: AbstractToolset[ToolDeps], most_characters: int = MOST_CHARACTERS) -> AbstractToolset[ToolDeps]:
    """Any toolset with all the rules around it; calls reach a tool in no other way."""
    return Once(Logged(Limited(Catalogue(Allowed(Approved(Effects(tools))), most_characters))))
