"""The programs of the how-to pages, run as they stand there against a real server."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.database import Database
from tests.serving import serving
from tests.webhook_room import webhook_room
from tests.world import World, key_of

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to"
# Events are told up to the oldest running transaction of the whole server, where other tests write beside this one.
PATIENCE = 120


def program(page: str) -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```$", (PAGES / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(found)


@asynccontextmanager
async def running(page: str, **environment: str) -> AsyncIterator[asyncio.StreamReader]:
    """The page's program in a process of its own; yields what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program(page), env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def line(output: asyncio.StreamReader) -> str:
    async with asyncio.timeout(PATIENCE):
        return (await output.readline()).decode().strip()


async def until_listening(world: World) -> None:
    # A stream that is open hears what happens once the reader has found where it begins.
    async with asyncio.timeout(PATIENCE), world.database.system() as connection:
        while not world.app.app.state.events.feed._covered:  # type: ignore[attr-defined]
            await connection.execute("SELECT 1")


async def test_the_client_of_live_events(world: World) -> None:
    async with serving(world.app.app) as url:
        key = key_of(Role.owner)
        async with running("follow-live-events.md", BASE=url, KEY=key) as output:
            await until_listening(world)
            async with world.client() as client:
                first = (await client.post("/contacts", json={"first_name": "Marta"})).json()["id"]
            assert await line(output) == f"contacts.created {first}"
            world.app.app.state.events.feed.close_all()  # type: ignore[attr-defined]
            async with world.client() as client:
                second = (await client.post("/contacts", json={"first_name": "Missed"})).json()["id"]
            assert await line(output) == f"contacts.created {second}"
        world.app.app.state.events.feed.close_all()  # type: ignore[attr-defined]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_receiver_of_webhooks(database: Database, tmp_path: Path, port: int) -> None:
    async with webhook_room(database, tmp_path) as room:
        url = f"http://127.0.0.1:{port}/hooks"
        made = await room.subscribe("contacts.created", url=url)
        async with running("receive-webhooks.md", WEBHOOK_SECRET=str(made["secret"]), PORT=str(port)) as output:
            contact_id = await room.make_contact()
            await until_answering(url)
            await room.ring()
            (delivery,) = await room.deliveries()
            assert (delivery["status"], delivery["last_status_code"]) == ("delivered", 204)
            assert await line(output) == f"contacts.created {contact_id}"
            forged = await post(url, {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"})
            assert forged.status_code == 401


async def post(url: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(url, content=b"{}", headers=headers)


async def until_answering(url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await post(url, {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": ""})
            except httpx.TransportError:
                continue
            return
