"""The models for a process that may never ask one: their libraries are loaded with the first question.

They cost some 60 MB and a second, and most HTTP processes serve rows all day (docs/why/0014).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING

from frontdesk.core.completions import Completed, Completion
from frontdesk.core.connection_trials import ConnectionTrial, ConnectionTried
from frontdesk.core.door import Door
from frontdesk.core.settings import Settings

if TYPE_CHECKING:
    from frontdesk.models.catalogue import Catalogue
    from frontdesk.models.completion import ModelCompletions


class LateCompletions:
    """Implements `core.completions.Completions` and `core.connection_trials.ConnectionTrials`."""

    def __init__(self, door: Door, settings: Settings) -> None:
        self._door, self._settings = door, settings
        self._catalogue: Catalogue | None = None
        self._ready: asyncio.Task[ModelCompletions] | None = None

    async def complete(self, asked: Completion) -> Completed:
        return await (await self._loaded()).complete(asked)

    async def stream(self, asked: Completion) -> AsyncIterator[str | Completed]:
        async for piece in (await self._loaded()).stream(asked):
            yield piece

    async def try_out(self, trial: ConnectionTrial) -> ConnectionTried:
        await self._loaded()
        module = await asyncio.to_thread(import_module, "frontdesk.models.connection_trial")
        tried: ConnectionTried = await module.try_out(self._door.database, self._catalogue, self._door.clock, trial)
        return tried

    async def close(self) -> None:
        if self._catalogue is not None:
            await self._catalogue.close()

    async def _loaded(self) -> ModelCompletions:
        """Loaded in a thread, so that other requests go on, and once, however many ask at once."""
        if self._ready is None or (self._ready.done() and self._ready.exception() is not None):
            self._ready = asyncio.create_task(self._load())
        return await asyncio.shield(self._ready)

    async def _load(self) -> ModelCompletions:
        catalogue = await asyncio.to_thread(import_module, "frontdesk.models.catalogue")
        completion = await asyncio.to_thread(import_module, "frontdesk.models.completion")
        door = self._door
        self._catalogue = catalogue.Catalogue(door.database, door.vault, self._settings, door.clock)
        ready: ModelCompletions = completion.ModelCompletions(door.database, self._catalogue)
        return ready
