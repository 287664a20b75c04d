"""The web chat's endpoints: session, history, sending, stream; `ui/chat` is their client.

A visitor is known by the token in `x-visitor-token`, never by an address. Everything that a stranger can send is
bounded here: who may call from where, how often, how much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive as Incoming
from starlette.types import Scope, Send

from frontdesk.core.door import Door
from frontdesk.core.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Json,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
    UnsupportedMediaType,
)
from frontdesk.core.live import Live
from frontdesk.core.rates import Limit, Rates
from frontdesk.reception import Inbound, StoredMessage, receive

from .body import parse_json, read_body
from .chat_channels import ChatChannel, ChatChannels, allowed_origin, client_network
from .chat_pages import EMBED, chat_page, missing_page, send_asset
from .chat_replies import preflight, read_numbers, reply
from .chat_stream import ChatStream
from .chat_visitors import Visitor, Visitors
from .responses import error_response

log = structlog.get_logger(__name__)

# Reading costs less than a turn of an assistant: a reload, a reconnect and a page of history are reads.
READS_PER_WRITE = 6
OPEN_STREAMS = 20  # of one visitor in one process
# A character of the text may take 12 bytes in JSON (a pair of escaped surrogates).
BYTES_PER_CHARACTER, BYTES_BESIDE_TEXT = 12, 2048
PAGE_DEFAULT, PAGE_MOST = 50, 100
NEWEST = 2**31 - 1


@dataclass
class WebchatEdge:
    """All of the web chat's HTTP. `default_is_small`: the installation's default model is the built-in one, so that
    the page can say so."""

    door: Door
    visitors: Visitors
    live: Live
    default_is_small: bool = False
    limits_addresses: bool = True
    _streams: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.database, self.clock = self.door.database, self.door.clock
        self.rates = Rates(self.database)
        self.channels = ChatChannels(self.database, self.clock)

    @property
    def open_streams(self) -> int:
        return self._streams.total()

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
        return chat_page(
            channel.public_key, channel.assistant_name or channel.organization_name, channel.allowed_origins
        )

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
        answer: dict[str, Json] = {
            "session": {
                "assistant_name": channel.assistant_name,
                "organization_name": channel.organization_name,
                "channel_name": channel.name,
                "max_message_length": channel.max_message_length,
                "is_small_model": channel.has_small_model(self.default_is_small),
            }
        }
        token = request.headers.get("x-visitor-token")
        if token and await self._find(channel, token):
            return reply(answer)
        answer["visitor_token"] = await self.visitors.mint(channel.organization_id, channel.id)
        return reply(answer, 201)

    async def list_messages(self, request: Request, channel: ChatChannel) -> Response:
        """A page in ascending order: after a position, before one, or the newest."""
        visitor = await self._visitor(request, channel)
        await self._count(request, channel, "read", READS_PER_WRITE, visitor)
        numbers = read_numbers(request, after=None, before=None, limit=PAGE_DEFAULT)
        after, before, limit = numbers["after"], numbers["before"], numbers["limit"]
        if after is not None and before is not None:
            raise BadRequest("Give after or before, not both.")
        if limit is None or not 1 <= limit <= PAGE_MOST:
            raise BadRequest(f"limit must be from 1 to {PAGE_MOST}.", errors={"limit": f"must be 1 to {PAGE_MOST}"})
        if visitor.conversation_id is None:
            return reply({"data": [], "has_more": False})
        where = (channel.organization_id, visitor.conversation_id)
        if after is not None:
            found = await self.visitors.after(*where, after, limit + 1)
            page = found[:limit]
        else:
            found = await self.visitors.before(*where, NEWEST if before is None else before, limit + 1)
            page = found[-limit:]
        data: list[Json] = [*page]
        return reply({"data": data, "has_more": len(found) > limit})

    async def post_message(self, request: Request, channel: ChatChannel) -> Response:
        visitor = await self._visitor(request, channel)
        await self._count(request, channel, "write", 1, visitor)
        most = channel.max_message_length
        body = await self._body(request, most * BYTES_PER_CHARACTER + BYTES_BESIDE_TEXT)
        key, text = self.visitors.read_message(body, most)
        found = await self._receive(channel, visitor, key, text)
        stored = await self.visitors.after(channel.organization_id, found.conversation_id, found.position - 1, 1)
        if not stored or stored[0]["position"] != found.position:
            raise Conflict("This message was deleted.")
        return reply(stored[0], 201 if found.is_new else 200)

    async def _receive(self, channel: ChatChannel, visitor: Visitor, key: str, text: str) -> StoredMessage:
        inbound = Inbound(
            channel.organization_id,
            "webchat",
            text,
            inbox_channel_id=channel.id,
            external_id=visitor.external_id(key),
            conversation_id=visitor.conversation_id,
            ai_assistant_id=channel.ai_assistant_id,
        )
        if visitor.conversation_id is not None:
            return await receive(self.door, inbound)
        # The first message makes contact and conversation, in the transaction that gives them to the visitor.
        async with self.database.transaction(channel.organization_id) as connection:
            contact_id, conversation_id = await self.visitors.lock(connection, channel.organization_id, visitor.id)
            inbound = replace(inbound, contact_id=contact_id, conversation_id=conversation_id)
            stored = await receive(self.door, inbound, connection)
            if conversation_id is None:
                where = (channel.organization_id, visitor.id)
                assert stored.contact_id is not None
                await self.visitors.link(connection, *where, stored.contact_id, stored.conversation_id)
        return stored

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
            self.visitors,
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

    async def _find(self, channel: ChatChannel, token: str) -> Visitor | None:
        return await self.visitors.find(channel.organization_id, channel.id, token)

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


Endpoint = Callable[[WebchatEdge, Request, ChatChannel], Awaitable[Response]]
ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "sessions": {"POST": WebchatEdge.open_session},
    "messages": {"GET": WebchatEdge.list_messages, "POST": WebchatEdge.post_message},
    "stream": {"GET": WebchatEdge.open_stream},
}


@dataclass(frozen=True)
class ChatEndpoint:
    """ASGI: the edge of the endpoints. Finds the channel, checks the origin, renders every error once."""

    webchat: WebchatEdge

    async def __call__(self, scope: Scope, receive: Incoming, send: Send) -> None:
        request = Request(scope, receive, send)
        cors: dict[str, str] = {}
        try:
            channel = await self.webchat.channels.get(request.path_params["public_key"])
            cors = allowed_origin(request, channel)
            response = await self._answer(request, channel)
        except ApiError as error:
            response = error_response(error)
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
