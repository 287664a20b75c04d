"""`GET /events`: what happens in an organization, as it happens, as server-sent events.

An `id` is `<xid>-<id>-<life>`: the event's place in the log, and the life of the database. Whoever comes back with it
(`Last-Event-ID`, or `after` in the query) goes on behind that place. Why a stream needs no ticket in its address, and
what else was decided, is in `docs/why/0057-events.md`.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl

import asyncpg
from starlette.types import Receive, Scope, Send

from frontdesk.core.caller import Caller
from frontdesk.core.door import Door
from frontdesk.core.errors import (
    ApiError,
    BadRequest,
    Json,
    MethodNotAllowed,
    NotAuthenticated,
    TooManyRequests,
    Unavailable,
)
from frontdesk.core.event_feed import Feed, Listener, Told
from frontdesk.core.event_log import Cursor, Event, forgotten
from frontdesk.core.event_names import audible, event_names, matching
from frontdesk.core.formats import iso_text
from frontdesk.core.request_limits import RequestLimits

from .identity import Identities
from .rest import Headers, credentials, send_error

HEARTBEAT = 15.0  # seconds; a client may give up a line after two of them are missing
CHECK_EVERY = 3.0  # seconds after which a revoked key or login has lost its streams, beside what `identity.py` keeps
LONGEST_WRITE = 60.0  # seconds for a client that does not read
MOST_STREAMS = 2_000  # of one organization in one process
PARAMETERS = ("names", "after", "seconds", "organization_id")
LONGEST_STREAM = 86_400  # seconds that a client may ask for
HEAD = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store, no-transform"),
        (b"x-content-type-options", b"nosniff"), (b"x-accel-buffering", b"no")]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class OpenStream:
    """Whose stream it is: it ends when this is not true any more."""

    key: str | None
    bearer: str | None
    caller: Caller
    listener: Listener
    ends_at: float  # by the monotonic clock


class EventsEdge:
    """ASGI: all of the live events' HTTP, and what watches over it."""

    def __init__(self, door: Door, identities: Identities, limits: RequestLimits) -> None:
        self.door, self.identities, self.limits, self.clock = door, identities, limits, door.clock
        self.names = event_names(door.registry)
        self.feed = Feed(door.database, door.clock, self.render)
        self._streams: set[OpenStream] = set()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> EventsEdge:
        self._watch = asyncio.create_task(self._watch_for_ever(), name="frontdesk-event-credentials")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self.feed.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The endpoint."""
        try:
            if scope["method"] != "GET":
                raise MethodNotAllowed(
                    f"Method `{scope['method']}` is not supported at /events.", headers={"Allow": "GET"}
                )
            headers: Headers = dict(scope["headers"])
            stream, start = await self._open(headers, scope["query_string"].decode("latin-1"))
        except ApiError as error:
            await send_error(send, error)
            return
        with self.feed.listening(stream.listener):
            self._streams.add(stream)
            gone = asyncio.create_task(_wait_for_end(receive, stream.listener))
            try:
                await self._send_all(stream, start, send)
            finally:
                self._streams.discard(stream)
                gone.cancel()

    async def _open(self, headers: Headers, query: str) -> tuple[OpenStream, str]:
        """The stream as asked for, and why it has to begin with a `resync`, if it has to."""
        key, bearer = credentials(headers)
        identity = await self.identities.identify(key, bearer)
        if identity.quota:
            # A stream is one request, however long it lasts; whoever polls with `seconds=0` makes many.
            await self.limits.admit(identity.organization_id, identity.quota)
        parameters = _read_parameters(query)
        caller = identity.caller(_number(parameters, "organization_id"))
        seconds = _number(parameters, "seconds", LONGEST_STREAM)
        ends_at = math.inf if seconds is None else self.clock.monotonic() + seconds
        names = self._names(caller, parameters.get("names", "*"))
        if self.feed.count_of(caller.organization_id) >= MOST_STREAMS:
            raise TooManyRequests(f"There are {MOST_STREAMS} open streams of this organization already.")
        # A browser that comes back keeps the address of its first attempt, so the header counts.
        after = headers.get(b"last-event-id", b"").decode("latin-1").strip() or parameters.get("after", "")
        cursor, why = await self._place(after) if after else (None, "")
        listener = Listener(caller.organization_id, names, caller.user_id, cursor)
        return OpenStream(key, bearer, caller, listener, ends_at), why

    def _names(self, caller: Caller, wanted: str) -> frozenset[str]:
        patterns = [part.strip() for part in wanted.split(",") if part.strip()]
        for pattern in patterns:
            if not matching(pattern, self.names):
                raise BadRequest(
                    f"'{pattern[:80]}' names no event; see docs/reference/events.md.",
                    errors={"names": "names no event"},
                )
        heard = audible(self.names, caller.role, patterns)
        if caller.via == "jwt":
            return heard
        # What only a login may read, a key of the same user does not hear either.
        return frozenset(name for name in heard if not self.names[name].is_personal)

    async def _place(self, after: str) -> tuple[Cursor | None, str]:
        """The cursor to go on from; none, and why, where events behind it are lost."""
        place, _, given_life = after.rpartition("-")
        cursor = Cursor.parse(place)
        if cursor is None:
            raise BadRequest("after must be the id of an event.", errors={"after": "must be the id of an event"})
        if given_life != await self.feed.look_at_life():
            return None, "The database was restored since."
        async with self.door.database.system() as connection:
            if cursor < await forgotten(connection):
                return None, "Older events than this are not kept."
        return cursor, ""

    # -- writing ------------------------------------------------------------------------------

    async def _send_all(self, stream: OpenStream, start: str, send: Send) -> None:
        """Everything, until the client is gone, its time is over, the credentials end, or the process stops."""
        await send({"type": "http.response.start", "status": 200, "headers": HEAD})
        with suppress(OSError, TimeoutError):
            async for text in self._texts(stream.listener, start, stream.ends_at):
                async with asyncio.timeout(LONGEST_WRITE):
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _texts(self, listener: Listener, start: str, ends_at: float) -> AsyncIterator[bytes]:
        while listener.since is None and not listener.is_closed:
            yield b": \n\n"
            await listener.wait(HEARTBEAT)
        if start:
            yield self._frame("resync", {"reason": start}, listener)
        yield self._frame("ready", {}, listener)
        while not listener.is_closed:
            await listener.wait(min(HEARTBEAT, max(0.0, ends_at - self.clock.monotonic())))
            found = listener.take() if not listener.is_behind else await self._catch_up(listener)
            if found:
                yield b"".join(told.text for told in found)
            elif listener.is_behind:
                yield b": \n\n"
            elif not listener.is_ready and not listener.is_closed:
                self.feed.rest(listener)
                # Without data it is no event, and yet the client keeps the id: it never falls out of what is kept.
                yield f": \nid: {listener.cursor}-{self.feed.life}\n\n".encode()
                if self.clock.monotonic() >= ends_at:
                    return

    async def _catch_up(self, listener: Listener) -> list[Told]:
        try:
            return await self.feed.catch_up(listener)
        except Unavailable:
            await self.clock.sleep(1.0)
            return []

    def _frame(self, name: str, data: Mapping[str, Json], listener: Listener) -> bytes:
        id = f"{listener.cursor}-{self.feed.life}"
        return f"id: {id}\nevent: {name}\ndata: {json.dumps({'id': id, **data})}\n\n".encode()

    def render(self, event: Event) -> Told:
        """An event as all its listeners get it."""
        resource, viewer = self.names.get(event.name), None
        if resource is not None and resource.private_to is not None:
            viewer = resource.private_to(json.loads(event.data))
        id = f"{event.cursor}-{self.feed.life}"
        data = event.data.replace("\r", " ").replace("\n", " ")  # in JSON they can only stand between its parts
        text = (
            f'id: {id}\ndata: {{"id":"{id}","type":"{event.name}","timestamp":"{iso_text(event.created_at)}",'
            f'"organization_id":{event.organization_id},"data":{data}}}\n\n'
        )
        return Told(event.cursor, event.name, viewer, text.encode())

    # -- credentials --------------------------------------------------------------------------

    async def _watch_for_ever(self) -> None:
        while True:
            await self.clock.sleep(CHECK_EVERY)
            for credential in {(stream.key, stream.bearer) for stream in self._streams}:
                with suppress(Unavailable, asyncpg.PostgresError, TimeoutError):
                    await self._check(*credential)

    async def _check(self, key: str | None, bearer: str | None) -> None:
        """End the streams of a credential that has ended, or whose role has changed."""
        try:
            roles = (await self.identities.identify(key, bearer)).roles
        except NotAuthenticated:
            roles = {}
        for stream in self._streams:
            is_same = (stream.key, stream.bearer) == (key, bearer)
            if is_same and roles.get(stream.caller.organization_id) != stream.caller.role:
                stream.listener.close()


async def _wait_for_end(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.close()


def _read_parameters(query: str) -> dict[str, str]:
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    for name in parameters:
        if name not in PARAMETERS:
            raise BadRequest(f"'{name[:80]}' is not a parameter here.", errors={name[:80]: "is not a parameter"})
    return parameters


def _number(parameters: dict[str, str], name: str, most: int = 2**31 - 1) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) <= most):
        raise BadRequest(f"{name} must be a number up to {most}.", errors={name: f"must be a number up to {most}"})
    return int(text)
