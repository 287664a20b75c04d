"""Thousands of follow-ups that fall due at the same moment, while other customers write and want their answers.

Each is checked against the live state under its conversation's lock; a fifth is cancelled, because the contact opted
out. The ordinary customers' latency before and meanwhile tells whether they starve.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import asyncpg

from bench import processes, statements, tables
from bench.customers import Customers, Http
from bench.turn import House, house
from frontdesk.demo import clinic

NUMBER, CUSTOMERS = 10_000, 3
PAUSE = 0.25  # seconds between an answer and the customer's next message
BEFORE = 10.0  # seconds of ordinary customers alone
LEAD = 3.0  # seconds until what is stored falls due
PATIENCE = 150.0  # seconds for all
TIME_TARGET, SLOWER_TARGET = 60.0, 3.0  # seconds until all are done; the p95 of ordinary customers against before
RULE = {"id": "f1", "after_minutes": 60, "mode": "fixed", "message": "Shall we keep your place?"}
FOLLOW_UP_CONFIG = {"enabled": True, "rules": [{**RULE, "only_in_schedule": False}]}

CONTACTS = """
    INSERT INTO contacts (organization_id, first_name, last_name, system_type, opted_out_at, created_at, updated_at)
    SELECT $1, 'Lena', 'Due ' || i, 'contact', CASE WHEN i % 5 = 0 THEN now() END, now(), now()
    FROM generate_series(1, $2::int) i RETURNING id
"""
TALKS = """
    INSERT INTO conversations (organization_id, contact_id, channel, kind, status, assigned_ai_assistant_id,
        ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position, unread_count,
        last_interaction_at, created_at, updated_at)
    SELECT $1, id, 'playground', 'conversation', 'open', $2, false, false, true, 1, 1, 2, 0, now(), now(), now()
    FROM contacts WHERE organization_id = $1 AND first_name = 'Lena'
"""
MESSAGES = """
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
        message_type, message_text, status, created_at, updated_at)
    SELECT c.organization_id, c.id, p, c.channel, 'conversation', d, s, 'text', 'Of course.', 'stored', now(), now()
    FROM conversations c, (VALUES (1, 'inbound', 'contact'), (2, 'outbound', 'assistant')) AS m(p, d, s)
    WHERE c.organization_id = $1 AND c.assigned_ai_assistant_id = $2
"""
FOLLOW_UPS = """
    INSERT INTO ai_follow_ups (organization_id, conversation_id, ai_assistant_id, rule_id, config_version, mode, status,
        due_at, rings_at, answered_at, answer_turn_id, epoch, episode, stops_on_reply, created_at, updated_at)
    SELECT c.organization_id, c.id, $2, 'f1', 1, 'fixed', 'scheduled', d, d, d - interval '1 hour', c.id, 1, 1, true,
        now(), now()
    FROM conversations c, LATERAL (SELECT now() + make_interval(secs => $3) AS d) AS due
    WHERE c.organization_id = $1 AND c.assigned_ai_assistant_id = $2
"""
STATES = "SELECT status, count(*) FROM ai_follow_ups GROUP BY status"


@dataclass(frozen=True)
class Use:
    """CPU seconds of our processes and of PostgreSQL, statements of the product and of the job engine."""

    cpu: float
    database: float
    asked: float
    jobs: float

    def less(self, other: Use, times: float = 1.0) -> Use:
        return Use(*(a - b * times for a, b in zip(astuple(self), astuple(other), strict=True)))


async def used(house: House) -> Use:
    """Until now."""
    return Use(*house.used(), *await statements.count(house.url))


@dataclass
class Flood:
    """Seconds from the due moment on; latencies of ordinary customers in seconds."""

    checked: float = 0.0
    done: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    use: Use = Use(0, 0, 0, 0)
    memory: tuple[float, float] = (0.0, 0.0)  # of the worker before, and at most
    before: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)


async def make_assistant(house: House) -> int:
    """One that reminds by a fixed text."""
    http = Http(house.port, house.key)
    models = await http.call("GET", "/ai-models")
    first = models["data"][0]["id"]  # type: ignore[index]
    body = {**clinic.ASSISTANT, "name": "Reminds", "ai_model_id": first, "follow_up_config": FOLLOW_UP_CONFIG}
    made = await http.call("POST", "/ai-assistants", body)
    http.close()
    return int(str(made["id"]))


async def fill(connection: asyncpg.Connection, organization_id: int, assistant_id: int, number: int) -> None:
    """Answered conversations without an answer of the customer, as the spine leaves them."""
    await connection.execute(CONTACTS, organization_id, number)
    await connection.execute(TALKS, organization_id, assistant_id)
    await connection.execute(MESSAGES, organization_id, assistant_id)
    await connection.execute("VACUUM ANALYZE")


async def chat(customers: Customers, walls: list[float], until: asyncio.Event) -> None:
    """A customer who goes on writing into one conversation."""
    conversation = None
    while not until.is_set():
        conversation, wall = await customers.ask(conversation)
        walls.append(wall)
        await asyncio.sleep(PAUSE)


async def chat_for(customers: Customers, walls: list[float], until: asyncio.Event) -> None:
    await asyncio.gather(*(chat(customers, walls, until) for _ in range(CUSTOMERS)))


async def watch(connection: asyncpg.Connection, house: House, found: Flood) -> None:
    """Until every follow-up has its end."""
    began = time.monotonic()
    while True:
        found.states = dict(await connection.fetch(STATES))
        passed = time.monotonic() - began
        found.memory = (found.memory[0], max(found.memory[1], processes.memory([house.worker])))
        if not found.checked and not found.states.get("scheduled"):
            found.checked = passed
        if not found.states.get("scheduled") and not found.states.get("sending"):
            found.done = passed
            return
        if passed > PATIENCE:
            raise RuntimeError(f"not all have ended: {found.states}")
        await asyncio.sleep(0.25)


async def flood(house: House, number: int, before: float) -> Flood:
    found, organization_id = Flood(), house.seeded.organization_id
    assistant_id = await make_assistant(house)
    connection = await asyncpg.connect(house.url)
    try:
        await fill(connection, organization_id, assistant_id, number)
        async with house.customers() as customers:
            await customers.ask()
            stop, began = asyncio.Event(), await used(house)
            asyncio.get_running_loop().call_later(before, stop.set)
            await chat_for(customers, found.before, stop)
            ordinary = (await used(house)).less(began)
            found.memory = (processes.memory([house.worker]), 0.0)
            await connection.execute(FOLLOW_UPS, organization_id, assistant_id, LEAD)
            await asyncio.sleep(LEAD)
            began, stop = await used(house), asyncio.Event()
            chats = asyncio.create_task(chat_for(customers, found.meanwhile, stop))
            await watch(connection, house, found)
            whole, answers = (await used(house)).less(began), len(found.meanwhile)
            stop.set()
            await chats
    finally:
        await connection.close()
    # What the ordinary answers cost before is what they cost meanwhile.
    found.use = whole.less(ordinary, answers / len(found.before))
    return found


def measure(quick: bool) -> str:
    """The section of RESULTS.md."""
    number, before = (1_000, 5.0) if quick else (NUMBER, BEFORE)
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name, house(Path(name), statements.OPTIONS) as run:
        return render(asyncio.run(flood(run, number, before)), number)


def percentile(walls: Sequence[float], share: float) -> float:
    """Milliseconds."""
    return sorted(walls)[min(len(walls) - 1, int(len(walls) * share))] * 1000


def render(found: Flood, number: int) -> str:
    rows = [
        (title, str(len(walls)), *(f"{percentile(walls, share):.0f}" for share in (0.5, 0.95)),
         f"{max(walls) * 1000:.0f}")
        for title, walls in (("before", found.before), ("meanwhile", found.meanwhile))
    ]  # fmt: skip
    slower = percentile(found.meanwhile, 0.95) / percentile(found.before, 0.95)
    states = ", ".join(f"{count:,} {status}" for status, count in sorted(found.states.items()))
    return "\n\n".join([
        f"## Follow-ups: {number:,} that fall due at the same moment",
        "One HTTP process and one worker. Each follow-up is checked under its conversation's lock; one contact in five "
        f"has opted out. {CUSTOMERS} other customers write meanwhile, each again {PAUSE:g} s after the answer; "
        "what their answers cost before is taken off.",
        tables.table(
            ("", "figure"),
            [
                ("all are checked after", f"{found.checked:.1f} s"),
                ("all are sent or cancelled after", f"{found.done:.1f} s"),
                ("per second", f"{number / found.done:,.0f}"),
                ("what became of them", states),
                ("CPU of our processes, each", f"{found.use.cpu / number * 1000:.1f} ms"),
                ("CPU of PostgreSQL, each", f"{found.use.database / number * 1000:.1f} ms"),
                ("statements, each", f"{found.use.asked / number:.1f}"),
                ("statements of the job engine, each", f"{found.use.jobs / number:.1f}"),
                ("memory of the worker before, and at most", f"{found.memory[0]:.0f}, {found.memory[1]:.0f} MiB"),
            ],
        ),
        tables.table(("answers to ordinary customers", "count", "p50 ms", "p95 ms", "slowest ms"), rows),
        f"- All are done after {tables.against(found.done, TIME_TARGET, ' s', digits=1)}.\n"
        f"- Ordinary customers meanwhile, p95: {tables.against(slower, SLOWER_TARGET)} of what it was before.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
