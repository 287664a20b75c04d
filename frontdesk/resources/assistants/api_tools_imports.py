"""`POST /api-tools-imports`: read an OpenAPI document, choose operations, get API tools, all of them or none."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx2
import yaml

from frontdesk.assistants.openapi_tools import OpenApi, Operation, chosen
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.egress import EgressRefused, fetch
from frontdesk.core.errors import ApiError, Fault, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import origin_of

MOST_AT_ONCE = 50
LONGEST = 2_000_000  # characters of a document


async def _read(call: Call) -> None:
    """The document as values, before the transaction: to fetch it and to read a long one takes a while."""
    data = call.data
    document, url = data.get("document"), data.get("url")
    if (document is None) == (url is None):
        raise Invalid([Fault("document", "oneOf", "give either document or url")])
    if url is not None:
        document = await _fetched(call, str(url))
    if isinstance(document, str):
        if len(document) > LONGEST:
            raise Invalid([Fault("document", "maxLength", f"must have at most {LONGEST} characters")])
        document = await asyncio.to_thread(_parsed, document)
    call.extra["document"] = cast(Json, document)


async def _fetched(call: Call, url: str) -> str:
    try:
        origin_of(url)
        async with call.door.guard.client() as client:
            answer = await fetch(client, "GET", url, headers={"accept": "application/json, application/yaml, */*"})
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
        is_private = isinstance(error, EgressRefused)
        why = "leads to an address that is not public" if is_private else "could not be fetched"
        raise Invalid([Fault("url", "fetch", f"{why}; or send the document itself")]) from None
    if answer.status_code != 200:
        raise Invalid([Fault("url", "fetch", f"answered with the status {answer.status_code}")])
    return answer.text


def _parsed(text: str) -> Json:
    """YAML, of which JSON is a part. A date stays as it is written, because no JSON value is one."""
    try:
        value: Json = yaml.load(text, PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Invalid([Fault("document", "format", "is neither JSON nor YAML")]) from None
    return value


# The fast loader, where PyYAML was built with libyaml.
Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlainLoader(Safe):  # type: ignore[misc]
    """The safe loader, without the kinds of value that JSON does not have."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in Safe.yaml_implicit_resolvers.items()
}


async def _import(call: Call) -> Json:
    data = call.data
    url, server = data.get("url"), data.get("server")
    document = OpenApi(call.extra["document"], str(url) if url else None, str(server) if server else None)
    operations = document.operations()
    ids = cast(Json, data.get("operations") or [])
    picked = chosen(operations, ids)
    if len(picked) > MOST_AT_ONCE:
        raise Invalid([Fault("operations", "maxItems", f"must be at most {MOST_AT_ONCE} at once")])
    made = [await _make(call, document, one, i) for i, one in enumerate(picked)]
    return {"available": [_listed(one) for one in operations], "api_tools": cast(Json, made)}


def _listed(one: Operation) -> Json:
    return {
        "id": one.id, "method": one.method, "path": one.path, "description": one.description[:300],
        "problem": one.problem,
    }  # fmt: skip


async def _make(call: Call, document: OpenApi, one: Operation, i: int) -> dict[str, Json]:
    """One tool, through the door. What is wrong with it is told at the operation that was chosen."""
    try:
        tool = document.tool(one)
        given = cast("dict[str, Json]", call.data.get("headers") or {})
        named = {name.lower() for name in given}
        own = {n: v for n, v in cast("dict[str, Json]", tool["headers"]).items() if n.lower() not in named}
        return (await call.call("api-tools", "create", data={**tool, "headers": {**own, **given}})).value
    except ApiError as error:
        if set(error.errors) == {"server"}:
            raise
        said = "; ".join(f"{path} {message}" for path, message in error.errors.items()) or error.message
        raise Invalid([Fault(f"operations.{i}", "tool", f"{one.id}: {said}"[:1000])]) from None


api_tools_imports = Resource(
    path="api-tools-imports",
    singular="import",
    area="assistants",
    description="Reads an OpenAPI 3 document. Without `operations` it lists what could be a tool; with them it makes "
    "one API tool each, all or none.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=(
        Field("available", "json", write="never", is_nullable=False, schema={"type": "array"},
              description="Every operation: id, method, path, description, and why it cannot be a tool."),
        Field("api_tools", "json", write="never", is_nullable=False, schema={"type": "array"},
              description="The tools that were made."),
    ),
    extra_input=(
        Field("document", "any", description="The document as an object, or as JSON or YAML text.",
              example={"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {}}),
        Field("url", max_length=2000, description="Where the document is, instead."),
        Field("operations", "texts", description="The operationIds to make tools of, or `GET /path` without one."),
        Field("server", max_length=2000, description="The API's address, instead of the document's."),
        Field("headers", "json", description="Headers for all of these tools; values are secrets."),
    ),
    look=_read,
    handlers={"create": _import},
)  # fmt: skip
