"""One event to a thousand open streams of one organization: how late it is at each, and what the streams cost.

One HTTP process as it ships. The listeners are plain sockets in this process, so their own work is in the delays.
"""

from __future__ import annotations

import asyncio
import resource
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import installation, processes, tables
from bench.customers import Http

LISTENERS = 1_000
FILES = 4_096  # open files that both processes may have
EVERY = 0.5  # seconds between two events
PATIENCE = 30.0
MARK = b'"type":"contacts.created"'
# The reader looks five times a second, so half of that is waited on average.
P99_TARGET = 1_000.0  # ms


@dataclass
class Crowd:
    """All listeners: when each event came to each."""

    arrived: list[float] = field(default_factory=list)
    ready: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while max(len(self.arrived), self.ready) < count:
                self.changed.clear()
                await self.changed.wait()


class Listener(asyncio.Protocol):
    """One stream; knows just enough HTTP to ask and to see an event go by."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd, self.request, self.seen = crowd, request, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.seen += data
        if b"event: ready" in self.seen:
            self.crowd.ready += 1
            self.seen = b""
        elif MARK in self.seen:
            self.crowd.arrived.append(time.monotonic())
            self.seen = b""
        else:
            return
        self.crowd.changed.set()


@dataclass(frozen=True)
class Found:
    """Delays in ms, one per listener and event; CPU in ms per event; memory in KiB per listener."""

    delays: Sequence[float]
    cpu: float
    idle_cpu: float
    memory: float
    opened: float


async def listen(url: str, port: int, key: str, http: psutil.Process, events: int) -> Found:
    loop, crowd = asyncio.get_running_loop(), Crowd()
    request = f"GET /events HTTP/1.1\r\nhost: bench\r\nx-api-key: {key}\r\n\r\n".encode()
    before, started = processes.memory([http]), time.monotonic()
    transports = []
    for _ in range(LISTENERS):
        transport, _ = await loop.create_connection(lambda: Listener(crowd, request), "127.0.0.1", port)
        transports.append(transport)
    await crowd.wait_until(LISTENERS)
    opened = time.monotonic() - started
    memory = (processes.memory([http]) - before) * 1024 / LISTENERS
    crowd.ready = 0
    idle = processes.cpu([http])
    await asyncio.sleep(events * EVERY)
    idle = processes.cpu([http]) - idle
    spent, delays = processes.cpu([http]), list[float]()
    client = Http(port, key)
    for number in range(events):
        crowd.arrived.clear()
        await client.call("POST", "/contacts", {"first_name": f"Contact {number}"})
        committed = time.monotonic()
        await crowd.wait_until(LISTENERS)
        delays += [(moment - committed) * 1000 for moment in crowd.arrived]
        # At no fixed distance to the reader's rounds.
        await asyncio.sleep(EVERY * secrets.randbelow(1000) / 1000)
    client.close()
    spent = processes.cpu([http]) - spent
    for transport in transports:
        transport.close()
    return Found(delays, spent * 1000 / events, idle * 1000 / (events * EVERY), memory, opened)


def measure(quick: bool) -> str:
    """The tables of RESULTS.md."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    events, key, port = 10 if quick else 60, f"fd_{secrets.token_urlsafe(32)}", processes.free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url, _ = stack.enter_context(installation.database(folder))
        asyncio.run(installation.seed(url, key, 10))
        env = installation.variables(url, folder, FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
        log = folder / "frontdesk.log"
        http = stack.enter_context(processes.started(processes.frontdesk("serve"), env, log))
        processes.wait_for(http, f"http://127.0.0.1:{port}/contacts", log, {"x-api-key": key})
        found = asyncio.run(listen(url, port, key, http, events))
    return render(found, events)


def render(found: Found, events: int) -> str:
    delays = sorted(found.delays)
    p50, p99 = (delays[round((len(delays) - 1) * part)] for part in (0.5, 0.99))
    rows = [
        ("delay from commit to listener, p50", f"{p50:.0f} ms"),
        ("delay, p99", tables.against(p99, P99_TARGET, " ms", digits=0)),
        ("delay, the last of all", f"{delays[-1]:.0f} ms"),
        ("CPU of the HTTP process per event, with its POST", f"{found.cpu:.1f} ms"),
        ("CPU of the HTTP process per second of silence", f"{found.idle_cpu:.1f} ms"),
        ("memory of the HTTP process per listener", f"{found.memory:.0f} KiB"),
        (f"time to open {LISTENERS:,} streams", f"{found.opened:.1f} s"),
    ]
    return "\n\n".join(
        [
            f"## Live events: one event to {LISTENERS:,} listeners",
            f"One organization, one HTTP process, {events} events of one write each at random moments. The process "
            "asks for new events every 200 ms, with one query for all streams; no stream holds a connection.",
            tables.table(("", "figure"), rows),
        ]
    )


def unable() -> str | None:
    """Why this benchmark cannot run here; None when it can."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY or hard >= FILES else f"only {hard} files may be open"
