"""The toolset of MCP servers: those tools of them that the assistant's `mcp_tools` name and switch on.

Servers are asked side by side, each within a time limit, and remembered for a short while, so that a dead one costs a
conversation little and hides no other. Addresses and secrets are read from the record as it is now, at each call.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import structlog
from mcp_types import CallToolResult, TextContent
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.api_answer import readable, trimmed, without
from frontdesk.assistants.mcp_client import Listing, McpFailed, call_tool, list_tools
from frontdesk.assistants.mcp_grants import Place, with_sign_in
from frontdesk.assistants.mcp_offer import RemoteTool, remote_tool, told
from frontdesk.assistants.mcp_secrets import Opened, opened
from frontdesk.assistants.mcp_tools import McpServer, McpTools
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.storable import storable
from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx
from .failures import UNKNOWN, Refused, WrongCall
from .internal import RAW, UNREADABLE
from .remote import Outcome, Remote

log = structlog.get_logger(__name__)

LIVE = """
    SELECT mcp_tools::text AS servers, mcp_secrets_sealed::text AS sealed FROM ai_assistants
    WHERE organization_id = $1 AND id = $2
"""
GOOD_SECONDS = 60.0  # how long a list is taken as it was
BAD_SECONDS = 15.0  # how long a server that failed is left alone
KEPT = 500
LONGEST_FAILURE = 2_000  # characters of an answer that refuses

Key = tuple[int, int, str, str]
Answered = tuple[CallToolResult, tuple[str, ...]]  # and the secrets that it was asked with


@dataclass(frozen=True, slots=True)
class Known:
    """What a server answered, or that it failed; `until` is a moment of the monotonic clock."""

    until: float
    listing: Listing | None


class McpToolset(AbstractToolset[ToolDeps]):
    """It remembers lists of tools for all turns of a process, by assistant, server, address and secret."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, Known] = OrderedDict()

    @property
    def id(self) -> str | None:
        return "mcp"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        deps = ctx.deps
        servers = [server for server in deps.config.mcp_tools.root if server.enabled and server.tools]
        if not servers:
            return {}
        async with _connected(deps) as connection:
            live = await _live(deps, connection)
        pairs = [(server, live[server.id][1]) for server in servers if server.id in live]
        listings = await asyncio.gather(*(self._listing(deps, target) for _, target in pairs))
        found = {
            tool.name: tool
            for (server, _), listing in zip(pairs, listings, strict=True)
            for tool in _definitions(server, listing)
        }
        return {
            name: ToolsetTool(toolset=self, tool_def=one, max_retries=0, args_validator=RAW)
            for name, one in found.items()
        }

    async def _listing(self, deps: ToolDeps, server: Opened) -> Listing | None:
        """The server's tools; None where they cannot be had now."""
        now, key = deps.clock.monotonic(), _key(deps, server)
        known = self._known.get(key)
        # Within a call its transaction is open, and nothing may be waited for.
        if known is not None and (known.until > now or deps.connection is not None):
            return known.listing
        if deps.connection is not None or server.missing is not None:
            return None
        try:
            listing = await with_sign_in(
                deps.door, _place(deps, server), server, lambda opened: list_tools(deps.door.guard, opened)
            )
        except McpFailed as failed:
            log.warning("mcp server failed", server=server.id, assistant=deps.config.id, code=failed.code)
            self._keep(key, Known(deps.clock.monotonic() + BAD_SECONDS, None))
            return None
        self._keep(key, Known(deps.clock.monotonic() + GOOD_SECONDS, listing))
        return listing

    def _keep(self, key: Key, known: Known) -> None:
        self._known.pop(key, None)
        self._known[key] = known
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Remote:
        """The call, checked and ready; it goes out when this transaction is over."""
        deps, metadata = ctx.deps, tool.tool_def.metadata or {}
        if deps.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        if UNREADABLE in tool_args:
            raise WrongCall(f"{name} takes its arguments as one JSON object.")
        found = (await _live(deps, deps.connection)).get(metadata["mcp_server_id"])
        if found is None:
            raise Refused(f"{name} was not called: its server has been removed. Go on without it.")
        _, server = found
        if server.missing is not None:
            raise Refused(f"{name} was not called: no secret is stored for its server ({server.missing}).")
        place, tool_name = _place(deps, server), metadata["mcp_tool"]

        async def ask(opened: Opened) -> Answered:
            return await call_tool(deps.door.guard, opened, tool_name, tool_args), opened.secrets

        return remote_of(
            name, lambda: with_sign_in(deps.door, place, server, ask), is_change=bool(metadata["is_change"])
        )


def remote_of(name: str, make_call: Callable[[], Awaitable[Answered]], *, is_change: bool) -> Remote:
    """The call of one tool of a server. The protocol knows no key that would make a repetition harmless."""

    async def send(_: str | None) -> Outcome:
        try:
            answer, secrets = await make_call()
        except McpFailed as failed:
            if failed.may_have_arrived and is_change:
                return Outcome(f"{UNKNOWN} ({name}: {failed.clause}.)", "unknown")
            said = "gave no answer" if failed.may_have_arrived else "was not called"
            return Outcome(f"{name} {said}: {failed.clause}. Go on without it.", "failed")
        return outcome_of(name, answer, secrets)

    return Remote(send, is_change)


def outcome_of(name: str, answer: CallToolResult, secrets: tuple[str, ...]) -> Outcome:
    """What the model is given: the server's values as data, without our secrets, cut to what a model can use."""
    if answer.is_error:
        said = json.dumps(trimmed(content_of(answer, secrets), LONGEST_FAILURE), ensure_ascii=False)
        return Outcome(f"{name} failed on its server. Its answer, as data: {said}", "failed")
    return Outcome({"content": trimmed(content_of(answer, secrets))})


def content_of(answer: CallToolResult, secrets: tuple[str, ...]) -> Json:
    """Structured values where the server gives them, else its texts; files are named and left out."""
    if answer.structured_content is not None:
        return readable(json.dumps(answer.structured_content).encode(), "application/json", secrets)
    said: list[Json] = []
    for part in answer.content:
        if isinstance(part, TextContent):
            said.append(readable(part.text.encode("utf-8", "replace"), "text/plain", secrets))
        else:
            resource = getattr(part, "resource", part)
            text, uri = getattr(resource, "text", None), getattr(resource, "uri", None)
            shown = text if isinstance(text, str) else f"[{part.type}{f' {uri}' if uri else ''}, left out]"
            said.append(storable(without(shown, secrets)))
    return said[0] if len(said) == 1 else said


def _definitions(server: McpServer, listing: Listing | None) -> list[ToolDefinition]:
    """Those that the server has and the assistant names; all switched off ones fall to the wrapper that allows."""
    tools = [remote_tool(server, tool) for tool in (listing.tools if listing else ()) if server.tool(tool.name)]
    return [_definition(server, tool) for tool in tools if tool is not None]


def _definition(server: McpServer, tool: RemoteTool) -> ToolDefinition:
    return ToolDefinition(
        name=tool.function_name, description=told(server, tool), parameters_json_schema=tool.input_schema,
        metadata={
            "is_change": tool.is_change, "mcp_server_id": server.id, "mcp_tool": tool.name, "version": tool.fingerprint,
        },
    )  # fmt: skip


async def _live(deps: ToolDeps, connection: Connection) -> dict[str, tuple[McpServer, Opened]]:
    """The servers of the record as it is now, by id."""
    row = await connection.fetchrow(LIVE, deps.turn.organization_id, deps.config.id)
    if row is None:
        return {}
    servers = McpTools.model_validate(json.loads(row["servers"] or "[]"))
    sealed = json.loads(row["sealed"] or "null") or {}
    return {one.id: (one, opened(one, sealed, deps.door.vault)) for one in servers.root}


def _connected(deps: ToolDeps) -> AbstractAsyncContextManager[Connection]:
    """Within a call its own transaction: a second connection could wait for the first one's end."""
    if deps.connection is not None:
        return nullcontext(deps.connection)
    return deps.door.database.reading(deps.turn.organization_id)


def _place(deps: ToolDeps, server: Opened) -> Place:
    return Place(deps.turn.organization_id, deps.config.id, server.id)


def _key(deps: ToolDeps, server: Opened) -> Key:
    """Another address or another secret is another server."""
    place = hashlib.sha256(json.dumps(server.identity).encode()).hexdigest()
    return deps.turn.organization_id, deps.config.id, server.id, place
