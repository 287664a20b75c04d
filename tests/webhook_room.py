"""A world in which webhooks may reach this machine, with a receiver, a dispatcher and a clock that stands."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.core.jobs import read_payload
from frontdesk.core.settings import Settings
from frontdesk.runtime.webhook_dispatch import WebhookDispatch
from frontdesk.runtime.webhooks import Webhooks
from tests.event_reading import events_until
from tests.webhook_receiver import Receiver, receiving
from tests.world import OURS, World, make_world


@dataclass
class WebhookRoom:
    """The worker's part of webhooks is taken step by step here."""

    world: World
    receiver: Receiver
    clock: FakeClock
    sender: Webhooks
    dispatch: WebhookDispatch
    made: list[dict[str, Json]] = field(default_factory=list)

    async def subscribe(self, *events: str, url: str | None = None, **more: Json) -> dict[str, Json]:
        """A webhook at our receiver, with its secret."""
        body = {"url": url or f"{self.receiver.url}/hook", "events": list(events) or ["contacts.*"], **more}
        async with self.world.client() as client:
            answer = await client.post("/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        self.made.append(answer.json())
        return self.made[-1]

    async def make_contact(self, name: str = "Marta") -> int:
        async with self.world.client() as client:
            id = (await client.post("/contacts", json={"first_name": name})).json()["id"]
        found = await events_until(self.world.database, OURS, "contacts.created")
        while found[-1].row_id < id:
            found = await events_until(self.world.database, OURS, "contacts.created", found[-1].cursor)
        return int(id)

    async def ring(self) -> None:
        """Everything that is due now, as often as bells ring."""
        while await self.dispatch.copy():
            pass
        await self.dispatch.ring()
        async with self.world.database.system() as connection:
            rows = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'webhook' RETURNING payload")
        for row in rows:
            await self.sender.deliver(*read_payload(row["payload"]))

    async def pass_time(self, **spans: float) -> None:
        await self.clock.advance(timedelta(**spans).total_seconds())
        await self.ring()

    async def deliveries(self, **query: str) -> list[dict[str, Json]]:
        async with self.world.client() as client:
            return (await client.get("/webhook-deliveries", params={"$sort[id]": "1", "$limit": "50", **query})).json()[
                "data"
            ]  # type: ignore[no-any-return]

    async def webhook(self, id: Json) -> dict[str, Json]:
        async with self.world.client() as client:
            return (await client.get(f"/webhooks/{id}")).json()  # type: ignore[no-any-return]

    async def patch(self, id: Json, **fields: Json) -> dict[str, Json]:
        async with self.world.client() as client:
            answer = await client.patch(f"/webhooks/{id}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def another_worker(self) -> Webhooks:
        door = self.world.app.app.state.door  # type: ignore[attr-defined]
        return Webhooks(self.world.database, self.clock, door.vault, door.guard, random.Random(2))


@asynccontextmanager
async def webhook_room(database: Database, folder: Path) -> AsyncIterator[WebhookRoom]:
    settings = Settings(  # type: ignore[call-arg]
        data=folder, secret_key="contract tests need no better secret", egress_allow=("127.0.0.1",)
    )
    async with make_world(database, settings) as world, receiving() as receiver:
        door = world.app.app.state.door  # type: ignore[attr-defined]
        # Rows that the API makes have the real time, so this clock begins there and is moved by hand.
        clock = FakeClock(datetime.now(UTC) + timedelta(seconds=60))
        sender = Webhooks(database, clock, door.vault, door.guard, random.Random(1))
        yield WebhookRoom(world, receiver, clock, sender, WebhookDispatch(database, door.registry, clock))
        await sender.close()
