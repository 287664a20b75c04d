"""`GET /ai-chat-sessions/:id/events`: one staff chat as it happens, as server-sent events, for the member whose it is.

`message` has a row of `/ai-chat-messages` and its position as `id`; `draft` the answer so far, `draft.withdrawn` takes
it back, `typing` says whether somebody works. Whoever comes back with the last `id` (`Last-Event-ID`, or `after` in the
query) gets what was written since.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qsl

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from frontdesk.core.caller import Caller
from frontdesk.core.door import Door
from frontdesk.core.errors import ApiError, BadRequest, Json, MethodNotAllowed, TooManyRequests
from frontdesk.core.live import Live
from frontdesk.core.query import MAX_LIMIT

from .chat_stream import BEAT, ConversationStream
from .identity import Identities
from .rest import Headers, credentials, send_error

log = structlog.get_logger(__name__)

PATH = "/ai-chat-sessions/{id}/events"
PARAMETERS = {"after": 2**31 - 1, "seconds": 86_400, "organization_id": 2**31 - 1}
CHECK_EVERY = 2.0  # seconds for which a login, a membership and a session that were there count as there
MOST_STREAMS = 20  # of one user in one process
HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}


@dataclass
class SessionEvents:
    """ASGI: the endpoint."""

    door: Door
    live: Live
    identities: Identities
    _open: Counter[int] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] != "GET":
                message = f"Method `{scope['method']}` is not supported at {scope['path'][:200]}."
                raise MethodNotAllowed(message, headers={"Allow": "GET"})
            texts = await self._begin(scope)
        except ApiError as error:
            await send_error(send, error)
            return
        await StreamingResponse(texts, headers=HEADERS, media_type="text/event-stream")(scope, receive, send)

    async def _begin(self, scope: Scope) -> AsyncIterator[str]:
        headers: Headers = dict(scope["headers"])
        key, bearer = credentials(headers)
        identity = await self.identities.identify(key, bearer)
        given = _read_parameters(scope["query_string"].decode("latin-1"))
        caller = identity.caller(given.get("organization_id"))
        session = await self.door.call(caller, "ai-chat-sessions", "get", id=scope["path_params"]["id"])
        assert session.id is not None
        assert caller.user_id is not None
        if self._open[caller.user_id] >= MOST_STREAMS:
            message = f"You follow {MOST_STREAMS} chats at once already; close one of them."
            raise TooManyRequests(message, headers={"Retry-After": "30"})
        last = headers.get(b"last-event-id", b"").decode("latin-1").strip()
        # A browser that comes back keeps the address of its first attempt, so the header counts.
        after = _number("Last-Event-ID", last, PARAMETERS["after"]) if last else given.get("after", 0)
        ends_at = self.door.clock.monotonic() + given["seconds"] if "seconds" in given else math.inf

        async def read(conversation_id: int, position: int, limit: int) -> list[dict[str, Json]]:
            return await self._messages(caller, conversation_id, position, limit)

        where = (caller.organization_id, session.id)
        stream = ConversationStream(
            self.door.database, self.live, *where, after, read, MAX_LIMIT, ends_at, self.door.clock
        )
        return self._texts(stream, caller, bearer)

    async def _texts(self, stream: ConversationStream, caller: Caller, bearer: str | None) -> AsyncIterator[str]:
        user_id = caller.user_id or 0
        self._open[user_id] += 1
        try:
            checked = self.door.clock.monotonic()
            yield BEAT
            async for text in stream:
                now = self.door.clock.monotonic()
                if now - checked >= CHECK_EVERY:
                    await self._check(caller, bearer, stream.conversation_id)
                    checked = now
                yield text
        except ApiError as error:
            # The answer has begun, so the only word left is to end it: the client comes back and is told then.
            log.info("session stream ended", reason=error.message)
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                with suppress(KeyError):
                    del self._open[user_id]

    async def _check(self, caller: Caller, bearer: str | None, session_id: int) -> None:
        """Raises where the login, the membership or the session has ended."""
        identity = await self.identities.identify(None, bearer)
        await self.door.call(identity.caller(caller.organization_id), "ai-chat-sessions", "get", id=session_id)

    async def _messages(self, caller: Caller, session_id: int, position: int, limit: int) -> list[dict[str, Json]]:
        query = {
            "ai_chat_session_id": session_id, "position": {"$gt": position}, "$sort": {"position": 1}, "$limit": limit
        }  # fmt: skip
        found = await self.door.call(caller, "ai-chat-messages", "find", query=query)
        return cast("list[dict[str, Json]]", found.value["data"])


def _read_parameters(query: str) -> Mapping[str, int]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given:
        if name not in PARAMETERS:
            raise BadRequest(f"'{name[:80]}' is not a parameter here.", errors={name[:80]: "is not a parameter"})
    return {name: _number(name, text, PARAMETERS[name]) for name, text in given.items()}


def _number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= most):
        raise BadRequest(f"{name} must be a number up to {most}.", errors={name: f"must be a number up to {most}"})
    return int(text)
