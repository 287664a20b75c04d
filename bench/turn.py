"""The whole durable turn, one tool call in it, against a bare Pydantic AI run in memory; then many at once.

A turn counts from the request that brings the customer's message to the stored and delivered reply. The model is a
local server that answers at once (or after a second, for the throughput); both sides send it the same prompt and tools.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench import installation, processes, tables
from bench.customers import Customers, Http
from frontdesk.demo import clinic

CPU_TARGET, LATENCY_TARGET, MEMORY_TARGET = 2.5, 25.0, 1.0  # ratio, ms, MiB
# What the first benchmark of all gave (2026-11-22, 10:50 UTC), before receipts, approvals, budgets and follow-ups.
FIRST_RATIO, FIRST_ADDED, GROWTH = 1.76, 24.5, 1.2  # ratio, ms, and by how much the overhead may grow
AT_ONCE = (1, 10, 100, 1_000)
MODEL_SECONDS = 1.0  # of a whole turn, which asks the model twice
STORED = 10_000  # conversations


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    turns: int
    seconds: float
    stored: int


@dataclass
class House:
    """One running installation, and the model's server."""

    url: str
    port: int
    key: str
    model: str
    http: psutil.Process
    worker: psutil.Process
    postmaster: psutil.Process
    seeded: installation.Seeded
    assistant_id: int = 0

    @asynccontextmanager
    async def customers(self) -> AsyncIterator[Customers]:
        contact = self.seeded.contacts.start
        http = Http(self.port, self.key)
        async with Customers(http, self.url, self.seeded.organization_id, contact, self.assistant_id) as customers:
            yield customers

    def used(self) -> tuple[float, float]:
        """Seconds of CPU until now: of our two processes, and of PostgreSQL."""
        return processes.cpu([self.http, self.worker]), processes.backends(self.postmaster)

    def delay(self, seconds: float) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{self.model}/delay/{seconds}", method="POST")).close()


@dataclass
class Round:
    """The turns of one round on one side: seconds of CPU per turn, and wall times in seconds."""

    cpu: float
    walls: list[float]
    database: float = 0.0


@dataclass
class Overhead:
    """Both sides' rounds, taken in turns."""

    ours: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)


@contextmanager
def house(folder: Path, options: Mapping[str, str] | None = None) -> Iterator[House]:
    """All of it; `options` are settings of PostgreSQL."""
    with ExitStack() as stack:
        url, postmaster = stack.enter_context(installation.database(folder, options))
        key, port, model_port = f"fd_{secrets.token_urlsafe(32)}", processes.free_port(), processes.free_port()
        seeded = asyncio.run(installation.seed(url, key, 10))
        model = f"http://127.0.0.1:{model_port}"
        env = installation.variables(
            url,
            folder,
            FRONTDESK_PORT=str(port),
            FRONTDESK_MODEL="bench",
            FRONTDESK_OPENAI_BASE_URL=f"{model}/v1",
            FRONTDESK_EGRESS_ALLOW=f"127.0.0.1:{model_port}",
            FRONTDESK_ADDRESS_LIMITS="0",
        )
        words = [sys.executable, "-m", "bench.model_server", str(model_port)]
        served = stack.enter_context(processes.started(words, env, folder / "model.log"))
        processes.wait_for(served, f"{model}/v1/models", folder / "model.log")
        http = stack.enter_context(processes.started(processes.frontdesk("serve"), env, folder / "http.log"))
        worker = stack.enter_context(processes.started(processes.frontdesk("worker"), env, folder / "worker.log"))
        processes.wait_for(http, f"http://127.0.0.1:{port}/health", folder / "http.log")
        made = House(url, port, key, model, http, worker, postmaster, seeded)
        made.assistant_id = asyncio.run(make_assistant(made))
        yield made


async def make_assistant(house: House) -> int:
    """The demo clinic's receptionist, with its nine tools and its guided prompt."""
    http = Http(house.port, house.key)
    models = await http.call("GET", "/ai-models")
    first = models["data"][0]["id"]  # type: ignore[index]
    made = await http.call("POST", "/ai-assistants", {**clinic.ASSISTANT, "ai_model_id": first})
    http.close()
    return int(str(made["id"]))


class Bare:
    """The process of `bare_turn.py`."""

    def __init__(self, model: str) -> None:
        words = [sys.executable, "-m", "bench.bare_turn", model]
        self.process = subprocess.Popen(
            words, cwd=processes.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdin
        assert self.process.stdout
        self.asked, self.told = self.process.stdin, self.process.stdout
        self.told.readline()

    def run(self, turns: int) -> Round:
        print(turns, file=self.asked, flush=True)
        done = json.loads(self.told.readline())
        return Round(done["cpu"] / turns, done["walls"])

    def close(self) -> None:
        self.asked.close()
        self.process.wait(30)
        self.told.close()


async def run_ours(house: House, turns: int) -> Round:
    """Turns one after the other, each in a conversation of its own, as the bare run has no history either."""
    async with house.customers() as customers:
        ours, database = house.used()
        walls = [(await customers.ask())[1] for _ in range(turns)]
        now_ours, now_database = house.used()
    return Round((now_ours - ours) / turns, walls, (now_database - database) / turns)


def measure_overhead(house: House, extent: Extent) -> Overhead:
    found = Overhead()
    asyncio.run(run_ours(house, extent.turns))
    bare = Bare(house.model)
    try:
        bare.run(extent.turns)
        for _ in range(extent.rounds):
            found.ours.append(asyncio.run(run_ours(house, extent.turns)))
            found.bare.append(bare.run(extent.turns))
    finally:
        bare.close()
    return found


async def talk(customers: Customers, until: float, ended: list[float]) -> None:
    """One customer who writes again as soon as the reply is there."""
    conversation = None
    while time.monotonic() < until:
        conversation, _ = await customers.ask(conversation)
        ended.append(time.monotonic())


async def run_many(house: House, number: int, seconds: float) -> tuple[float, float, float]:
    """Turns per second with `number` conversations at once; the cores that we and PostgreSQL used meanwhile."""
    ended: list[float] = []
    async with house.customers() as customers:
        began, (ours, database) = time.monotonic(), house.used()
        talks = [asyncio.create_task(talk(customers, began + seconds, ended)) for _ in range(number)]
        await asyncio.gather(*talks)
        took, (now_ours, now_database) = time.monotonic() - began, house.used()
    return len(ended) / took, (now_ours - ours) / took, (now_database - database) / took


def measure_throughput(house: House, seconds: float) -> list[tuple[str, ...]]:
    house.delay(MODEL_SECONDS / 2)
    rows = []
    for number in AT_ONCE:
        rate, ours, database = asyncio.run(run_many(house, number, seconds))
        rows.append((f"{number:,}", f"{rate:.1f}", f"{number / MODEL_SECONDS:,.0f}", f"{ours:.2f}", f"{database:.2f}"))
    house.delay(0)
    return rows


async def store(house: House, number: int) -> None:
    """Conversations with one message each, ten requests at a time."""
    async with house.customers() as customers:
        waiting = iter(range(number))

        async def write() -> None:
            for _ in waiting:
                await customers.write()

        await asyncio.gather(*(write() for _ in range(10)))


def measure_memory(house: House, stored: int) -> float:
    """MiB by which the HTTP process grows when that many conversations are stored, once it is warm."""
    asyncio.run(store(house, stored // 5))
    before = processes.memory([house.http])
    asyncio.run(store(house, stored))
    return processes.memory([house.http]) - before


def measure(quick: bool) -> str:
    """The tables of RESULTS.md."""
    extent = Extent(2, 15, 4.0, 500) if quick else Extent(7, 40, 15.0, STORED)
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name, house(Path(name)) as running:
        overhead = measure_overhead(running, extent)
        throughput = measure_throughput(running, extent.seconds)
        sizes = [processes.memory([process]) for process in (running.http, running.worker)]
        running.worker.suspend()  # what is stored for the memory's sake is not answered
        try:
            grown = measure_memory(running, extent.stored)
        finally:
            running.worker.resume()
    return render(overhead, throughput, grown, sizes, extent)


def compared(what: str, first: float, now: float, unit: str) -> tuple[str, ...]:
    """A line: the first figure, how much it may be, what it is now."""
    digits = 2 if unit == "×" else 1
    shown = [f"{figure:.{digits}f}{unit}" for figure in (first, first * GROWTH, now)]
    return (what, *shown, f"{now / first - 1:+.0%}", "holds" if now <= first * GROWTH else "**missed**")


def milliseconds(values: Iterable[float]) -> float:
    return tables.middle(values) * 1000


def render(
    overhead: Overhead, throughput: list[tuple[str, ...]], grown: float, sizes: list[float], extent: Extent
) -> str:
    ours, bare = overhead.ours, overhead.bare
    ratios = [a.cpu / b.cpu for a, b in zip(ours, bare, strict=True)]
    walls = [milliseconds(wall for r in side for wall in r.walls) for side in (ours, bare)]
    rows = [
        ("Frontdesk", milliseconds(r.cpu for r in ours), milliseconds(r.database for r in ours), walls[0]),
        ("bare Pydantic AI", milliseconds(r.cpu for r in bare), 0.0, walls[1]),
    ]
    ratio = tables.against(tables.middle(ratios), CPU_TARGET)
    added = tables.against(walls[0] - walls[1], LATENCY_TARGET, " ms", digits=1)
    growth = tables.against(grown, MEMORY_TARGET, " MiB")
    since = [
        compared("CPU beyond the bare run's, of the bare run's", FIRST_RATIO - 1, tables.middle(ratios) - 1, "×"),
        compared("added latency, p50", FIRST_ADDED, walls[0] - walls[1], " ms"),
    ]
    return "\n\n".join(
        [
            "## Turn: a message in, a tool call, the reply stored and delivered",
            f"{extent.rounds} rounds of {extent.turns} turns per side, taking turns; one HTTP process and one worker "
            "against one process that keeps everything in memory; same prompt, tools and model, streaming.",
            tables.table(
                ("per turn, ms", "CPU", "PostgreSQL CPU", "p50 wall"),
                [(name, *(f"{figure:.1f}" for figure in figures)) for name, *figures in rows],
            ),
            f"- CPU of our processes to the bare run's: {ratio}; rounds {min(ratios):.2f}–{max(ratios):.2f}.\n"
            f"- Added latency with one conversation, p50: {added}.",
            f"The overhead may grow by {GROWTH - 1:.0%} against the first benchmark, whatever is added to a turn:",
            tables.table(("overhead of a durable turn", "first", "at most", "now", "against the first", ""), since),
            f"A model that takes {MODEL_SECONDS:g} s per turn, one worker, each customer writing again at once:",
            tables.table(
                ("conversations at once", "turns/s", "if all were waiting", "our cores", "PostgreSQL's cores"),
                throughput,
            ),
            f"- {extent.stored:,} more stored conversations without an open page: the HTTP process grows by {growth}.\n"
            f"- Resident memory after the turns above: HTTP {sizes[0]:.0f} MiB, worker {sizes[1]:.0f} MiB.",
        ]
    )


def unable() -> str | None:
    """Why this benchmark cannot run here; None when it can."""
    return None
