"""The generic REST edge: every declared resource, straight from ASGI to the door and back.

FastAPI's machinery is for the hand-written endpoints; here a request costs one dictionary look-up for its resource, one
credential check and one statement, and the JSON that PostgreSQL made goes out as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from frontdesk.core.door import Answer, Door
from frontdesk.core.errors import ApiError, BadRequest, GeneralError, MethodNotAllowed, NotFound
from frontdesk.core.query import Tree, parse_url
from frontdesk.core.request_limits import HeaderList, LedgerRows, RequestLimits
from frontdesk.core.resource import Resource, Verb

from .body import ClientGone, parse_json, read_body
from .identity import Identities, Identity
from .responses import JSON, SAFE_HEADERS, render_error

log = structlog.get_logger(__name__)

ITEM: dict[str, Verb] = {"GET": "get", "PATCH": "patch", "DELETE": "remove"}
COLLECTION: dict[str, Verb] = {"GET": "find", "POST": "create"}
ACTION: dict[str, Verb] = {"GET": "get", "POST": "create"}
JSON_HEADERS = [(name.encode(), value.encode()) for name, value in {"content-type": JSON, **SAFE_HEADERS}.items()]
Headers = dict[bytes, bytes]
# A change of these may end what was remembered of a key or a login; this process forgets at once.
CREDENTIALS = {"api-keys", "members", "organizations"}
# What is sent as it happens, below a row: an endpoint of its own.
STREAMS = {("ai-chat-sessions", "events")}
NUMBER = re.compile(r"\d{1,10}", re.ASCII)


class RestEdge:
    """ASGI: requests whose first path segment is a resource are answered here, all others by `app`."""

    def __init__(self, app: ASGIApp, door: Door, identities: Identities, limits: RequestLimits | None = None) -> None:
        self.app, self.door, self.identities = app, door, identities
        self.limits = limits or RequestLimits(LedgerRows(door.database), door.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        resource, rest = self._resource(scope["path"].strip("/").split("/"))
        if resource is None:
            await self.app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        limit: HeaderList = []
        try:
            # Credentials come before the content, so that a stranger learns nothing about the schema; and so does
            # the limit, so that one who floods costs as little as can be.
            identity = await self.identities.identify(*credentials(headers))
            if identity.quota:
                limit = await self.limits.admit(identity.organization_id, identity.quota)
            status, answer = await self._answer(resource, rest, scope, headers, receive, identity)
            await send_json(send, status, answer.text.encode("utf-8"), [*etag_headers(answer), *limit])
        except ClientGone:
            return
        except ApiError as error:
            await send_error(send, error, limit)
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            await send_error(send, GeneralError("Something went wrong on our side; it is in the server's log."), limit)

    def _resource(self, segments: list[str]) -> tuple[Resource | None, list[str]]:
        """The resource of a path, and the segments behind its name; an action's row is the one that is left."""
        resource, rest = self.door.registry.get(segments[0]), segments[1:]
        if len(rest) == 2 and (segments[0], rest[1]) in STREAMS:
            return None, rest
        if len(rest) == 2:
            action = self.door.registry.get(f"{segments[0]}-{rest[1]}")
            if action is not None and action.under == segments[0]:
                return action, rest[:1]
        return (None if resource is not None and resource.under else resource), rest

    async def _answer(
        self,
        resource: Resource,
        rest: list[str],
        scope: Scope,
        headers: Headers,
        receive: Receive,
        identity: Identity,
    ) -> tuple[int, Answer]:
        method = scope["method"]
        verb, row_id = _verb(resource, method, rest, scope["path"])
        body = await read_body(headers, receive)
        parsed = parse_json(body, headers.get(b"content-type", b"")) if body else {}
        if isinstance(parsed, list):
            raise MethodNotAllowed(
                "Only one record at a time can be written.", headers={"Allow": _allowed(resource, ITEM | COLLECTION)}
            )
        if not isinstance(parsed, dict):
            raise BadRequest("The body must be a JSON object.")
        query = parse_url(scope["query_string"].decode("latin-1"))
        data: dict[str, object] = parsed
        if method == "GET":
            query, data = query | _body_query(parsed), {}
        sees_all = not resource.is_tenant and method == "GET"
        caller = identity.caller(_take_organization(query, data), sees_all=sees_all)
        answer = await self.door.call(
            caller, resource.path, verb, id=row_id, data=data, query=query, if_match=read_if_match(headers)
        )
        if resource.path in CREDENTIALS and method != "GET":
            self.identities.forget()
        return (201 if verb == "create" else 200), answer


def _verb(resource: Resource, method: str, rest: list[str], path: str) -> tuple[Verb, str | None]:
    if len(rest) > 1:
        raise NotFound(f"Path {path[:200]} not found")
    row_id = unquote(rest[0]) if rest and rest[0] != "" else None
    methods = _methods(resource, row_id)
    verb = methods.get(method)
    if verb is None or verb not in resource.verbs:
        raise MethodNotAllowed(
            f"Method `{method}` is not supported at {path[:200]}.",
            headers={"Allow": _allowed(resource, methods)},
        )
    return verb, row_id


def _methods(resource: Resource, row_id: str | None) -> Mapping[str, Verb]:
    if resource.under is not None:
        return ACTION
    return ITEM if row_id is not None else COLLECTION


def _allowed(resource: Resource, methods: Mapping[str, Verb]) -> str:
    """The methods of a path, as RFC 9110 wants them with a 405."""
    return ", ".join(method for method, verb in methods.items() if verb in resource.verbs)


def _body_query(parsed: Mapping[str, object]) -> Tree:
    """The older form of a query: `GET` with the body `{"query": {…}}`."""
    query = parsed.get("query", {})
    unknown = [name for name in parsed if name != "query"]
    if unknown or not isinstance(query, dict):
        raise BadRequest('The body of a GET must be {"query": {…}}.', errors=dict.fromkeys(unknown, "is not a field"))
    return query


def _take_organization(query: Tree, data: dict[str, object]) -> int | None:
    """`organization_id` is accepted in every body and query; it names the tenant and is not a filter."""
    found: set[int] = set()
    for source in (query, data):
        value = source.pop("organization_id", None)
        if value is None:
            continue
        # An id of the URL is text. `isdigit` alone takes ² and the like, and int() refuses thousands of digits.
        number = int(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise BadRequest("organization_id must be a number.", errors={"organization_id": "must be a number"})
        found.add(number)
    if len(found) > 1:
        raise BadRequest("organization_id differs between body and query.", errors={"organization_id": "differs"})
    return found.pop() if found else None


def credentials(headers: Headers) -> tuple[str | None, str | None]:
    """API key and bearer token of a request; Feathers clients send the bare token too."""
    key = headers.get(b"x-api-key", b"").decode("latin-1").strip()
    authorization = headers.get(b"authorization", b"").decode("latin-1").strip()
    scheme, _, rest = authorization.partition(" ")
    bearer = rest.strip() if scheme.lower() == "bearer" else authorization
    return key or None, bearer or None


def read_if_match(headers: Headers) -> int | None:
    """The version in `If-Match`, with or without quotes and the weak mark; `*` means any."""
    raw = headers.get(b"if-match", b"").decode("latin-1").strip()
    if raw in ("", "*"):
        return None
    value = raw.removeprefix("W/").strip('"')
    if not NUMBER.fullmatch(value) or int(value) >= 2**31:
        raise BadRequest("If-Match must be the record's version.", errors={"If-Match": "must be the record's version"})
    return int(value)


def etag_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [] if answer.version is None else [(b"etag", b'"%d"' % answer.version)]


async def send_json(send: Send, status: int, body: bytes, extra: Iterable[tuple[bytes, bytes]] = ()) -> None:
    headers = [*JSON_HEADERS, (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: ApiError, limit: Iterable[tuple[bytes, bytes]] = ()) -> None:
    extra = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()]
    await send_json(send, error.status, render_error(error), [*extra, *limit])
