"""One web chat of a seeded organization behind a real HTTP server, and visitors who write and listen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from frontdesk.channels.webchat import Webchat
from frontdesk.core.clock import FakeClock
from frontdesk.core.door import Door
from frontdesk.core.live import Live, Subscription
from frontdesk.web import failures
from frontdesk.web.webchat import WebchatEdge
from tests.serving import serving
from tests.world import OURS, World

PUBLIC_KEY = "wc_room"


class WatchedLive(Live):
    """A live line that tells when a stream has come or gone."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.changed = asyncio.Event()

    @contextmanager
    def subscribe(self, conversation_id: int) -> Iterator[Subscription]:
        try:
            with super().subscribe(conversation_id) as subscription:
                self.tell()
                yield subscription
        finally:
            self.tell()

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass
class Room:
    """The chat's address, its parts, and the clock that its limits go by."""

    world: World
    edge: WebchatEdge
    clock: FakeClock
    url: str
    channel_id: int
    assistant_id: int
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def live(self) -> WatchedLive:
        assert isinstance(self.edge.live, WatchedLive)
        return self.edge.live

    def client(self, **headers: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=f"{self.url}/webchat/{PUBLIC_KEY}", headers=headers, timeout=10)
        self.clients.append(client)
        return client

    async def visitor(self) -> httpx.AsyncClient:
        """A client that has a token of its own."""
        token = (await self.client().post("/sessions", json={})).json()["visitor_token"]
        return self.client(**{"x-visitor-token": token})

    async def change(self, **columns: object) -> None:
        """Change the channel, and forget what this process knows of it."""
        names = ", ".join(f"{name} = ${i}" for i, name in enumerate(columns, 2))
        values = [json.dumps(value) if isinstance(value, dict) else value for value in columns.values()]
        async with self.world.database.system() as connection:
            await connection.execute(f"UPDATE inbox_channels SET {names} WHERE id = $1", self.channel_id, *values)
        self.edge.channels.forget()

    async def streams(self, count: int) -> None:
        """Wait until so many streams are open: the server is told by the network."""
        async with asyncio.timeout(60):
            while self.live.stream_count != count:
                await self.live.changed.wait()

    async def count(self, table: str) -> int:
        async with self.world.database.system() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))


@asynccontextmanager
async def open_room(world: World) -> AsyncIterator[Room]:
    assistant_id = await world.row("ai-assistants", name="Sofía")
    channel_id = await world.row(
        "inbox-channels", name="Bright Smile", ai_assistant_id=assistant_id, public_key=PUBLIC_KEY, is_active=True
    )
    clock = FakeClock()
    door = Door(world.database, world.registry, clock)
    async with WatchedLive(world.database.url) as live:
        edge = WebchatEdge(door, Webchat(world.database, clock), live)
        async with serving(application(edge)) as url:
            room = Room(world, edge, clock, url, channel_id, assistant_id)
            yield room
            for client in room.clients:
                await client.aclose()
            await live.stop()


def application(edge: WebchatEdge) -> ASGIApp:
    app = FastAPI()
    app.router.routes.extend(edge.routes())
    failures.install(app)
    return app


def message(text: object = "Hello", key: str = "key-00000001") -> dict[str, object]:
    return {"idempotency_key": key, "text": text}


class Listener:
    """One open stream, read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.aiter_lines()

    async def next(self, seconds: float = 60) -> tuple[str, Mapping[str, object]]:
        """The next event's name and data; comments are passed over."""
        name = ""
        async with asyncio.timeout(seconds):
            async for line in self.lines:
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    return name, json.loads(line[6:])
        raise AssertionError("the stream has ended")

    async def texts(self, count: int) -> list[object]:
        return [(await self.next())[1].get("text") for _ in range(count)]


@asynccontextmanager
async def listening(client: httpx.AsyncClient, after: int = 0, **headers: str) -> AsyncIterator[Listener]:
    async with client.stream("GET", "/stream", params={"after": after}, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield Listener(response)


__all__ = ["OURS", "Listener", "Room", "listening", "message", "open_room"]
