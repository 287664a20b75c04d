"""A thousand customers who write three messages each, all at once: one answer each, after the burst's window."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import statements, tables
from bench.customers import Customers, Http
from bench.turn import House, house

CONVERSATIONS, MESSAGES = 1_000, 3
WRITERS = 20  # requests at a time
WINDOW, MOST = 6.0, 60.0  # seconds
PATIENCE = 280.0
# What a customer hears, and that nobody is left.
STATE = """
    SELECT (SELECT count(*) FROM conversation_messages WHERE direction = 'outbound'),
        (SELECT count(*) FROM ai_decisions WHERE outcome = 'pending'),
        (SELECT count(*) FROM ai_turns), (SELECT max(ended_at - greatest(due_at, created_at)) FROM ai_turns)
"""
ANSWERS = """
    SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n <> 1) FROM (
        SELECT c.id, count(m.id) AS n FROM conversations c LEFT JOIN conversation_messages m
            ON m.organization_id = c.organization_id AND m.conversation_id = c.id AND m.direction = 'outbound'
        GROUP BY c.id) AS heard
"""


@dataclass(frozen=True)
class Burst:
    """Seconds, statements, and how many conversations got exactly one answer and how many did not."""

    writing: float
    answered: float
    cpu: tuple[float, float]
    asked: tuple[int, int]
    one: int
    other: int
    turns: int


async def write_all(customers: Customers, number: int) -> None:
    """Each customer's three messages behind each other, twenty customers at a time."""
    waiting = iter(range(number))

    async def write(turns: Iterable[int]) -> None:
        for _ in turns:
            talk = None
            for _ in range(MESSAGES):
                talk = await customers.write(talk)

    await asyncio.gather(*(write(waiting) for _ in range(WRITERS)))


async def burst(house: House, number: int) -> Burst:
    http = Http(house.port, house.key)
    fields = {"enable_message_burst_handling": True,
              "advanced_options": {"burst": {"window_seconds": WINDOW, "max_seconds": MOST}}}  # fmt: skip
    await http.call("PATCH", f"/ai-assistants/{house.assistant_id}", fields)
    http.close()
    connection = await asyncpg.connect(house.url)
    try:
        async with house.customers() as customers:
            asked, used, began = await statements.count(house.url), house.used(), time.monotonic()
            await write_all(customers, number)
            written = time.monotonic()
            while True:
                row = await connection.fetchrow(STATE)
                if row[0] >= number and not row[1]:
                    break
                if time.monotonic() - written > PATIENCE:
                    raise RuntimeError(f"not all were answered: {tuple(row)}")
                await asyncio.sleep(0.25)
            answered = time.monotonic()
            now_asked, now_used = await statements.count(house.url), house.used()
        one, other = await connection.fetchrow(ANSWERS)
    finally:
        await connection.close()
    cpu = (now_used[0] - used[0], now_used[1] - used[1])
    counted = (now_asked[0] - asked[0], now_asked[1] - asked[1])
    return Burst(written - began, answered - written, cpu, counted, one, other, row[2])


def measure(quick: bool) -> str:
    """The section of RESULTS.md."""
    number = CONVERSATIONS // 10 if quick else CONVERSATIONS
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name, house(Path(name), statements.OPTIONS) as run:
        return render(asyncio.run(burst(run, number)), number)


def render(found: Burst, number: int) -> str:
    verdict = "holds" if found.one == number and not found.other and found.turns == number else "**missed**"
    return "\n\n".join([
        f"## Burst: {number:,} conversations with {MESSAGES} inbounds each at once",
        f"One HTTP process and one worker; a window of {WINDOW:g} s after the last message, {MOST:g} s at most. The "
        "model answers at once, with one tool call before the reply.",
        tables.table(
            ("", "figure"),
            [
                (f"{number * MESSAGES:,} messages are stored in", f"{found.writing:.1f} s"),
                ("all are answered after the last message by", f"{found.answered:.1f} s"),
                ("turns", f"{found.turns:,}"),
                ("conversations with exactly one answer", f"{found.one:,}"),
                ("CPU of our processes, per conversation", f"{found.cpu[0] / number * 1000:.1f} ms"),
                ("CPU of PostgreSQL, per conversation", f"{found.cpu[1] / number * 1000:.1f} ms"),
                ("statements per conversation", f"{found.asked[0] / number:.0f}"),
                ("statements of the job engine per conversation", f"{found.asked[1] / number:.1f}"),
            ],
        ),
        f"- One answer each, by one turn each: {verdict}.",
    ])  # fmt: skip


def unable() -> str | None:
    """It needs nothing but this checkout."""
    return None
