"""Real worker processes on a real queue, one of them killed with -9. Polled with a deadline: no clock stands here."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from tests.flow.harness import Desk

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0  # seconds; the lease of a killed worker has to expire
NOTE = {"tool": "add_note", "arguments": {"text": "Wants a visit."}}

Start = Callable[..., "WorkerProcess"]


class WorkerProcess:
    def __init__(self, url: str, *script: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.flow.worker_process", url, json.dumps(script)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    async def heard(self, line: str) -> None:
        """Wait until the process has said it."""
        assert self.process.stdout is not None
        while (said := await asyncio.to_thread(self.process.stdout.readline)) != f"{line}\n":
            assert said, "the worker ended"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def end(self) -> int:
        """Tell it to stop; gives its exit status."""
        self.process.terminate()
        return self.process.wait(15)


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    started: list[WorkerProcess] = []

    def begin(*script: object) -> WorkerProcess:
        started.append(WorkerProcess(database_url, *script))
        return started[-1]

    yield begin
    for worker in started:
        worker.kill()


@pytest.fixture
async def real(desk: Desk) -> Desk:
    """The desk on the machine's own time."""
    desk.clock.set(datetime.now(UTC))
    return desk


async def replies(desk: Desk, count: int) -> list[str]:
    """What the customer reads, once it is so much."""
    async with asyncio.timeout(PATIENCE):
        while len(found := (await desk.replies())[1:]) < count:
            await asyncio.to_thread(pause)
    return found


def pause() -> None:
    signal.sigtimedwait([], 0.05)


async def test_a_worker_answers(real: Desk, start: Start) -> None:
    await start(NOTE, "Noted.").heard("ready")
    await real.say("Please note it.")
    assert await replies(real, 1) == ["Noted."]
    assert len(await real.fetch("SELECT id FROM notes")) == 1


async def test_killed_after_the_tool_call_another_worker_answers_once(real: Desk, start: Start) -> None:
    doomed = start(NOTE, None)
    await real.say("Please note it.")
    await doomed.heard("asked 1")
    doomed.kill()
    await start("Noted.", "Noted twice.").heard("asked 0")
    assert await replies(real, 1) == ["Noted."]
    assert len(await real.fetch("SELECT id FROM notes")) == 1
    await real.fetch("SELECT 1")
    assert await real.turns() == ["answered", "answered"]
    assert (await real.decisions())[-1] == ("answered", "answered")


async def test_a_worker_that_is_told_to_stop_hands_its_turn_over_at_once(real: Desk, start: Start) -> None:
    first = start(NOTE, None)
    await real.say("Please note it.")
    await first.heard("asked 1")
    second = start("Noted.")
    await second.heard("ready")
    assert first.end() == 0
    assert await replies(real, 1) == ["Noted."]
    assert len(await real.fetch("SELECT id FROM notes")) == 1


async def test_a_worker_outlives_the_loss_of_its_connections(real: Desk, start: Start, database_url: str) -> None:
    await start("Before.", "Back again.").heard("ready")
    await real.say("Hello?")
    await replies(real, 1)
    operator = await asyncpg.connect(database_url)
    await operator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'frontdesk jobs' AND datname = current_database()"
    )
    await operator.close()
    await real.say("Still there?")
    assert await replies(real, 2) == ["Before.", "Back again."]
