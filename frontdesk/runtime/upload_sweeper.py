"""Files that nobody uses: what no record has claimed for a day is removed, by whichever worker comes first."""

from __future__ import annotations

import asyncio

import structlog

from frontdesk.core.clock import Clock
from frontdesk.core.database import Database
from frontdesk.core.errors import Unavailable
from frontdesk.core.files import Files
from frontdesk.core.uploads import AT_ONCE, remove_unclaimed

log = structlog.get_logger(__name__)

EVERY = 600.0  # seconds


async def sweep_uploads(database: Database, files: Files, clock: Clock, stopping: asyncio.Event) -> None:
    """Sweep until told to stop. A store that cannot be reached is tried again at the next round."""
    while not stopping.is_set():
        try:
            while await remove_unclaimed(database, files, clock) == AT_ONCE:
                pass  # there may be more
        except (Unavailable, OSError) as error:
            log.warning("files that nobody uses wait for the next round", error=str(error))
        pause = asyncio.ensure_future(clock.sleep(EVERY))
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({pause, stopped}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        stopped.cancel()
