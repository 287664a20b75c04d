"""The web chat's endpoints: session, history, sending, stream; `ui/chat` is their client.

A visitor is known by the token in `x-visitor-token`, never by an address. Everything that a stranger can send is
bounded here: who may call from where, how often, how much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from frontdesk.channels.rates import Limit, Rates
from frontdesk.channels.webchat import (
    AFTER_SQL,
    BEFORE_SQL,
    NAMES_SQL,
    ONE_SQL,
    Visitor,
    find_visitor,
    mint_visitor,
    read_message,
    shown,
)
from frontdesk.core.clock import Clock
from frontdesk.core.database import Database
from frontdesk.core.errors import (
    ApiError,
    BadRequest,
    GeneralError,
    Json,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    UnsupportedMediaType,
)
from frontdesk.core.live import Live

from .body import ClientGone, parse_json, read_body
from .chat_channels import ChatChannel, ChatChannels, allowed_origin, client_network
from .chat_pages import EMBED, chat_page, missing_page, send_asset
from .chat_replies import error_response, json_response, preflight, read_numbers
from .chat_stream import ChatStream, Message

log = structlog.get_logger(__name__)

# Reading costs less than a turn of an assistant: a reload, a reconnect and a page of history are reads.
READS_PER_WRITE = 6
OPEN_STREAMS = 20  # of one visitor in one process
# A character of the text may take 12 bytes in JSON (a pair of escaped surrogates).
BYTES_PER_CHARACTER, BYTES_BESIDE_TEXT = 12, 2048
PAGE_DEFAULT, PAGE_MOST = 50, 100
NEWEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a visitor wrote, checked, on its way to the intake."""

    channel: ChatChannel
    visitor: Visitor
    idempotency_key: str
    text: str


@dataclass(frozen=True, slots=True)
class Intake:
    """Where the intake stored it; `is_new` is false when the idempotency key was known."""

    conversation_id: int
    position: int
    is_new: bool


@dataclass
class Webchat:
    """All of the web chat's HTTP. `receive` is the spine's intake; `is_small_model` tells whether the built-in model
    answers on a channel, so that the page can say so."""

    database: Database
    live: Live
    clock: Clock
    receive: Callable[[NewMessage], Awaitable[Intake]]
    is_small_model: Callable[[int, int | None], Awaitable[bool]]
    limits_addresses: bool = True
    _streams: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rates = Rates(self.database)
        self.channels = ChatChannels(self.database, self.clock)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/chat/{public_key}", self.page),
            Route(f"/{EMBED}", self.asset),
            Route("/webchat/static/{name}", self.asset),
            Route("/webchat/{public_key}/{what}", ChatEndpoint(self)),
        ]

    async def page(self, request: Request) -> Response:
        try:
            channel = await self.channels.get(request.path_params["public_key"])
        except NotFound:
            return missing_page()
        return chat_page(channel.public_key, channel.assistant_name or channel.name, channel.allowed_origins)

    async def asset(self, request: Request) -> Response:
        try:
            return send_asset(request, request.path_params.get("name", EMBED))
        except NotFound as error:
            return error_response(error)

    async def open_session(self, request: Request, channel: ChatChannel) -> Response:
        body = await self._body(request, BYTES_BESIDE_TEXT, is_optional=True)
        if body not in ({}, None):
            raise BadRequest("The body of a new session must be an empty object.")
        await self._count(request, channel, "session", 1)
        is_small = await self.is_small_model(channel.organization_id, channel.ai_assistant_id)
        answer: dict[str, Json] = {
            "session": {
                "assistant_name": channel.assistant_name,
                "channel_name": channel.name,
                "max_message_length": channel.max_message_length,
                "is_small_model": is_small,
            }
        }
        token = request.headers.get("x-visitor-token")
        if token and await self._find(channel, token):
            return json_response(200, answer)
        async with self.database.transaction(channel.organization_id) as connection:
            now = self.clock.now()
            answer["visitor_token"] = await mint_visitor(connection, channel.organization_id, channel.id, now)
        return json_response(201, answer)

    async def list_messages(self, request: Request, channel: ChatChannel) -> Response:
        """A page in ascending order: after a position, before one, or the newest."""
        visitor = await self._visitor(request, channel)
        await self._count(request, channel, "read", READS_PER_WRITE, visitor)
        numbers = read_numbers(request, after=None, before=None, limit=PAGE_DEFAULT)
        after, before, limit = numbers["after"], numbers["before"], numbers["limit"] or PAGE_DEFAULT
        if after is not None and before is not None:
            raise BadRequest("Give after or before, not both.")
        if not 1 <= limit <= PAGE_MOST:
            raise BadRequest(f"limit must be from 1 to {PAGE_MOST}.", errors={"limit": f"must be 1 to {PAGE_MOST}"})
        if visitor.conversation_id is None:
            return json_response(200, {"data": [], "has_more": False})
        read = partial(self._read, channel, AFTER_SQL if after is not None else BEFORE_SQL, visitor.conversation_id)
        found = await read(after if after is not None else before or NEWEST, limit + 1)
        page = found[:limit] if after is not None else found[:limit][::-1]
        data: list[Json] = [*page]
        return json_response(200, {"data": data, "has_more": len(found) > limit})

    async def post_message(self, request: Request, channel: ChatChannel) -> Response:
        visitor = await self._visitor(request, channel)
        await self._count(request, channel, "write", 1, visitor)
        most = channel.max_message_length
        body = await self._body(request, most * BYTES_PER_CHARACTER + BYTES_BESIDE_TEXT)
        key, text = read_message(body, most)
        stored = await self.receive(NewMessage(channel, visitor, key, text))
        message = await self._read(channel, ONE_SQL, stored.conversation_id, stored.position)
        return json_response(201 if stored.is_new else 200, message[0])

    async def open_stream(self, request: Request, channel: ChatChannel) -> Response:
        visitor = await self._visitor(request, channel)
        await self._count(request, channel, "read", READS_PER_WRITE, visitor)
        after = read_numbers(request, after=0)["after"] or 0
        # What a browser's own EventSource would send when it comes back.
        last = request.headers.get("last-event-id", "")
        after = max(after, int(last)) if last.isdecimal() and len(last) < 10 else after
        token = request.headers["x-visitor-token"]
        stream = ChatStream(
            self.database,
            self.live,
            channel.organization_id,
            visitor,
            after,
            partial(self._read, channel, AFTER_SQL),
            partial(self._find, channel, token),
        )
        if self._streams[visitor.id] >= OPEN_STREAMS:
            raise TooManyRequests(f"This chat is open in {OPEN_STREAMS} places already.", headers={"Retry-After": "30"})
        headers = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
        return StreamingResponse(self._counted(visitor.id, stream), headers=headers, media_type="text/event-stream")

    async def _counted(self, visitor_id: int, stream: ChatStream) -> AsyncIterator[str]:
        self._streams[visitor_id] += 1
        try:
            async for text in stream:
                yield text
        except ApiError as error:
            # The answer has begun, so the only word left is to end it: the client comes back and is told then.
            log.info("chat stream ended", reason=error.message)
        finally:
            self._streams[visitor_id] -= 1
            if not self._streams[visitor_id]:
                del self._streams[visitor_id]

    async def _read(
        self, channel: ChatChannel, sql: str, conversation_id: int, position: int, limit: int | None = None
    ) -> list[Message]:
        organization_id = channel.organization_id
        arguments = (organization_id, conversation_id, position, *([] if limit is None else [limit]))
        async with self.database.reading(organization_id) as connection:
            rows = await connection.fetch(sql, *arguments)
        people = {row["created_by_user_id"] for row in rows if row["sender"] == "user"} - {None}
        names: dict[int, str] = {}
        if people:
            async with self.database.system() as connection:
                names = {row["id"]: row["first_name"] for row in await connection.fetch(NAMES_SQL, list(people))}
        return [shown(dict(row), names) for row in rows]

    async def _find(self, channel: ChatChannel, token: str) -> Visitor | None:
        async with self.database.reading(channel.organization_id) as connection:
            return await find_visitor(connection, channel.organization_id, channel.id, token, self.clock.now())

    async def _visitor(self, request: Request, channel: ChatChannel) -> Visitor:
        token = request.headers.get("x-visitor-token", "")
        visitor = await self._find(channel, token) if token else None
        if visitor is None:
            raise NotAuthenticated("Unknown visitor. Open a session and send its token in the header x-visitor-token.")
        return visitor

    async def _body(self, request: Request, limit: int, *, is_optional: bool = False) -> object:
        body = await read_body(dict(request.scope["headers"]), request.receive, limit)
        if not body and is_optional:
            return None
        content_type = request.headers.get("content-type", "")
        if not content_type:
            raise UnsupportedMediaType("Send the body as application/json.")
        return parse_json(body, content_type.encode("latin-1"))

    async def _count(
        self, request: Request, channel: ChatChannel, purpose: str, weight: int, visitor: Visitor | None = None
    ) -> None:
        """Against the limits of the visitor, the address and the channel, narrowest first."""
        limits: list[Limit] = []
        most = channel.limits
        if visitor is not None:
            limits.append(Limit(f"{purpose}.visitor", str(visitor.id), most["visitor_per_minute"] * weight))
        if self.limits_addresses and request.client is not None:
            subject = f"{channel.id}.{client_network(request.client.host)}"
            limits.append(Limit(f"{purpose}.address", subject, most["address_per_minute"] * weight))
        limits.append(Limit(f"{purpose}.key", str(channel.id), most["key_per_minute"] * weight))
        await self.rates.count(self.clock.now(), *limits)


Endpoint = Callable[[Webchat, Request, ChatChannel], Awaitable[Response]]
ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "sessions": {"POST": Webchat.open_session},
    "messages": {"GET": Webchat.list_messages, "POST": Webchat.post_message},
    "stream": {"GET": Webchat.open_stream},
}


@dataclass(frozen=True)
class ChatEndpoint:
    """ASGI: the edge of the endpoints. Finds the channel, checks the origin, renders every error once."""

    webchat: Webchat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        cors: dict[str, str] = {}
        try:
            channel = await self.webchat.channels.get(request.path_params["public_key"])
            cors = allowed_origin(request, channel)
            response = await self._answer(request, channel)
        except ClientGone:
            return
        except ApiError as error:
            response = error_response(error)
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            response = error_response(GeneralError("Something went wrong on our side. Try again in a moment."))
        response.headers.update(cors)
        await response(scope, receive, send)

    async def _answer(self, request: Request, channel: ChatChannel) -> Response:
        verbs = ENDPOINTS.get(request.path_params["what"])
        if verbs is None:
            raise NotFound("There is no such address in a chat.")
        if request.method == "OPTIONS":
            return preflight(list(verbs))
        endpoint = verbs.get(request.method)
        if endpoint is None:
            raise MethodNotAllowed(f"Use {' or '.join(verbs)} here.", headers={"Allow": ", ".join(verbs)})
        return await endpoint(self.webchat, request, channel)
