"""A worker in a process of its own, with a scripted model: `python -m tests.flow.worker_process URL SCRIPT`.

SCRIPT is a JSON list, an entry per answer of the model: a text, `{"tool": …, "arguments": …}`, or null for never.
Each request of the model is told on stdout, so that a test can kill the process at a known point.
"""

import asyncio
import json
import signal
import sys

from pydantic_ai.messages import ModelMessage

from frontdesk.channels.playground import PLAYGROUND
from frontdesk.core.clock import SystemClock
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.jobs import Worker
from frontdesk.core.vault import Vault
from frontdesk.flow import Flow
from frontdesk.registry import make_registry
from frontdesk.resources.messaging import bulk_batches
from frontdesk.runtime.sweeper import sweep_for_ever
from frontdesk.runtime.thread import DOORBELL
from tests.flow.harness import Act, Models, Reply, Script, Toolbox, call


async def never(_: list[ModelMessage]) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


def told(entry: object, number: int) -> Act:
    async def act(messages: list[ModelMessage]) -> Reply:
        print("asked", number, flush=True)
        if entry is None:
            return await never(messages)
        if isinstance(entry, dict):
            return call(entry["tool"], **entry["arguments"])
        return str(entry)

    return act


async def main(url: str, entries: list[object]) -> None:
    clock, script, stopping = SystemClock(), Script(), asyncio.Event()
    script.say(*(told(entry, i) for i, entry in enumerate(entries)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with Database(url) as database:
        door = Door(database, make_registry(), clock, Vault("k" * 32))
        flow = Flow(door, Models(script), Toolbox(), {"playground": PLAYGROUND})
        print("ready", flush=True)
        async with asyncio.TaskGroup() as parts:
            handlers = {DOORBELL: flow.advance, bulk_batches.DOORBELL: bulk_batches.BulkWork(door).advance}
            parts.create_task(Worker(url, handlers).run(stopping))
            parts.create_task(sweep_for_ever(database, clock, stopping))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
