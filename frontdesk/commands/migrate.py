"""`frontdesk migrate`."""

import argparse
import asyncio

from frontdesk.core.connection import joined, wait_for
from frontdesk.core.revision import current, head
from frontdesk.core.settings import Settings
from frontdesk.migrations.upgrade import upgrade


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    with joined(settings) as url:
        asyncio.run(wait_for(url))
        before = asyncio.run(current(url))
        if before == head():
            print(f"The database is at the newest schema, {before}.")
            return 0
        upgrade(url)
        print(f"Migrated the database from {before or 'nothing'} to {head()}.")
    return 0
