"""One process over all others: whatever dies is started again, and all of them end with it.

A child's standard input is a pipe that the supervisor holds open: its end tells a child that the supervisor is gone,
however that was killed. Children are process groups of their own, so that Ctrl-C reaches the supervisor alone and the
order of stopping is ours.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from frontdesk.core.halt import CONFIG, UNAVAILABLE, Halt
from frontdesk.core.postgres import EmbeddedPostgres

PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0)  # seconds before each restart of a program that dies at once
STEADY_AFTER = 5.0  # seconds of life after which a death counts as the first again
GIVES_UP_AFTER = 5  # deaths in a row of a program that was never up
STOPS_WITHIN = 10.0
WATCH_EVERY = 0.1
SUPERVISED = "FRONTDESK_SUPERVISED"


@dataclass(frozen=True)
class Program:
    """A child process: its name in messages, its command, and the sockets that it inherits."""

    name: str
    command: tuple[str, ...]
    sockets: tuple[int, ...] = ()


class Supervisor:
    """Runs programs, and the embedded database if there is one, until SIGINT or SIGTERM.

    Programs may start before the database is up and must wait for it themselves."""

    def __init__(
        self, programs: Sequence[Program], environment: Mapping[str, str], postgres: EmbeddedPostgres | None
    ) -> None:
        self.programs = list(programs)
        self.environment = {**environment, SUPERVISED: "1"}
        self.postgres = postgres
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.stopping = asyncio.Event()
        self.has_started = False
        self.failure: Halt | None = None
        self.lifeline, self._held = os.pipe()
        self.keepers: list[asyncio.Task[None]] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    async def run(self, when_started: Callable[[], Halt | None]) -> None:
        """Start all, call `when_started` in a thread, and stay until told to stop.

        Raises the Halt of a part that cannot run; by then everything has stopped."""
        loop = self.loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        self.keepers += [asyncio.create_task(self.keep(program)) for program in self.programs]
        if self.postgres:
            self.keepers.append(asyncio.create_task(self.keep_postgres(self.postgres)))
        threading.Thread(target=self.report, args=[when_started, loop], daemon=True, name="report").start()
        await self.stopping.wait()
        await self.shut_down()
        if self.failure:
            raise self.failure

    def add(self, program: Program) -> None:
        """One more program, from any thread, once `run` has begun; its end, for whatever reason, ends nothing else."""

        def begin() -> None:
            if not self.stopping.is_set():
                self.programs.append(program)
                self.keepers.append(asyncio.create_task(self.keep(program, is_optional=True)))

        if self.loop:
            self.loop.call_soon_threadsafe(begin)

    def report(self, when_started: Callable[[], Halt | None], loop: asyncio.AbstractEventLoop) -> None:
        failure = when_started()
        self.has_started = failure is None
        if failure:
            loop.call_soon_threadsafe(self.fail, failure)

    def stop(self) -> None:
        """The first call stops in order; one more, from an impatient operator, kills the programs."""
        if self.stopping.is_set():
            for process in self.running.values():
                with suppress(ProcessLookupError):
                    process.kill()
        self.stopping.set()
        if self.postgres:
            self.postgres.leaving.set()

    def fail(self, failure: Halt) -> None:
        self.failure = self.failure or failure
        self.stopping.set()

    async def keep(self, program: Program, *, is_optional: bool = False) -> None:
        deaths = 0
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                process = self.running[program.name] = await self.start(program)
            except OSError as error:
                return self.fail(Halt(f"{program.name} cannot be started ({error.strerror})."))
            code = await process.wait()
            if self.stopping.is_set():
                return None
            if code == CONFIG or (code == UNAVAILABLE and not self.has_started):
                # The program has said why on stderr.
                return None if is_optional else self.fail(Halt("", code))
            was_steady = self.has_started and time.monotonic() - began > STEADY_AFTER
            deaths = 1 if was_steady else deaths + 1
            if deaths >= GIVES_UP_AFTER and not self.has_started and not is_optional:
                return self.fail(Halt(f"The {program.name} process does not start ({how(code)}); see the lines above."))
            say(f"The {program.name} process ended ({how(code)}); starting it again.")
            await self.pause(deaths)
        return None

    async def start(self, program: Program) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *program.command,
            stdin=self.lifeline,
            pass_fds=program.sockets,
            env=self.environment,
            process_group=0,
        )

    async def keep_postgres(self, postgres: EmbeddedPostgres) -> None:
        """Start the database and again after each death; a first start that fails ends everything."""
        try:
            await asyncio.to_thread(postgres.join)
        except Halt as failure:
            return None if self.stopping.is_set() else self.fail(failure)
        deaths = 0
        while not self.stopping.is_set():
            await self.pause_for(WATCH_EVERY)
            if self.stopping.is_set() or postgres.is_alive():
                continue
            deaths += 1
            say("PostgreSQL ended; starting it again.")
            try:
                await asyncio.to_thread(postgres.ensure)
                deaths = 0
            except Halt as failure:
                say(str(failure))
                await self.pause(deaths)
        return None

    async def pause(self, deaths: int) -> None:
        await self.pause_for(PAUSES[min(deaths, len(PAUSES)) - 1])

    async def pause_for(self, seconds: float) -> None:
        """Wait, but not longer than until the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def shut_down(self) -> None:
        """The programs in their order, then the database, so that none of them loses it under its hands."""
        for program in self.programs:
            if process := self.running.get(program.name):
                await end(process)
        await asyncio.gather(*self.keepers, return_exceptions=True)
        if self.postgres:
            await asyncio.to_thread(self.postgres.leave)


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask, wait, then kill."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOPS_WITHIN)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def is_supervised() -> bool:
    return os.environ.get(SUPERVISED) == "1"


def end_with_supervisor() -> None:
    """In a child: ask ourselves to stop when the supervisor is gone, and stop hard if that takes too long."""
    if not is_supervised():
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOPS_WITHIN)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()


def how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
