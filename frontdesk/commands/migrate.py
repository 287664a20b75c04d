"""`frontdesk migrate`."""

import argparse
import asyncio

from frontdesk.core.connection import joined, wait_for
from frontdesk.core.halt import Halt
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings
from frontdesk.migrations.upgrade import upgrade


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Raises Halt for a database that a newer Frontdesk has migrated."""
    with joined(settings) as url:
        asyncio.run(wait_for(url))
        before = asyncio.run(current(url))
        if before and before > head():
            raise Halt(f"The database is at schema {before}, newer than this Frontdesk's {head()}: update Frontdesk.")
        if before != head():
            upgrade(url)
    if not arguments.quiet:
        print(f"The database is at schema {head()}" + (f", migrated from {before}." if before != head() else "."))
    return 0
