"""Signing in to an MCP server for an assistant: the page asks for an address, the browser goes there and comes back.

What comes back (`complete`) is bound by its state to one person, organization, assistant and server, works once, and
is stored by a PATCH of the assistant in that person's name. The tokens are then renewed by `assistants/mcp_grants.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from frontdesk.assistants.mcp_challenge import Challenge
from frontdesk.assistants.mcp_client import McpFailed, list_tools
from frontdesk.assistants.mcp_grants import Asked, Place, asked_of, forget
from frontdesk.assistants.mcp_secrets import OauthSecrets, Opened, Sealed, opened
from frontdesk.assistants.mcp_sign_in import Application, Begun, SignInFailed, begin, finish
from frontdesk.assistants.mcp_tools import McpServer, McpTools, Oauth2Config
from frontdesk.core.caller import Caller, Role
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import ApiError, Conflict, Fault, Invalid, Json, NotFound
from frontdesk.core.fields import Field
from frontdesk.core.formats import iso_text
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import SecretUnusable, origin_of

from .mcp_sign_in_tables import mcp_begun_sign_ins as _table

PATH = "mcp-sign-ins"
LIFETIME = timedelta(minutes=10)
SECONDS = 15.0  # a person waits
TRIES = 3
NO_CLIENT: dict[str, None] = dict.fromkeys(("client_id", "issuer", "token_endpoint_auth_method"))
_STORED = """
    SELECT mcp_tools::text AS servers, mcp_secrets_sealed::text AS sealed FROM ai_assistants
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
"""
# Those that nobody came back for go with the next one.
_FORGET = f"""
    DELETE FROM {_table.name} WHERE organization_id = $1
        AND (expires_at <= $2 OR (ai_assistant_id = $3 AND mcp_tool_id = $4 AND user_id = $5))
"""
_KEEP = f"""
    INSERT INTO {_table.name}
        (organization_id, ai_assistant_id, mcp_tool_id, user_id, server_url, state_hash, sealed, expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_SPEND = f"DELETE FROM {_table.name} WHERE state_hash = $1 RETURNING *"
_MEMBER = """
    SELECT m.role, o.name FROM members m JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
    WHERE m.organization_id = $1 AND m.user_id = $2 AND m.deleted_at IS NULL
"""


Why = Literal["unknown", "no_right", "denied", "failed", "changed", "busy"]


class NotSignedIn(Exception):
    """A sign-in that came to nothing: why, and a clause where there is more to say."""

    def __init__(self, why: Why, clause: str = "") -> None:
        super().__init__(why)
        self.why, self.clause = why, clause


@dataclass(frozen=True, slots=True)
class Done:
    """What was connected with what, for the page that says so."""

    server: str
    assistant: str
    organization: str


def hash_state(state: str) -> str:
    """A state carries 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


async def _look(call: Call) -> None:
    """Before the transaction of the call, so that none is open while the other side is waited for."""
    server, target, asked = await _read(call)
    config, secrets = target.oauth or Oauth2Config(), target.tokens
    try:
        challenge = (await _challenged(call, target)) or asked.challenge
        has_secret = secrets.client_secret is not None or config.token_endpoint_auth_method in (None, "none")
        if config.issuer and (asked.error == "invalid_client" or challenge.wants_more or not has_secret):
            # The client that we registered there was forgotten, or registered for less than is wanted now, or is that
            # of another assistant, whose secret did not come with the copy.
            config, secrets = config.model_copy(update=NO_CLIENT), OauthSecrets()
        application = Application.at(call.door.mail.base_url)
        begun = await begin(call.door.guard, server.url, application, config, secrets, challenge)
    except (McpFailed, SignInFailed) as failed:
        call.extra["error"] = {
            "code": failed.code, "field": "oauth2_config" if isinstance(failed, SignInFailed) else "url",
            "message": f"Nobody can sign in to {server.name}: {failed.clause}.",
        }  # fmt: skip
    else:
        call.extra["begun"] = begun.model_dump(mode="json")
    call.extra["server_url"] = server.url


async def _challenged(call: Call, target: Opened) -> Challenge | None:
    """How the server asks for a sign-in; None where it lists its tools without another one. Raises `McpFailed`."""
    try:
        await list_tools(call.door.guard, target, seconds=SECONDS)
    except McpFailed as failed:
        if failed.challenge is None:
            raise
        return failed.challenge
    return None


async def _read(call: Call) -> tuple[McpServer, Opened, Asked]:
    place = _place(call)
    async with call.door.database.reading(call.organization_id) as connection:
        row = await connection.fetchrow(_STORED, call.organization_id, place.assistant_id)
        asked = await asked_of(connection, place)
    if row is None:
        raise Invalid([Fault("ai_assistant_id", "reference", "names no assistant that exists")])
    server = McpTools.model_validate(json.loads(row["servers"] or "[]")).server(place.server_id)
    if server is None:
        raise Invalid([Fault("mcp_tool_id", "reference", "names no server of the assistant's mcp_tools")])
    if server.authentication_type != "oauth2":
        raise Invalid([Fault("mcp_tool_id", "oauth2", "names a server whose authentication_type is not oauth2")])
    return server, opened(server, cast(Sealed, json.loads(row["sealed"] or "null") or {}), call.door.vault), asked


def _place(call: Call) -> Place:
    return Place(call.organization_id, cast(int, call.data["ai_assistant_id"]), str(call.data["mcp_tool_id"]))


async def _begin(call: Call) -> Json:
    error, url = call.extra.pop("error", None), str(call.extra.pop("server_url"))
    if error is not None:
        return {"success": False, "authorization_url": None, "expires_at": None, "scopes": [], "error": error}
    begun = Begun.model_validate(call.extra.pop("begun"))
    place, now, user_id = _place(call), call.door.clock.now(), call.caller.user_id
    await call.connection.execute(_FORGET, call.organization_id, now, place.assistant_id, place.server_id, user_id)
    sealed = call.door.vault.seal(begun.model_dump_json(), origin_of(url))
    await call.connection.execute(
        _KEEP, *place.key, user_id, url, hash_state(begun.state), sealed, now + LIFETIME, now,
    )  # fmt: skip
    return {
        "success": True, "authorization_url": begun.authorization_url, "expires_at": iso_text(now + LIFETIME),
        "scopes": [*(begun.scope or "").split()], "error": None,
    }  # fmt: skip


async def complete(door: Door, query: Mapping[str, str]) -> Done:
    """What the browser brought back: `code`, `state` and perhaps `iss`, or `error`. Raises `NotSignedIn`."""
    async with door.database.system() as connection:
        row = await connection.fetchrow(_SPEND, hash_state(query.get("state", "")))
        if row is None or row["expires_at"] <= door.clock.now():
            raise NotSignedIn("unknown")
        member = await connection.fetchrow(_MEMBER, row["organization_id"], row["user_id"])
    if member is None or Role[member["role"]] < Role.admin:
        raise NotSignedIn("no_right")
    if "code" not in query:
        raise NotSignedIn("denied")
    try:
        begun = Begun.model_validate_json(door.vault.open(row["sealed"], origin_of(row["server_url"])))
        application = Application.at(door.mail.base_url)
        got = await finish(
            door.guard, row["server_url"], application, begun, query["code"], query.get("iss"), door.clock.now()
        )
    except SecretUnusable:
        raise NotSignedIn("unknown") from None
    except SignInFailed as failed:
        raise NotSignedIn("failed", failed.clause) from None
    place = Place(row["organization_id"], row["ai_assistant_id"], row["mcp_tool_id"])
    caller = Caller(place.organization_id, row["user_id"], Role[member["role"]], via="jwt")
    return await _store(door, caller, place, row["server_url"], got, member["name"])


async def _store(
    door: Door, caller: Caller, place: Place, url: str, got: Mapping[str, object], organization: str
) -> Done:
    """A PATCH like any other, tried anew where somebody changed the assistant at the same time."""
    for _ in range(TRIES):
        try:
            async with door.database.transaction(place.organization_id) as connection:
                path, id = "ai-assistants", place.assistant_id
                record = await door.call(caller, path, "get", id=id, tx=connection)
                servers = cast("list[dict[str, Any]]", record.value["mcp_tools"])
                entry = next((one for one in servers if one["id"] == place.server_id), None)
                if entry is None or entry["url"] != url or entry["authentication_type"] != "oauth2":
                    raise NotSignedIn("changed")
                entry["oauth2_config"] = {**(entry["oauth2_config"] or {}), **got}
                body = {"mcp_tools": servers}
                await door.call(caller, path, "patch", id=id, data=body, tx=connection, if_match=record.version)
                await forget(connection, place)
                return Done(entry["name"], str(record.value["name"]), organization)
        except Conflict:
            continue
        except NotFound:
            raise NotSignedIn("changed") from None
        except ApiError as refused:
            raise NotSignedIn("failed", str(refused)) from None
    raise NotSignedIn("busy")


def _out(name: str, kind: str = "text", description: str = "", *, is_list: bool = False) -> Field:
    schema: dict[str, Json] = {"type": "array", "items": {"type": "string"}} if is_list else {}
    return Field(name, kind, write="never", is_nullable=not is_list, description=description, schema=schema)


mcp_sign_ins = Resource(
    path=PATH,
    singular="MCP sign-in",
    area="assistants",
    description="Begins a sign-in (OAuth 2.1) to a stored MCP server. Open `authorization_url` in a browser; when the "
    "person comes back, the tokens are stored with the server. Where that cannot be done, `error` says why.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        Field("success", "boolean", write="never", description="Whether there is an address to open."),
        _out("authorization_url", description="Where the person signs in."),
        _out("expires_at", "moment", "Until when the person may come back."),
        _out("scopes", "json", "What is asked for.", is_list=True),
        _out("error", "json", "Where it failed: `code`, the `field` to look at, and a sentence."),
    ),
    extra_input=(
        Field("ai_assistant_id", "integer", is_required=True, is_nullable=False, example=1),
        Field("mcp_tool_id", is_required=True, is_nullable=False, max_length=64, example="shop",
              description="The `id` of the entry in that assistant's `mcp_tools`."),
    ),
    look=_look,
    handlers={"create": _begin},
)  # fmt: skip
