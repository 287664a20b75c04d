"""A desk whose assistant is answered by a model server over HTTP, through the catalogue and the provider's own code."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontdesk.core.egress import Guard
from frontdesk.core.settings import Settings
from frontdesk.models.catalogue import Catalogue
from tests.flow.harness import Desk
from tests.models.model_server import Chunk, Scene, model_server


@dataclass
class Wired:
    """The desk, and what the server was sent."""

    desk: Desk
    scene: Scene
    model_id: int

    @property
    def request(self) -> dict[str, Any]:
        """The last request's body."""
        return self.scene.bodies[-1]

    async def options(self, **options: object) -> None:
        await self.desk.configure(advanced_options=options)


async def connect(desk: Desk, url: str, folder: Path, **fields: object) -> tuple[Catalogue, int]:
    """Let the desk's assistant be answered at `url`; the catalogue has to be closed, the number is the model's id."""
    values = {"name": "Own server", "provider": "openai_compatible", "model": "m", "base_url": url, **fields}
    model = int(str((await desk.call("ai-models", "create", **values)).value["id"]))
    await desk.configure(ai_model_id=model)
    settings = Settings(data=folder, secret_key="k" * 40)
    catalogue = Catalogue(desk.database, desk.door.vault, settings, desk.clock, Guard(allow_loopback=True))
    desk.flow.models = catalogue
    return catalogue, model


@asynccontextmanager
async def wired(desk: Desk, folder: Path, *answers: list[Chunk], **fields: object) -> AsyncIterator[Wired]:
    async with model_server(*answers) as scene:
        catalogue, model = await connect(desk, scene.url, folder, **fields)
        yield Wired(desk, scene, model)
        await catalogue.close()
