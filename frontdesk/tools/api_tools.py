"""The toolset of the organization's API tools: each call is one HTTP request through the guarded client.

What the model may fill is in the schema; fixed values and headers are put in here and never shown to it. The tool's
row is read anew at each call, so that a tool that was deleted meanwhile is not called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets.abstract import AbstractToolset, ToolsetTool

from frontdesk.assistants.api_answer import trimmed
from frontdesk.assistants.api_exchange import Exchange, exchange
from frontdesk.assistants.api_request import ApiTool, build, with_key
from frontdesk.assistants.api_tools import ApiToolUse
from frontdesk.core.database import Connection
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Invalid, Json
from frontdesk.resources.assistants.api_tools import opened_tool
from frontdesk.runtime.tooling import ToolDeps

from .arguments import Ctx
from .failures import UNKNOWN, Refused, WrongCall
from .internal import RAW, UNREADABLE
from .remote import Outcome, Remote

OFFERED = """
    SELECT id, function_name, description, method, parameters_schema::text AS schema, version FROM api_tools
    WHERE organization_id = $1 AND id = ANY($2) AND deleted_at IS NULL ORDER BY id
"""
CALLED = "SELECT * FROM api_tools WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
LONGEST_FAILURE = 2_000  # characters of an answer that refuses


class ApiToolset(AbstractToolset[ToolDeps]):
    """The tools that the assistant's `api_tools` name."""

    @property
    def id(self) -> str | None:
        return "api"

    async def get_tools(self, ctx: Ctx) -> dict[str, ToolsetTool[ToolDeps]]:
        uses = {use.api_tool_id: use for use in ctx.deps.config.api_tools.root if use.enabled}
        if not uses:
            return {}
        async with _connected(ctx.deps) as connection:
            rows = await connection.fetch(OFFERED, ctx.deps.turn.organization_id, list(uses))
        found = (_definition(dict(row), uses[row["id"]]) for row in rows)
        return {one.name: ToolsetTool(toolset=self, tool_def=one, max_retries=0, args_validator=RAW) for one in found}

    async def call_tool(self, name: str, tool_args: dict[str, object], ctx: Ctx, tool: ToolsetTool[ToolDeps]) -> Remote:
        """The request, checked and ready; it goes out when this transaction is over."""
        deps, metadata = ctx.deps, tool.tool_def.metadata or {}
        if deps.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        row = await deps.connection.fetchrow(CALLED, deps.turn.organization_id, metadata["api_tool_id"])
        if row is None:
            raise Refused(f"{name} was not called: the API tool has been deleted. Go on without it.")
        if UNREADABLE in tool_args:
            raise WrongCall(f"{name} takes its arguments as one JSON object.")
        chosen = opened_tool(deps.door, dict(row))
        if chosen.missing_headers:
            missing = ", ".join(chosen.missing_headers)
            raise Refused(f"{name} was not called: its headers have no value stored ({missing}). Go on without it.")
        return remote_of(chosen, tool_args, deps.door.guard)


def _connected(deps: ToolDeps) -> AbstractAsyncContextManager[Connection]:
    """Within a call its own transaction: a second connection could wait for the first one's end."""
    if deps.connection is not None:
        return nullcontext(deps.connection)
    return deps.door.database.reading(deps.turn.organization_id)


def _definition(row: Mapping[str, object], use: ApiToolUse) -> ToolDefinition:
    schema = json.loads(str(row["schema"]))
    description = f"{row['description']} When to use it: {use.when_to_use}" if use.when_to_use else row["description"]
    return ToolDefinition(
        name=str(row["function_name"]), description=str(description), parameters_json_schema=schema["parameters"],
        metadata={"is_change": row["method"] != "GET", "api_tool_id": row["id"], "version": row["version"]},
    )  # fmt: skip


def remote_of(tool: ApiTool, arguments: Mapping[str, object], guard: Guard) -> Remote:
    """The call with these arguments. Raises `WrongCall` with the sentence for the model."""
    try:
        request = build(tool, arguments)
    except Invalid as error:
        faults = "; ".join(f"{path} {why}" for path, why in error.errors.items())
        raise WrongCall(f"{tool.function_name} was not called: {faults}.") from None

    async def send(key: str | None) -> Outcome:
        answer = await exchange(
            guard, with_key(request, key), seconds=tool.timeout_seconds, max_bytes=tool.max_response_bytes
        )
        return outcome_of(tool, answer)

    return Remote(send, tool.is_change, tool.takes_idempotency_key)


def outcome_of(tool: ApiTool, answer: Exchange) -> Outcome:
    """What the model is told. A change that may have been carried out is `unknown`, whatever broke."""
    name = tool.function_name
    if answer.error is not None:
        if not answer.may_have_arrived:
            return Outcome(f"{name} was not called: {answer.error}.", "failed")
        if tool.is_change:
            return Outcome(f"{UNKNOWN} ({name}: {answer.error}.)", "unknown")
        return Outcome(f"{name} gave no answer: {answer.error}.", "failed")
    if not answer.is_success:
        said = json.dumps(trimmed(answer.body, LONGEST_FAILURE), ensure_ascii=False)
        return Outcome(f"{name} was refused with the status {answer.status}. Its answer, as data: {said}", "failed")
    result: dict[str, Json] = {"status": answer.status, "body": trimmed(answer.body)}
    return Outcome({**result, "is_cut": True} if answer.is_cut else result)
