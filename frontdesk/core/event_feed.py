"""What is new in the log, for all open streams of one process: one reader, one query per round, no connection kept.

A listener reads the table itself until it has caught up with the reader (after a reconnect, or when it was too slow
and its waiting events were dropped), and is then given what the reader finds. So its memory is bounded and it misses
nothing: `since` is the place after which the reader brings it everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from .clock import Clock
from .database import Database
from .errors import Unavailable
from .event_log import Cursor, Event, horizon, life, read

log = structlog.get_logger(__name__)

EVERY = 0.2  # seconds between two queries
LIFE_EVERY = 5.0  # seconds; a restore under running processes begins another life
PAGE = 500
MOST_WAITING = 500  # events that wait for one listener


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it goes out: rendered once, whoever hears it. `viewer` is the only user who may, if not None."""

    cursor: Cursor
    name: str
    viewer: int | None
    text: bytes


class Listener:
    """One stream: what it may hear, up to where it was told, and what waits for it."""

    def __init__(self, organization_id: int, names: frozenset[str], user_id: int | None, cursor: Cursor | None) -> None:
        self.organization_id, self.names, self.user_id = organization_id, names, user_id
        self.cursor = cursor
        self.since: Cursor | None = None
        self.is_closed = False
        self._is_behind = cursor is not None
        self._waiting: deque[Told] = deque()
        self._arrived = asyncio.Event()

    def hears(self, told: Told) -> bool:
        return told.name in self.names and told.viewer in (None, self.user_id)

    def join(self, since: Cursor) -> None:
        """From `since` on the reader brings everything."""
        self.since = since
        if self.cursor is None:
            self.cursor = since
        self._arrived.set()

    def put(self, told: Told) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self.since, self._is_behind = told.cursor, True
        else:
            self._waiting.append(told)
        self._arrived.set()

    def close(self) -> None:
        self.is_closed = True
        self._arrived.set()

    async def wait(self, seconds: float) -> None:
        """Return when there is something to do, or after a silence."""
        if self.is_ready or self.is_closed:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return

    @property
    def is_ready(self) -> bool:
        return bool(self._waiting) or (self._is_behind and self.since is not None)

    @property
    def is_behind(self) -> bool:
        return self._is_behind

    def moved_to(self, cursor: Cursor) -> None:
        """The table was read up to `cursor`."""
        self.cursor = cursor
        self._is_behind = self.since is None or cursor < self.since

    def take(self) -> list[Told]:
        """Everything that waits and was not told yet."""
        assert self.cursor is not None
        found = [told for told in self._waiting if told.cursor > self.cursor]
        self._waiting.clear()
        if found:
            self.cursor = found[-1].cursor
        return found


class Feed:
    """The one reader of a process. It works only while somebody listens."""

    def __init__(self, database: Database, clock: Clock, render: Callable[[Event], Told]) -> None:
        self.database, self.clock, self.render = database, clock, render
        self.life = ""
        self._listeners: dict[int, set[Listener]] = {}
        self._covered: set[int] = set()
        self._cursor = Cursor(0, 0)
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    @property
    def count(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())

    def count_of(self, organization_id: int) -> int:
        return len(self._listeners.get(organization_id, ()))

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Tell the listener of all that happens in its organization."""
        organization_id = listener.organization_id
        self._listeners.setdefault(organization_id, set()).add(listener)
        if organization_id in self._covered:
            listener.join(self._cursor)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="frontdesk-events")
            self._task.add_done_callback(self._ended)
        self._wanted.set()
        try:
            yield
        finally:
            listeners = self._listeners[organization_id]
            listeners.discard(listener)
            if not listeners:
                del self._listeners[organization_id]
                self._covered.discard(organization_id)

    async def catch_up(self, listener: Listener) -> list[Told]:
        """The next page of a listener that is behind, from the table. Raises `Unavailable`."""
        assert listener.cursor is not None
        async with self.database.reading(listener.organization_id) as connection:
            page = await read(connection, listener.cursor, listener.organization_id, PAGE)
        listener.moved_to(page.cursor)
        return [told for told in map(self.render, page.events) if listener.hears(told)]

    def rest(self, listener: Listener) -> None:
        """Nothing waits for the listener, so all that the reader has read is none of its business."""
        if not listener.is_ready and not listener.is_behind and listener.cursor is not None:
            listener.cursor = max(listener.cursor, self._cursor)

    async def stop(self) -> None:
        """End all streams."""
        self.close_all()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def close_all(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()

    async def _work(self) -> None:
        self._covered.clear()
        is_begun, looked_at = False, -LIFE_EVERY
        while self._listeners:
            try:
                if self.clock.monotonic() - looked_at >= LIFE_EVERY:
                    looked_at = self.clock.monotonic()
                    await self.look_at_life()
                if not is_begun:
                    async with self.database.system() as connection:
                        self._cursor = await horizon(connection)
                    is_begun = True
                if not await self._round():
                    continue
            except Unavailable as error:
                log.warning("the live events wait for the database", error=error.message)
            await self._pause()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Without the reader a stream would be silent for ever: its client comes back and starts another one."""
        self.close_all()
        if not task.cancelled() and (error := task.exception()):
            log.error("the live events broke", error=str(error) or type(error).__name__, exc_info=error)

    async def look_at_life(self) -> str:
        """The database's life as it is now; where it is another one than before, all streams end."""
        async with self.database.system() as connection:
            found = await life(connection)
        if self.life and found != self.life:
            # Every cursor that was given out is of the life before: who comes back is told to read anew.
            self.close_all()
        self.life = found
        return found

    async def _round(self) -> bool:
        """One query; gives whether that was all there is."""
        for organization_id in self._listeners.keys() - self._covered:
            self._covered.add(organization_id)
            for listener in self._listeners[organization_id]:
                listener.join(self._cursor)
        async with self.database.system() as connection:
            page = await read(connection, self._cursor, tuple(self._covered), PAGE)
        for event in page.events:
            told = self.render(event)
            for listener in self._listeners.get(event.organization_id, ()):
                if listener.hears(told):
                    listener.put(told)
        self._cursor = page.cursor
        return page.is_last

    async def _pause(self) -> None:
        """Until the next round; at once where somebody new wants to begin."""
        self._wanted.clear()
        pause = asyncio.ensure_future(self.clock.sleep(EVERY))
        wanted = asyncio.ensure_future(self._wanted.wait())
        await asyncio.wait({pause, wanted}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        wanted.cancel()
