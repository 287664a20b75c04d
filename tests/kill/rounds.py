"""Rounds of kill -9 under load: one process of a running installation each time, at a moment of a seed's choice.

Every few rounds the customers fall silent, everything must come to rest within `RESTS_WITHIN` of the last kill, and the
rules must hold. The seed decides whom and when; what the machine does meanwhile it does not decide, so that a seed
makes a fault likely again and not certain.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sized
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from frontdesk.core.postgres import EmbeddedPostgres
from tests.kill.customers import Customer, Phone, Visitor
from tests.kill.outside import NOTE, READ, Outside, pause
from tests.kill.rules import AWAY, Book, faults, given_up, is_at_rest
from tests.process.frontdesk_process import Frontdesk, running
from tests.serving import serving

VISITORS, PHONES = 6, 6
PER_REST = 10  # rounds between two looks at everything
PAUSE = (0.0, 3.0)  # seconds before a kill
IN_RECOVERY = 0.3  # of the kills come whatever the one before has left; the others when turns run again
RUNS_WITHIN = 12.0  # seconds that those wait at most
RESTS_WITHIN = 90.0  # seconds after the last kill, on a busy machine; leases and heartbeats of the dead end within 15
HEARD_WITHIN = 30.0  # seconds until an open stream has caught up, once pages can be read
LAST_LINES = 60  # of the log, beside a fault
VICTIMS = {
    "serve": "the HTTP process",
    "worker": "the worker",
    "postgres": "PostgreSQL's first process",
    "backend": "another process of PostgreSQL",
}


class Broken(AssertionError):
    """A rule did not hold."""


@dataclass(frozen=True)
class Kill:
    round: int
    victim: str
    at: float

    def __str__(self) -> str:
        moment = time.strftime("%H:%M:%S", time.gmtime(self.at)) + f"{self.at % 1:.3f}"[1:]
        return f"round {self.round}: {self.victim} at {moment} UTC"


@dataclass
class Tally:
    """What the rounds came to."""

    kills: list[Kill] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)  # seconds from the end of the load until nothing was left
    waits: list[float] = field(default_factory=list)  # seconds from a message that was taken to its answer
    counts: Counter[str] = field(default_factory=Counter)


@dataclass
class Siege:
    """One installation, its customers, and who kills."""

    frontdesk: Frontdesk
    outside: Outside
    customers: list[Customer]
    seed: int
    chance: random.Random
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)

    @property
    def url(self) -> str:
        return EmbeddedPostgres(self.frontdesk.data).url

    async def run(self, rounds: int) -> Tally:
        while (done := len(self.tally.kills)) < rounds:
            await self.batch(min(PER_REST, rounds - done))
        return self.tally

    async def batch(self, rounds: int) -> None:
        """Some rounds under load, then silence, then the rules."""
        stopping = asyncio.Event()
        talks = [asyncio.create_task(customer.talk(stopping)) for customer in self.customers]
        try:
            for victim in victims(rounds, self.chance):
                if self.chance.random() > IN_RECOVERY:
                    await self.until_a_turn_runs()
                await pause(self.chance.uniform(*PAUSE))
                await self.kill(victim)
        finally:
            stopping.set()
        silent = time.monotonic()
        await asyncio.wait(talks, timeout=RESTS_WITHIN)
        for customer, talk in zip(self.customers, talks, strict=True):
            if talk.done():
                talk.result()
            else:
                customer.faults.append(f"nobody took what {customer.name} wrote within {RESTS_WITHIN:g} s")
                talk.cancel()
        while not await is_at_rest(self.url) and time.monotonic() - silent < RESTS_WITHIN:
            await pause(0.1)  # what is left after this, the rules tell
        self.tally.rests.append(time.monotonic() - silent)
        self.say(f"{self.tally.kills[-1]}; at rest after {self.tally.rests[-1]:.1f} s")
        await self.check()

    async def until_a_turn_runs(self) -> None:
        asked, deadline = self.outside.asked, time.monotonic() + RUNS_WITHIN
        while self.outside.asked == asked and time.monotonic() < deadline:
            await pause(0.02)

    async def kill(self, victim: str) -> None:
        process = await self.find(victim)
        while process is None:  # it is on its way back from the round before
            await pause(0.02)
            process = await self.find(victim)
        with suppress(psutil.NoSuchProcess):
            process.kill()
        self.tally.kills.append(Kill(len(self.tally.kills) + 1, victim, time.time()))

    async def find(self, victim: str) -> psutil.Process | None:
        """A process of this installation, by its supervisor's children or its data folder."""
        if victim in ("serve", "worker"):
            return self.frontdesk.child(victim)
        postmaster = self.frontdesk.postmaster()
        if postmaster is None or victim == "postgres":
            return postmaster
        with suppress(psutil.NoSuchProcess):
            backends = postmaster.children()
            return self.chance.choice(backends) if backends else None
        return None

    async def check(self) -> None:
        try:
            book = await Book.read(self.url)
        except AWAY as error:
            raise self.broken([f"the database is away ({error})"]) from error
        accepted, excused = {token for customer in self.customers for token in customer.accepted}, given_up(book)
        found = [*faults(book, self.outside, accepted), *self.outside.faults]
        for customer in self.customers:
            found += customer.faults
            if isinstance(customer, Visitor):
                found += await stream_faults(customer)
            waiting = [token for token in customer.accepted if token not in excused]
            if not await customer.until_answered(waiting, HEARD_WITHIN):
                found.append(f"{customer.name} waits for {sorted(set(waiting) - customer.answered.keys())}")
        if found:
            raise self.broken(found)
        self.count(book)

    def broken(self, found: list[str]) -> Broken:
        kills = [f"FRONTDESK_KILL_SEED={self.seed}, what was killed:", *map(str, self.tally.kills)]
        return Broken("\n".join([*kills, "what is wrong:", *found, *self.log()]))

    def log(self) -> list[str]:
        """What the processes said last that was no ordinary line."""
        lines = [line for line in self.frontdesk.said().splitlines() if '"level":"info"' not in line.replace(" ", "")]
        return ["what the processes said last:", *lines[-LAST_LINES:]]

    def count(self, book: Book) -> None:
        tally, turns = self.tally, book["turns"]
        tally.waits = [c.answered[t] - at for c in self.customers for t, at in c.accepted.items() if t in c.answered]
        statuses = sum((customer.statuses for customer in self.customers), Counter[int]())
        tally.counts = Counter({
            "messages": sum(len(customer.accepted) for customer in self.customers),
            "messages of conversations given up after too many kills": len(given_up(book)),
            "turns": len(turns),
            "turns that were gone on with by another process": sum(int(str(turn["attempts"])) > 1 for turn in turns),
            "requests without an answer": statuses.pop(0, 0),
            "requests that were refused for a moment": statuses.total(),
            "parts that the provider was given again": again(self.outside.accepted.values()),
            "keyed calls that were made again": again(self.outside.booked.values()),
            "calls whose outcome stayed unknown": sum(row["status"] == "unknown" for row in book["calls"]),
            "streams that were opened again": sum(c.opened - 1 for c in self.customers if isinstance(c, Visitor)),
        })  # fmt: skip


def victims(rounds: int, chance: random.Random) -> list[str]:
    """All in turn, each time in another order."""
    named: list[str] = []
    while len(named) < rounds:
        named += chance.sample(list(VICTIMS), len(VICTIMS))
    return named[:rounds]


def again(groups: Iterable[Sized]) -> int:
    return sum(len(group) - 1 for group in groups)


async def stream_faults(visitor: Visitor) -> list[str]:
    """The open stream told all that a newly opened page shows."""
    async with asyncio.timeout(RESTS_WITHIN):
        history = await visitor.history()
    deadline = time.monotonic() + HEARD_WITHIN
    while visitor.seen != history and time.monotonic() < deadline:
        await pause(0.05)
    if visitor.seen == history:
        return []
    return [f"the stream of {visitor.name} told {visitor.seen}, its history has {history}"]


@asynccontextmanager
async def besieged(data: Path, seed: int, say: Callable[[str], None]) -> AsyncIterator[Siege]:
    """An installation in the folder `data`, and customers who have come and not written yet."""
    chance, outside = random.Random(seed), Outside(random.Random(seed))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(outside.app()))
        frontdesk = stack.enter_context(running(data, **settings(url)))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=5, limits=WIDE))
        chat, phone = await furnish(frontdesk, url)
        of_customers = [(http, outside, random.Random(seed * 100 + n)) for n in range(VISITORS + PHONES)]
        visitors = [Visitor(f"web{n}", *of_customers[n], url=chat) for n in range(VISITORS)]
        phones = [
            Phone(f"phone{n}", *of_customers[VISITORS + n], url=phone, number=f"3460011122{n}") for n in range(PHONES)
        ]
        for visitor in visitors:
            await visitor.enter()
        listening = [asyncio.create_task(visitor.listen()) for visitor in visitors]
        try:
            yield Siege(frontdesk, outside, [*visitors, *phones], seed, chance, say)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)


WIDE = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # a new connection for each request


async def furnish(frontdesk: Frontdesk, outside: str) -> tuple[str, str]:
    """An assistant with tools of every kind on a web chat and on WhatsApp; gives where customers write."""
    headers = {"x-api-key": json.loads((frontdesk.data / "demo.json").read_text("utf-8"))["api_key"]}
    async with httpx.AsyncClient(base_url=frontdesk.base_url, headers=headers, timeout=30) as client:

        async def create(path: str, **body: object) -> dict[str, object]:
            response = await client.post(f"/{path}", json=body)
            assert response.is_success, response.text
            return response.json()  # type: ignore[no-any-return]

        tools = []
        for name, path, takes_key in (("Book visit", "visits", True), ("Send parcel", "parcels", False)):
            made = await create(
                "api-tools", name=name, description="Does it.", method="POST",
                endpoint=f"{outside}/{path}", body_parameters=[{"name": "token", "required": True}],
                takes_idempotency_key=takes_key,
            )  # fmt: skip
            tools.append({"api_tool_id": made["id"], "when_to_use": "always"})
        models = (await client.get("/ai-models")).json()["data"]
        assistant = await create(
            "ai-assistants", name="Vera", assistant_type="conversation", instructions="Answer.",
            ai_model_id=models[0]["id"], internal_tools={"tools": {NOTE: True, READ: True}}, api_tools=tools,
            access_permissions_contact="read_write",
            response_config={"mode": "multi", "max_messages": 3, "delay_seconds": {"min": 0, "max": 1}},
        )  # fmt: skip
        limits = {"visitor_per_minute": 600, "key_per_minute": 100_000}
        chat = await create(
            "inbox-channels", channel="webchat", name="Chat", ai_assistant_id=assistant["id"], limits=limits
        )
        phone = await create(
            "inbox-channels", channel="whatsapp", name="WhatsApp", provider="fake", ai_assistant_id=assistant["id"]
        )
    base = frontdesk.base_url
    return f"{base}/webchat/{chat['public_key']}", f"{base}/channels/fake/{phone['public_key']}"


def settings(outside: str) -> dict[str, str]:
    """Of an installation that has its model, its provider and the other system at one address."""
    return {
        "FRONTDESK_MODEL": "kill",
        "FRONTDESK_OPENAI_BASE_URL": f"{outside}/v1",
        "FRONTDESK_EGRESS_ALLOW": outside.removeprefix("http://"),
        "FRONTDESK_FAKE_PROVIDER": outside,
        "FRONTDESK_ADDRESS_LIMITS": "0",
    }
