"""What just happened, told to every HTTP process: PostgreSQL's NOTIFY, fanned out to the open streams of a process.

NOTIFY is sent when its transaction commits, so an event never tells of what is not there yet; it may be lost, so
it is never the only copy. A reader subscribes first, reads the table, then follows: a `message` event says only up to
which position there is something to read, and `resync` says that events were lost and the table must be read again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncpg
import structlog

from .clock import Clock, SystemClock
from .database import LOST, Connection
from .errors import Json

log = structlog.get_logger(__name__)

CHANNEL = "frontdesk_live"
# PostgreSQL takes up to 7,999 bytes.
MAX_PAYLOAD = 7_500
# Events that a stream may lag behind before it is told to read the table instead.
MAX_WAITING = 200
RECONNECT_FIRST, RECONNECT_LONGEST = 0.2, 2.0
# A line that died without a word is found by asking.
CHECK_EVERY, CHECK_WITHIN = 15.0, 5.0


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event of a conversation: `message`, `typing`, `draft`, `draft.withdrawn`, `conversation`, or `resync`."""

    name: str
    data: Mapping[str, Json] = field(default_factory=dict)


RESYNC = LiveEvent("resync")


async def notify(
    connection: Connection, organization_id: int, conversation_id: int, event: str, data: Mapping[str, Json]
) -> None:
    """Tell all HTTP processes, when the transaction of `connection` commits (at once without one).

    A `text` too long for one notification is cut at its end: a draft is a preview, the message that follows is whole.
    """
    await connection.execute(
        "SELECT pg_notify($1, $2)", CHANNEL, payload(organization_id, conversation_id, event, data)
    )


def payload(organization_id: int, conversation_id: int, event: str, data: Mapping[str, Json]) -> str:
    """The JSON of one notification, at most `MAX_PAYLOAD` bytes."""
    body: dict[str, Json] = {"o": organization_id, "c": conversation_id, "e": event, **data}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    whole = str(data.get("text", ""))
    kept = len(whole)
    while (size := len(text.encode())) > MAX_PAYLOAD:
        kept = kept * MAX_PAYLOAD // size - 8
        if kept <= 0:
            raise ValueError(f"The event {event} has more than {MAX_PAYLOAD} bytes beside its text.")
        text = json.dumps(body | {"text": whole[:kept] + "…"}, ensure_ascii=False, separators=(",", ":"))
    return text


class Subscription:
    """The events of one conversation for one stream, at most `MAX_WAITING` of them kept."""

    def __init__(self) -> None:
        self._waiting: deque[LiveEvent] = deque()
        self._arrived = asyncio.Event()
        self._is_closed = False

    def put(self, event: LiveEvent) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            event = RESYNC
        self._waiting.append(event)
        self._arrived.set()

    def close(self) -> None:
        self._is_closed = True
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[LiveEvent]:
        return self

    async def __anext__(self) -> LiveEvent:
        """The next event. Ends when the process stops; cancelling loses nothing."""
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    async def next_within(self, seconds: float) -> LiveEvent | None:
        """The next event, or None when there was none for so long. Raises StopAsyncIteration at the end."""
        try:
            async with asyncio.timeout(seconds):
                return await anext(self)
        except TimeoutError:
            return None


class Live:
    """The one listening connection of an HTTP process. It comes back by itself when PostgreSQL was away."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self._url = url
        self._clock: Clock = clock or SystemClock()
        self._topics: dict[int, set[Subscription]] = {}
        self._task: asyncio.Task[None] | None = None
        self.is_listening = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen; returns when the first connection stands, or after trying once in vain."""
        tried = asyncio.Event()
        self._task = asyncio.create_task(self._listen_for_ever(tried), name="frontdesk-live")
        trying = asyncio.create_task(tried.wait())
        await asyncio.wait({self._task, trying}, return_when=asyncio.FIRST_COMPLETED)
        trying.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """End all streams and close the connection."""
        for subscriptions in self._topics.values():
            for subscription in subscriptions:
                subscription.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def __aenter__(self) -> Live:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @contextmanager
    def subscribe(self, conversation_id: int) -> Iterator[Subscription]:
        """Everything that is told of one conversation from now on."""
        subscription = Subscription()
        self._topics.setdefault(conversation_id, set()).add(subscription)
        try:
            yield subscription
        finally:
            topic = self._topics[conversation_id]
            topic.discard(subscription)
            if not topic:
                # A conversation that nobody looks at costs nothing here.
                del self._topics[conversation_id]

    @property
    def stream_count(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._topics.values())

    async def _listen_for_ever(self, tried: asyncio.Event) -> None:
        wait = RECONNECT_FIRST
        while True:
            try:
                connection = await asyncpg.connect(self._url, server_settings={"application_name": "frontdesk live"})
                try:
                    wait = RECONNECT_FIRST
                    await self._listen(connection, tried)
                finally:
                    self.is_listening.clear()
                    connection.terminate()
            except (*LOST, TimeoutError) as error:
                log.warning("the live line to the database is down", error=str(error) or type(error).__name__)
            tried.set()
            await self._clock.sleep(wait)
            wait = min(RECONNECT_LONGEST, wait * 2)

    async def _listen(self, connection: asyncpg.Connection, tried: asyncio.Event) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._received)
        self.is_listening.set()
        # What was told while nobody listened is gone: every open stream reads its table again.
        self.tell_all(RESYNC)
        tried.set()
        while not lost.is_set():
            try:
                async with asyncio.timeout(CHECK_EVERY):
                    await lost.wait()
            except TimeoutError:
                await connection.execute("SELECT 1", timeout=CHECK_WITHIN)

    def _received(self, _connection: object, _pid: int, _channel: str, text: object) -> None:
        body = json.loads(str(text))
        topic = self._topics.get(body.pop("c"))
        if not topic:
            return
        body.pop("o")
        event = LiveEvent(body.pop("e"), body)
        for subscription in topic:
            subscription.put(event)

    def tell_all(self, event: LiveEvent) -> None:
        """Give an event to every open stream of this process."""
        for topic in self._topics.values():
            for subscription in topic:
                subscription.put(event)
