"""Reading the log in tests: up to a commit, whatever transactions of other tests still run on the same server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import httpx

from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.core.event_log import HORIZON, Cursor, Event, read

BEGIN = Cursor(0, 0)
PATIENCE = 120  # seconds; an event is told when every older transaction of the server has ended, also of other tests


async def all_told(database: Database) -> None:
    """Wait until whatever was committed so far can be read."""
    async with asyncio.timeout(PATIENCE), database.system() as connection:
        newest = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
        while await connection.fetchval(HORIZON) <= newest:
            pass


async def events_until(database: Database, organization_id: int, name: str, after: Cursor = BEGIN) -> list[Event]:
    """All events from `after` on, once one of the name `name` is among them."""
    async with asyncio.timeout(PATIENCE), database.system() as connection:
        while True:
            page = await read(connection, after, organization_id, 1000)
            if any(event.name == name for event in page.events):
                return list(page.events)


@dataclass
class Frame:
    """One server-sent event as a client reads it."""

    id: str = ""
    name: str = "message"
    data: dict[str, Json] = field(default_factory=dict)


class EventReader:
    """A client of `/events`, by the rules of the HTML standard as far as we need them."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self.last_id = response, ""
        self._lines = response.aiter_lines()

    async def next(self) -> Frame:
        """The next event with data. Raises StopAsyncIteration at the end of the stream."""
        frame = Frame()
        async with asyncio.timeout(PATIENCE):
            while True:
                line = await anext(self._lines)
                name, _, value = line.partition(": ")
                if name == "id":
                    frame.id = self.last_id = value
                elif name == "event":
                    frame.name = value
                elif name == "data":
                    frame.data = json.loads(value)
                elif not line and frame.data:
                    return frame

    async def types(self, count: int) -> list[str]:
        return [str((await self.next()).data["type"]) for _ in range(count)]
