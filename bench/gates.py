"""What the gates cost each inbound: the pure functions, the facts that they are given, and what they add to a turn."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import statements, tables
from bench.customers import Http
from bench.turn import House, house, run_ours
from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.clock import SystemClock
from frontdesk.core.database import Database
from frontdesk.demo import clinic
from frontdesk.runtime import evidence, thread
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import evaluate, facts_json

SHARE_TARGET = 5.0  # percent of a turn's CPU
EVERY_GATE = {
    "timezone": "America/Bogota",
    "schedule_config": {
        "enabled": True,
        "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}],
        "out_of_schedule": {"action": "message", "message": "We open at eight.", "once_per_hours": 4},
    },
    "human_handoff_config": {
        "enabled": True,
        "rules": [
            {"id": "words", "type": "keywords", "keywords": ["lawyer", "refund", "complaint", "talk to a person"]},
            {"id": "many", "type": "message_count", "count": 900},
            {"id": "files", "type": "attachment", "kinds": ["document"]},
            {"id": "stuck", "type": "no_answer"},
        ],
    },
    "advanced_options": {"budget": {"max_cost_per_conversation": 50, "max_cost_per_day": 5_000}},
}


@dataclass(frozen=True)
class Cost:
    """Of one inbound: microseconds of CPU of our process for gates and facts, statements for the facts."""

    pure: float
    stored: float
    facts: float
    facts_wall: float
    asked: int


@dataclass(frozen=True)
class Turns:
    """Per turn: seconds of CPU of our processes, and statements of the product and of the job engine."""

    cpu: float
    asked: float
    jobs: float


def timed(act: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU of one."""
    began = time.process_time()
    for _ in range(rounds):
        act()
    return (time.process_time() - began) / rounds * 1e6


async def timed_query(act: Callable[[], Awaitable[object]], rounds: int) -> tuple[float, float]:
    """Microseconds of one: CPU of this process, and wall time."""
    await act()
    began, started = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        await act()
    return (time.process_time() - began) / rounds * 1e6, (time.perf_counter() - started) / rounds * 1e6


async def cost_of(house: House, assistant_id: int, rounds: int) -> Cost:
    """Gates and facts of the newest conversation of an assistant, in this process."""
    organization_id, clock = house.seeded.organization_id, SystemClock()
    async with Database(house.url) as database, database.reading(organization_id) as connection:
        found = await connection.fetchval(
            "SELECT max(id) FROM conversations WHERE assigned_ai_assistant_id = $1", assistant_id
        )
        talk = await thread.read(connection, organization_id, found)
        config = await Assistants().current(connection, organization_id, assistant_id)
        assert talk is not None
        assert config is not None
        now = clock.now()
        facts = await evidence.collect(connection, talk, config, now)

        async def collect() -> Facts:
            return await evidence.collect(connection, talk, config, clock.now())

        before = (await statements.count(house.url))[0]
        await collect()
        asked = (await statements.count(house.url))[0] - before
        cpu, wall = await timed_query(collect, rounds)
    pure = timed(lambda: evaluate(config, facts, now), rounds * 5)
    return Cost(pure, timed(lambda: told(config, facts, now), rounds) - pure, cpu, wall, asked)


def told(config: AssistantConfig, facts: Facts, now: datetime) -> tuple[str, str]:
    """The gates, and what is stored of them: verdicts, facts, and the sentences in both languages."""
    decision = evaluate(config, facts, now)
    decision.explain("ENG")
    decision.explain("ESP")
    return json.dumps(decision.gates_json()), json.dumps(facts_json(facts))


async def run_turns(house: House, assistant_id: int, turns: int) -> Turns:
    house.assistant_id = assistant_id
    before = await statements.count(house.url)
    done = await run_ours(house, turns)
    after = await statements.count(house.url)
    return Turns(done.cpu, (after[0] - before[0]) / turns, (after[1] - before[1]) / turns)


async def with_every_gate(house: House) -> int:
    """A second assistant, whose every gate has something to look at."""
    http = Http(house.port, house.key)
    models = await http.call("GET", "/ai-models")
    first = models["data"][0]["id"]  # type: ignore[index]
    body = {**clinic.ASSISTANT, **EVERY_GATE, "name": "Every gate", "ai_model_id": first}
    made = await http.call("POST", "/ai-assistants", body)
    http.close()
    return int(str(made["id"]))


def measure(quick: bool) -> str:
    """The section of RESULTS.md."""
    rounds, turns, queries = (2, 10, 200) if quick else (5, 30, 1_000)
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name, house(Path(name), statements.OPTIONS) as run:
        kinds = {"no rules": run.assistant_id, "every gate in use": asyncio.run(with_every_gate(run))}
        taken: dict[str, list[Turns]] = {title: [] for title in kinds}
        for id in kinds.values():
            asyncio.run(run_turns(run, id, turns))
        for _ in range(rounds):
            for title, id in kinds.items():
                taken[title].append(asyncio.run(run_turns(run, id, turns)))
        costs = {title: asyncio.run(cost_of(run, id, queries)) for title, id in kinds.items()}
    return render(taken, costs, rounds, turns)


def render(taken: dict[str, list[Turns]], costs: dict[str, Cost], rounds: int, turns: int) -> str:
    rows, shares = [], []
    for title, cost in costs.items():
        cpu = tables.middle(one.cpu for one in taken[title]) * 1e6
        shares.append((cost.pure + cost.stored + cost.facts) / cpu * 100)
        rows.append(
            (title, f"{cost.pure:.0f}", f"{cost.stored:.0f}", f"{cost.asked}", f"{cost.facts:.0f}",
             f"{cost.facts_wall:.0f}", f"{cpu / 1000:.1f}", f"{shares[-1]:.1f} %",
             f"{tables.middle(one.asked for one in taken[title]):.0f}")
        )  # fmt: skip
    return "\n\n".join([
        "## Gates: what it costs to decide about an inbound",
        f"Gates and facts alone in one process, the turns over HTTP ({rounds} rounds of {turns} per assistant, taking "
        "turns). A turn is one inbound with a tool call and a reply; its statements are those of all processes, with "
        "BEGIN and COMMIT, without the job engine's.",
        tables.table(
            ("an assistant with", "gates, µs of CPU", "verdicts and sentences, µs", "statements for facts",
             "facts, µs of CPU", "facts, µs of wall time", "a turn, ms of CPU", "share of the turn's CPU",
             "statements per turn"),
            rows,
        ),
        f"- Gates and facts take at most {tables.against(max(shares), SHARE_TARGET, ' %', digits=1)} of a turn's CPU.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
