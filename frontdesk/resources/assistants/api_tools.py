"""API tools: one HTTP request each, with what the AI gives and what is fixed. Assistants name them in `api_tools`."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import cast

from frontdesk.assistants.api_headers import Headers, Stored, settle_headers
from frontdesk.assistants.api_parameters import Parameters, parameter_faults, parameters_schema
from frontdesk.assistants.api_request import METHODS, ApiTool, endpoint_faults, tool_of
from frontdesk.assistants.api_schema import parameters_from
from frontdesk.assistants.api_values import fixed_faults, schema_of
from frontdesk.assistants.approval_voiding import void_changed
from frontdesk.assistants.section import faults, read
from frontdesk.core.addresses import parse_address
from frontdesk.core.caller import Role
from frontdesk.core.door import Call, Door
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Conflict, Fault, Invalid, Json
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import SecretUnusable, Vault, origin_of

PREFIX = "api_"  # so that no name is one of the product's own tools
LONGEST_NAME = 60  # providers take 64 characters
MOST_SECONDS = 30
LISTS = ("url_parameters", "body_parameters")
SAME_NAME = """
    SELECT name FROM api_tools
    WHERE organization_id = $1 AND function_name = $2 AND deleted_at IS NULL AND id IS DISTINCT FROM $3
"""
SEALED = "SELECT headers_sealed::text FROM api_tools WHERE organization_id = $1 AND id = $2"


def function_name(name: str) -> str:
    """What the model calls the tool: letters, digits and `_`, in which every provider agrees."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or hashlib.sha256(name.encode()).hexdigest()[:12]
    return (PREFIX + word)[:LONGEST_NAME].rstrip("_")


def check_tool(values: Mapping[str, object], guard: Guard) -> None:
    """Everything that is wrong with a tool as a whole. Raises `Invalid` with the path of each fault."""
    wrong: list[Fault] = []
    for name in LISTS:
        found = faults(Parameters, cast(Json, values.get(name)), name)
        if not found:
            parameters = read(Parameters, cast(Json, values.get(name)), name)
            found += parameter_faults(parameters, name, is_url=name == LISTS[0])
            found += fixed_faults(parameters.root, name)
        wrong += found
    if values["method"] == "GET" and values.get("body_parameters"):
        wrong.append(Fault("body_parameters", "method", "belong to another method: a GET has no body"))
    if not any(fault.path.startswith(LISTS[0]) for fault in wrong):
        url = read(Parameters, cast(Json, values.get(LISTS[0])), LISTS[0]).root
        wrong += [*endpoint_faults(str(values["endpoint"]), url), *_private(str(values["endpoint"]), guard)]
    if wrong:
        raise Invalid(wrong)


def _private(endpoint: str, guard: Guard) -> list[Fault]:
    """An address that is written out is looked at now; what a name leads to is checked at each call."""
    try:
        host, _, port = origin_of(endpoint).partition("://")[2].rpartition(":")
    except ValueError:
        return []
    address = parse_address(host.strip("[]"))
    if address is None or guard.permits(host, int(port), address):
        return []
    return [Fault("endpoint", "address", "must not lead to a private address")]


async def _prepare(call: Call) -> None:
    if call.verb == "remove" or (call.verb == "patch" and not call.data):
        return
    data, before = call.data, call.before or {}
    _take_schema(call)
    for name in LISTS:
        if data.get(name) is None and name in data:
            data[name] = []
    whole: dict[str, object] = {**before, **data}
    check_tool(whole, call.door.guard)
    for name in LISTS:
        data[name] = read(Parameters, cast(Json, whole.get(name)), name).model_dump(mode="json")
    headers = await _settle(call, str(whole["endpoint"]))
    if headers.missing:
        call.extra["warnings"] = [
            {"field": f"headers.{name}", "code": "secret_missing", "message": "No value is stored; enter it."}
            for name in headers.missing
        ]
    await _name(call, str(whole["name"]).strip())
    tool = tool_of({**whole, **data}, {})
    data["parameters_schema"] = {
        "name": tool.function_name, "description": tool.description, "parameters": schema_of(tool.arguments),
    }  # fmt: skip
    if call.before is not None:
        # What is sent as it is stored is no change.
        for name in [name for name, value in data.items() if name in before and before[name] == value]:
            del data[name]


def _take_schema(call: Call) -> None:
    """A function schema alone makes the parameters; beside parameters it is only what is shown, and those count."""
    schema, data = call.data.pop("parameters_schema", None), call.data
    if schema is None or any(data.get(name) for name in LISTS) or (call.before and _same(schema, call.before)):
        return
    whole = {**(call.before or {}), **data}
    url, body = parameters_from(cast("dict[str, Json]", schema), str(whole["endpoint"]), str(whole["method"]))
    data["url_parameters"], data["body_parameters"] = cast(Plain, url), cast(Plain, body)


def _same(schema: Plain, before: Mapping[str, Json]) -> bool:
    return schema == before.get("parameters_schema")


async def _settle(call: Call, endpoint: str) -> Headers:
    stored = None
    if call.before is not None:
        text = await call.connection.fetchval(SEALED, call.organization_id, call.id)
        masks = cast("dict[str, str | None]", call.before.get("headers") or {})
        stored = Stored(masks, json.loads(text or "{}"), origin_of(str(call.before["endpoint"])))
    sent = None
    if "headers" in call.data:
        sent = cast("Mapping[str, object]", call.data["headers"] or {})
    headers = settle_headers(sent, stored, origin_of(endpoint), call.door.vault.seal)
    call.data["headers"] = cast(Plain, headers.masks)
    # Two short secrets have the same mask; what is sealed tells them apart.
    if stored is None or headers.sealed != stored.sealed:
        call.data["headers_sealed"] = cast(Plain, headers.sealed)
    return headers


async def _name(call: Call, name: str) -> None:
    if not name:
        raise Invalid([Fault("name", "minLength", "must not be empty")])
    wanted = function_name(name)
    taken = await call.connection.fetchval(SAME_NAME, call.organization_id, wanted, call.id)
    if taken is not None:
        message = f"is too like the API tool {taken!r}: the model would call both {wanted}"
        raise Conflict(f"The name {message}.", errors={"name": message})
    call.data |= {"name": name, "function_name": wanted}


async def _finish(call: Call) -> None:
    """Nobody need decide any more about a call of what it was before."""
    if call.verb in ("patch", "remove") and call.before is not None:
        names = [str(call.before["function_name"])]
        await void_changed(call.connection, call.organization_id, names, call.door.clock.now())


def opened_headers(vault: Vault, endpoint: str, row: Mapping[str, object]) -> dict[str, str | None]:
    """The headers with their values. One that does not open (another origin, another installation) has none."""
    masks = cast("Mapping[str, str | None]", row["headers"] or {})
    sealed = cast("Mapping[str, str]", row["headers_sealed"] or {})
    return {name: _open(vault, sealed[name], endpoint) if name in sealed else None for name in masks}


def _open(vault: Vault, sealed: str, endpoint: str) -> str | None:
    try:
        return vault.open(sealed, origin_of(endpoint))
    except SecretUnusable:
        return None


def opened_tool(door: Door, row: Mapping[str, object]) -> ApiTool:
    """The tool in a row of the table, JSON members as text or parsed, ready to be called."""
    parsed = {name: json.loads(value) if name in JSON_MEMBERS and isinstance(value, str) else value
              for name, value in row.items()}  # fmt: skip
    return tool_of(parsed, opened_headers(door.vault, str(parsed["endpoint"]), parsed))


def _whole(least: int, most: int, value: Plain) -> Plain:
    number = cast(int, value)
    if not least <= number <= most:
        raise Wrong("range", f"must lie between {least} and {most}")
    return number


def _object(value: Plain) -> Plain:
    if not isinstance(value, dict):
        raise Wrong("type", "must be an object")
    return value


JSON_MEMBERS = ("headers", "headers_sealed", "url_parameters", "body_parameters")
_PARAMETERS = parameters_schema()

api_tools = Resource(
    path="api-tools",
    singular="API tool",
    area="assistants",
    description="Requests to your own systems that assistants can make. An assistant names those it may use in its "
    "`api_tools`. The values of headers are stored encrypted and read as masks.",
    # Fixed values and addresses are the organization's affair, like its webhooks.
    rights=Rights(read=Role.admin, write=Role.admin),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=100, is_searched=True, example="Order status"),
        Field(
            "function_name", is_nullable=False, write="never",
            description="The name by which the model calls it, made from `name`.",
        ),
        Field(
            "description", is_required=True, is_nullable=False, max_length=2000,
            example="Looks up where an order is, by its number.",
        ),
        Field(
            "endpoint", is_required=True, is_nullable=False, max_length=2000,
            description="http or https; `{name}` in the path is filled by the URL parameter of that name.",
            example="https://shop.example.com/orders/{number}",
        ),
        Field("method", is_required=True, is_nullable=False, choices=METHODS, example="GET"),
        Field(
            "headers", "json", check=_object, schema={"additionalProperties": {"type": ["string", "null"]}},
            description="By name. Values are secrets: a mask that is sent back keeps the stored one.",
        ),
        Field("headers_sealed", "json", write="never", is_shown=False),
        Field(
            "url_parameters", "json", schema=_PARAMETERS,
            example=[{"name": "number", "type": "string", "description": "The order's number.", "required": True,
                      "location": "path"}],
        ),
        Field("body_parameters", "json", schema=_PARAMETERS, description="Members of the JSON body."),
        Field(
            "parameters_schema", "json", check=_object,
            description="What the model reads, made from the parameters. Sent without any, it makes them.",
        ),
        Field("response_example", "any", description="For people; the model does not see it."),
        Field(
            "timeout_seconds", "small", is_nullable=False, default=15, check=lambda v: _whole(1, MOST_SECONDS, v),
            schema={"minimum": 1, "maximum": MOST_SECONDS}, description="For the whole exchange.",
        ),
        Field(
            "max_response_bytes", "small", is_nullable=False, default=200_000,
            check=lambda v: _whole(1_000, 2_000_000, v), schema={"minimum": 1_000, "maximum": 2_000_000},
            description="What an answer has beyond it is not read.",
        ),
        Field(
            "takes_idempotency_key", "boolean", is_nullable=False, default=False,
            description="The API does a request with a known `Idempotency-Key` only once.",
        ),
    ),
    unique=(("function_name",),),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
