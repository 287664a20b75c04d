"""The worker's composition root: lists, and nothing else."""

import asyncio

from frontdesk.core.heartbeats import beat
from frontdesk.core.settings import Settings


async def run_worker(settings: Settings, url: str, stopping: asyncio.Event) -> None:
    """Run every part of a worker until `stopping` is set; the first part that fails ends the process."""
    async with asyncio.TaskGroup() as parts:
        parts.create_task(beat(url, stopping))
