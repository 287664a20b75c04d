"""Trying an MCP server: connect, list its tools, and say in a sentence what failed.

Nothing is saved: what is wanted of the answer is put into the assistant's `mcp_tools`.
"""

from __future__ import annotations

import json
from typing import cast

from mcp_types import Tool

from frontdesk.assistants.mcp_client import Listing, McpFailed, list_tools
from frontdesk.assistants.mcp_grants import Place, with_sign_in
from frontdesk.assistants.mcp_offer import differences, function_name, remote_tool, words_of
from frontdesk.assistants.mcp_secrets import Opened, Sealed, opened, settle
from frontdesk.assistants.mcp_tools import McpServer, McpTools, server_faults
from frontdesk.assistants.section import faults, json_schema
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

STORED = """
    SELECT mcp_tools::text AS servers, mcp_secrets_sealed::text AS sealed FROM ai_assistants
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
"""
SECONDS = 15.0  # a person waits here, no customer
GIVEN = ("url", "authentication_type", "api_key", "custom_headers", "oauth2_config", "name")
PLACES = frozenset(("url", "authentication_type", "oauth2_config"))
SIGN_IN_FIRST = "somebody has to sign in to it first; save the server, then POST /mcp-sign-ins gives the address"
AT = "mcp_tools.0."
# Where to look when the server refuses the credentials.
SECRETS = {"api_key": "api_key", "custom_headers": "custom_headers", "oauth2": "oauth2_config"}


async def _look(call: Call) -> None:
    """Before the transaction of the call, so that none is open while the other side is waited for."""
    server, target = await _target(call)
    if target.missing is not None and server.authentication_type == "oauth2":
        call.extra["answer"] = _failure(server, McpFailed("sign_in_needed", SIGN_IN_FIRST, "secret"))
        return
    if target.missing is not None:
        raise Invalid([Fault(target.missing, "required", "is required: no value is stored")])
    try:
        listing = await _listed(call, target)
    except McpFailed as failed:
        call.extra["answer"] = _failure(server, failed)
    else:
        call.extra["answer"] = _answer(server, listing)


async def _listed(call: Call, target: Opened) -> Listing:
    async def ask(server: Opened) -> Listing:
        return await list_tools(call.door.guard, server, seconds=SECONDS)

    assistant_id = call.data.get("ai_assistant_id")
    if assistant_id is None or not PLACES.isdisjoint(call.data):
        # What was entered for this trial is not stored, so there is nowhere to keep a renewed token.
        return await ask(target)
    place = Place(call.organization_id, cast(int, assistant_id), target.id)
    return await with_sign_in(call.door, place, target, ask)


def _failure(server: McpServer, failed: McpFailed) -> Json:
    field = SECRETS.get(server.authentication_type, "authentication_type") if failed.field == "secret" else "url"
    message = f"The MCP server cannot be used: {failed.clause}."
    error: Json = {"code": failed.code, "field": field, "message": message}
    return {"success": False, "server": None, "tools": [], "warnings": [], "error": error}


async def _target(call: Call) -> tuple[McpServer, Opened]:
    """The server to try, with its headers. Raises `Invalid` with the path of what is wrong."""
    stored, sealed = await _stored(call)
    entry = stored.root[0].model_dump(mode="json") if stored.root else {"id": "server", "name": "Server"}
    given = cast("dict[str, Json]", {name: call.data[name] for name in GIVEN if name in call.data})
    whole: dict[str, Json] = {**entry, **given}
    if not stored.root and (unnamed := [name for name in GIVEN[:2] if name not in call.data]):
        raise Invalid([Fault(name, "required", "is required") for name in unnamed])
    if wrong := [Fault(_short(f.path), f.keyword, f.message) for f in faults(McpTools, [whole], "mcp_tools")]:
        raise Invalid(wrong)
    server = McpServer.model_validate(whole)
    if found := [*server_faults(server, "", call.door.guard)]:
        raise Invalid(found)
    vault = call.door.vault
    settled = settle(McpTools([server]), stored, sealed, vault.seal, at="")
    masked = McpServer.model_validate(settled.servers[0])
    return server, opened(masked, settled.sealed, vault)


def _short(path: str) -> str:
    return path.removeprefix(AT)


async def _stored(call: Call) -> tuple[McpTools, Sealed]:
    """The entry that the body names by assistant and id, and its sealed secrets; nothing where it names none."""
    assistant_id, server_id = call.data.get("ai_assistant_id"), call.data.get("mcp_tool_id")
    if assistant_id is None and server_id is None:
        return McpTools([]), {}
    if assistant_id is None or server_id is None:
        name = "ai_assistant_id" if assistant_id is None else "mcp_tool_id"
        raise Invalid([Fault(name, "required", "is required: a stored server is named by both")])
    async with call.door.database.reading(call.organization_id) as connection:
        row = await connection.fetchrow(STORED, call.organization_id, assistant_id)
    if row is None:
        raise Invalid([Fault("ai_assistant_id", "reference", "names no assistant that exists")])
    server = McpTools.model_validate(json.loads(row["servers"] or "[]")).server(str(server_id))
    if server is None:
        raise Invalid([Fault("mcp_tool_id", "reference", "names no server of the assistant's mcp_tools")])
    return McpTools([server]), cast(Sealed, json.loads(row["sealed"] or "null") or {})


def _answer(server: McpServer, listing: Listing) -> Json:
    about: dict[str, Json] = {
        "name": words_of(listing.name, 200), "version": words_of(listing.version, 50),
        "protocol_version": listing.protocol_version, "transport": listing.transport,
    }  # fmt: skip
    shown = [_shown(server, tool) for tool in listing.tools]
    return {
        "success": True,
        "server": about,
        "tools": cast(Json, shown),
        "warnings": _warnings(server, listing),
        "error": None,
    }


def _shown(server: McpServer, tool: Tool) -> dict[str, Json]:
    """An entry of `mcp_tools.tools`, with what a person needs to choose it."""
    known, offered = server.tool(tool.name), remote_tool(server, tool)
    return {
        "name": tool.name, "enabled": known.enabled if known else True,
        "approval": known.approval if known else "never",
        "fingerprint": offered.fingerprint if offered else None,
        "function_name": function_name(server, tool.name),
        "title": words_of(tool.title or "", 200), "description": offered.description if offered else "",
        "input_schema": offered.input_schema if offered else None,
        "is_read_only": not offered.is_change if offered else False,
    }  # fmt: skip


def _warnings(server: McpServer, listing: Listing) -> list[Json]:
    """What the server offers that we do not, and what it changed since its tools were chosen."""
    found: list[tuple[str, str, str]] = [
        ("mcp_tool_too_large", tool.name, "has parameters too large to be offered")
        for tool in listing.tools
        if remote_tool(server, tool) is None
    ]
    if server.tools:
        differing = differences(server, listing.tools)
        found += [("mcp_tool_new", name, "is new on the server and not offered") for name in differing.new]
        found += [("mcp_tool_gone", name, "is not on the server any more") for name in differing.gone]
        changed = "has other words or parameters than when it was chosen"
        found += [("mcp_tool_changed", name, changed) for name in differing.changed]
    return [{"field": "tools", "code": code, "message": f"{words_of(name, 200)} {what}."} for code, name, what in found]


async def _handle(call: Call) -> Json:
    return call.extra["answer"]


def _part(name: str) -> dict[str, Json]:
    """The JSON Schema of one member of a server."""
    properties = json_schema(McpServer)["properties"]
    assert isinstance(properties, dict)
    return cast("dict[str, Json]", properties[name])


def _out(name: str, kind: str, description: str = "", *, is_nullable: bool = False, is_list: bool = False) -> Field:
    schema: dict[str, Json] = {"type": "array"} if is_list else {}
    return Field(name, kind, write="never", is_nullable=is_nullable, description=description, schema=schema)


mcp_tool_connection_proxy = Resource(
    path="mcp-tool-connection-proxy",
    singular="MCP connection",
    area="assistants",
    description="Connects to an MCP server and lists its tools. Nothing is saved. Where the server cannot be used, "
    "`success` is false and `error` says why.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        _out("success", "boolean", "Whether the server was reached and listed its tools."),
        _out("server", "json", "Name, version, protocol version and transport.", is_nullable=True),
        _out("tools", "json", "Each can stand in `mcp_tools.tools` as it is.", is_list=True),
        _out("warnings", "json", "What has changed since the stored tools were chosen.", is_list=True),
        _out("error", "json", "Where it failed: `code`, the `field` to look at, and a sentence.", is_nullable=True),
    ),
    extra_input=(
        Field("url", max_length=2_000, example="https://shop.example.com/mcp", description="Required for a new one."),
        Field("authentication_type", choices=("none", "api_key", "custom_headers", "oauth2"), example="none"),
        Field("api_key", max_length=4_000, description="Sent as `Authorization: Bearer …`."),
        Field("custom_headers", "json", schema=_part("custom_headers"), description="One or more headers."),
        Field("oauth2_config", "json", schema=_part("oauth2_config")),
        Field("name", max_length=100),
        Field("ai_assistant_id", "integer", description="With `mcp_tool_id`: a stored server, and changes to it."),
        Field("mcp_tool_id", max_length=64, description="The `id` of the entry in that assistant's `mcp_tools`."),
    ),
    look=_look,
    handlers={"create": _handle},
)
