"""The real thing in one process: HTTP edge, worker with its job engine, PostgreSQL; only the model is scripted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCalls

from frontdesk.channels.webchat import WEBCHAT
from frontdesk.core.jobs import Worker
from frontdesk.flow import Flow
from frontdesk.runtime.thread import DOORBELL
from tests.flow.harness import Models, Script, Toolbox
from tests.world import OURS, World

TOOLS = {"tools": dict.fromkeys(("find_contact", "get_contact", "update_contact"), True)}
PUBLIC_KEY = "wc_desk"


class Pausing(Script):
    """A script whose texts are said sentence by sentence; at each `|` it waits until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = asyncio.Semaphore(0)

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        async for piece in super().stream(messages, info):
            if isinstance(piece, str) and "|" in piece:
                yield piece.replace("|", "")
                await self.may_go_on.acquire()
            else:
                yield piece


@dataclass
class Desk:
    """A clinic whose receptionist is Sofía, at a real address."""

    world: World
    script: Pausing
    url: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def page_url(self) -> str:
        return f"{self.url}/chat/{PUBLIC_KEY}"

    def api(self) -> httpx.AsyncClient:
        return self.world.client()


@asynccontextmanager
async def open_desk(world: World, url: str) -> AsyncIterator[Desk]:
    """The worker runs as long as this does; `url` serves the world's application."""
    assistant_id = await world.row(
        "ai-assistants", name="Sofía", internal_tools=json.dumps(TOOLS), assistant_type="conversation",
        access_permissions_contact="read_write",
        instructions="You are the receptionist of Bright Smile Dental.",
    )  # fmt: skip
    await world.row(
        "inbox-channels", name="Website chat", ai_assistant_id=assistant_id, public_key=PUBLIC_KEY,
        is_active=True,
    )  # fmt: skip
    async with world.database.system() as connection:
        await connection.execute("UPDATE organizations SET name = 'Bright Smile Dental' WHERE id = $1", OURS)
    script, stopping = Pausing(), asyncio.Event()
    flow = Flow(world.door, Models(script), Toolbox(), {WEBCHAT.name: WEBCHAT})
    working = asyncio.create_task(Worker(world.database.url, {DOORBELL: flow.advance}).run(stopping))
    try:
        yield Desk(world, script, url)
    finally:
        stopping.set()
        await working
