"""Trying an API tool: the exact request that it would make, and, on request, what comes back.

Both take a stored tool, a draft, or a draft over a stored one whose secrets it keeps by their masks.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import cast

from frontdesk.assistants.api_answer import trimmed
from frontdesk.assistants.api_exchange import exchange
from frontdesk.assistants.api_headers import Stored, settle_headers
from frontdesk.assistants.api_request import ApiTool, Request, build, with_key
from frontdesk.core.caller import Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field, Wrong
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import mask, origin_of

from .api_tools import JSON_MEMBERS, api_tools, check_tool, function_name, opened_tool

STORED = "SELECT * FROM api_tools WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
EMPTY: dict[str, Json] = {
    "name": "Draft", "description": "", "headers": None, "headers_sealed": {}, "url_parameters": [],
    "body_parameters": [], "timeout_seconds": 15, "max_response_bytes": 200_000, "takes_idempotency_key": False,
}  # fmt: skip


async def _chosen(call: Call, connection: Connection) -> ApiTool:
    """The tool to try, its headers opened. Raises `Invalid` with the path of what is wrong."""
    id, draft = call.data.get("api_tool_id"), call.data.get("tool")
    if id is None and draft is None:
        raise Invalid([Fault("api_tool_id", "oneOf", "is required, or a draft in tool")])
    row: dict[str, object] = dict(EMPTY)
    if id is not None:
        found = await connection.fetchrow(STORED, call.organization_id, id)
        if found is None:
            raise Invalid([Fault("api_tool_id", "reference", "names no API tool that exists")])
        row = {n: json.loads(v) if n in JSON_MEMBERS and v is not None else v for n, v in dict(found).items()}
    if draft is not None:
        try:
            row = _drafted(call, row, cast("Mapping[str, object]", draft), is_stored=id is not None)
        except Invalid as error:
            raise _within("tool", error) from None
    return opened_tool(call.door, row)


def _drafted(call: Call, row: dict[str, object], draft: Mapping[str, object], *, is_stored: bool) -> dict[str, object]:
    faults, given = [], {}
    for name, value in draft.items():
        f = api_tools.input_fields.get(name)
        if f is None:
            faults.append(Fault(name, "additionalProperties", "is not a field"))
        elif f.write == "always":
            try:
                given[name] = f.accept(value)
            except Wrong as wrong:
                faults.append(wrong.at(name))
    whole = {**row, **given}
    faults += [Fault(name, "required", "is required") for name in ("endpoint", "method") if not whole.get(name)]
    if faults:
        raise Invalid(faults)
    check_tool(whole, call.door.guard)
    endpoint, stored = str(whole["endpoint"]), None
    if is_stored:
        masks, sealed = row["headers"] or {}, row["headers_sealed"] or {}
        stored = Stored(
            cast("Mapping[str, str | None]", masks), cast("Mapping[str, str]", sealed), origin_of(str(row["endpoint"]))
        )
    sent = cast("Mapping[str, object]", given["headers"] or {}) if "headers" in given else None
    settled = settle_headers(sent, stored, origin_of(endpoint), call.door.vault.seal)
    name = function_name(str(whole["name"]))
    return {**whole, "function_name": name, "headers": settled.masks, "headers_sealed": settled.sealed}


def _within(path: str, error: Invalid) -> Invalid:
    return Invalid([Fault(f"{path}.{name}", "rule", message) for name, message in error.errors.items()])


def _request(call: Call, tool: ApiTool) -> Request:
    given = cast("Mapping[str, object]", call.data.get("arguments") or {})
    try:
        return build(tool, given)
    except Invalid as error:
        raise _within("arguments", error) from None


def _shown(tool: ApiTool, request: Request) -> dict[str, Json]:
    """The request as it would go out, the values of the tool's own headers masked."""
    headers: dict[str, Json] = {**request.headers}
    headers |= {name: None if value is None else mask(value) for name, value in tool.headers.items()}
    body: Json = None if request.content is None else json.loads(request.content)
    return {"method": request.method, "url": request.url, "headers": headers, "body": body}


async def _dry_run(call: Call) -> Json:
    tool = await _chosen(call, call.connection)
    key = "(a new one for each call)" if tool.takes_idempotency_key and tool.is_change else None
    return _shown(tool, with_key(_request(call, tool), key))


async def _send(call: Call) -> None:
    """Before the transaction of the call, so that none is open while the other side is waited for."""
    async with call.door.database.reading(call.organization_id) as connection:
        tool = await _chosen(call, connection)
    if tool.missing_headers:
        message = "has no value stored; enter it"
        raise Invalid([Fault(f"headers.{name}", "required", message) for name in tool.missing_headers])
    key = uuid.uuid4().hex if tool.takes_idempotency_key and tool.is_change else None
    request = with_key(_request(call, tool), key)
    answer = await exchange(call.door.guard, request, seconds=tool.timeout_seconds, max_bytes=tool.max_response_bytes)
    call.extra["answer"] = {
        "request": _shown(tool, request), "status": answer.status, "body": trimmed(answer.body),
        "is_cut": answer.is_cut, "duration_ms": answer.duration_ms, "error": answer.error,
    }  # fmt: skip


async def _sent(call: Call) -> Json:
    return call.extra["answer"]


INPUT = (
    Field("api_tool_id", "integer", references="api-tools", description="A stored tool.", example=1),
    Field(
        "tool", "custom", description="A draft: the members of an API tool. With `api_tool_id`, changes to that one."
    ),
    Field("arguments", "custom", description="What the AI would give, by name.", example={"number": "7"}),
)
REQUEST = (
    Field("method", write="never", is_nullable=False),
    Field("url", write="never", is_nullable=False),
    Field("headers", "json", write="never", is_nullable=False, description="With the secrets masked."),
    Field("body", "any", write="never", description="The JSON that would be sent."),
)

api_tools_dry_run = Resource(
    path="api-tools-dry-run",
    singular="dry run",
    area="assistants",
    description="Shows the exact request that an API tool would make, with the secrets masked. Nothing is sent.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=REQUEST,
    extra_input=INPUT,
    handlers={"create": _dry_run},
)
api_tools_executions = Resource(
    path="api-tools-executions",
    singular="execution",
    area="assistants",
    description="Really sends the request of an API tool and shows what came back, cut as for the model.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        Field("request", "json", write="never", is_nullable=False, description="As in a dry run."),
        Field("status", "small", write="never", description="Null where no answer came."),
        Field("body", "any", write="never"),
        Field("is_cut", "boolean", write="never", is_nullable=False, description="There was more than is read."),
        Field("duration_ms", "small", write="never", is_nullable=False),
        Field("error", write="never", description="Why no answer came."),
    ),
    extra_input=INPUT,
    look=_send,
    handlers={"create": _sent},
)
