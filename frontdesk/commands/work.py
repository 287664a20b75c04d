"""`frontdesk worker`: one worker process, alone or under the supervisor."""

import argparse
import asyncio
import signal

import uvloop

from frontdesk.commands.prepare import prepare
from frontdesk.core import logs
from frontdesk.core.connection import joined, wait_for
from frontdesk.core.settings import Settings
from frontdesk.worker import run_worker


def work(settings: Settings, arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, then finish what was begun, within the supervisor's patience."""
    logs.configure()
    with joined(settings) as url, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_told(settings, url, prepares=arguments.prepare))
    return 0


async def until_told(settings: Settings, url: str, *, prepares: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(start(settings, url, prepares=prepares))
    told = asyncio.create_task(stopping.wait())
    await asyncio.wait([starting, told], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return
    await starting
    await run_worker(settings, url, stopping)
    told.cancel()


async def start(settings: Settings, url: str, *, prepares: bool) -> None:
    await wait_for(url)
    if prepares:
        await prepare(settings, url)
