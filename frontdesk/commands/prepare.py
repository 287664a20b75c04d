"""What `frontdesk run` does before the first request: the schema, and the demo organization."""

import asyncio
import subprocess
import sys

from frontdesk.commands.card_files import CARD, NEXT_CARD
from frontdesk.core.halt import Halt
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings
from frontdesk.demo.card import make_card, read_card, write_card
from frontdesk.demo.organization import ensure_demo, find_demo
from frontdesk.registry import make_door


async def prepare(settings: Settings, url: str) -> None:
    """Raises Halt when the schema cannot be brought up to date."""
    if await current(url) != head():
        print("Preparing the database ...", flush=True)
        # In a process of its own: Alembic and all declarations are needed only this once.
        words = [sys.executable, "-m", "frontdesk", "migrate", "--quiet"]
        done = await asyncio.to_thread(subprocess.run, words, check=False)
        if done.returncode:
            raise Halt("The database could not be migrated; see the lines above.")
    await prepare_demo(settings, url)


async def prepare_demo(settings: Settings, url: str) -> None:
    door = make_door(settings, url)
    async with door.database as database:
        if settings.wants_demo:
            demo, password = await ensure_demo(door)
        else:
            async with database.system() as connection:
                demo, password = await find_demo(connection), None
        known = read_card(settings.data / CARD)
        # Empty without a demo: that the file is there tells that all is prepared.
        card = await make_card(door, demo, settings.public_url(), known, password) if demo else {}
        write_card(settings.data / NEXT_CARD, card)
