"""What `frontdesk run` does before the first request: the schema, and the demo organization."""

import asyncio
import subprocess
import sys

from frontdesk.core.halt import Halt
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings


def prepare(settings: Settings, url: str) -> None:
    """Raises Halt when the schema cannot be brought up to date."""
    found = asyncio.run(current(url))
    if found != head():
        print("Preparing the database ...", flush=True)
        # In a process of its own: Alembic and all declarations are needed only this once.
        if subprocess.run([sys.executable, "-m", "frontdesk", "migrate", "--quiet"], check=False).returncode:
            raise Halt("The database could not be migrated; see the lines above.")
