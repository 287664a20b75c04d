"""`frontdesk run`: everything on this machine, under one supervisor."""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from frontdesk.commands.banner import banner
from frontdesk.commands.card_files import CARD, NEXT_CARD
from frontdesk.commands.health import ask
from frontdesk.core.connection import embedded
from frontdesk.core.halt import UNAVAILABLE, Halt, unwritable
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.settings import Settings
from frontdesk.core.sockets import listen
from frontdesk.core.supervisor import Program, Supervisor
from frontdesk.models.installation import wants_built_in
from frontdesk.models.sources import cached_file

FRONTDESK = (sys.executable, "-m", "frontdesk")
READY_WITHIN = 900.0  # seconds; a recovery or a first migration may be long
TELLS_EVERY = 5.0
PORT_IS_FREE_WITHIN = 5.0


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Start, print what a newcomer needs, and stay until Ctrl-C."""
    require_writable(settings.data)
    (settings.data / NEXT_CARD).unlink(missing_ok=True)
    postgres = embedded(settings)
    listener = listen_soon(settings, postgres)
    port = listener.getsockname()[1]
    listener.set_inheritable(True)
    supervisor = Supervisor(
        programs(listener, arguments.processes or settings.http_processes, arguments.workers or settings.workers),
        {**os.environ, "FRONTDESK_PORT": str(port), "FRONTDESK_DATA": str(settings.data)},
        postgres,
    )
    print("Starting Frontdesk ...", flush=True)
    asyncio.run(supervisor.run(lambda: announce(settings, port, supervisor)))
    print("Frontdesk has stopped.", flush=True)
    return 0


def programs(listener: socket.socket, processes: int, workers: int) -> list[Program]:
    """The first worker also prepares the database, so that nothing is loaded twice."""
    number = listener.fileno()
    serving = [
        Program(f"HTTP {n}" if n else "HTTP", (*FRONTDESK, "serve", "--fd", str(number)), (number,))
        for n in range(processes)
    ]
    working = [
        Program(f"worker {n}" if n else "worker", (*FRONTDESK, "worker", *([] if n else ["--prepare"])))
        for n in range(workers)
    ]
    return serving + working


def require_writable(data: Path) -> None:
    probe = data / f".probe-{os.getpid()}"
    try:
        data.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
    except OSError as error:
        raise unwritable(data, error) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def listen_soon(settings: Settings, postgres: EmbeddedPostgres | None) -> socket.socket:
    """The listening socket. Processes of a killed supervisor need a moment to notice; others are not waited for."""
    deadline = time.monotonic() + PORT_IS_FREE_WITHIN
    while True:
        try:
            return listen(settings.host, settings.port)
        except Halt:
            if time.monotonic() > deadline or not (postgres and postgres.is_shared()):
                raise
        time.sleep(0.1)


def bring_model(settings: Settings, supervisor: Supervisor) -> None:
    """Fetch the built-in model once, with its progress shown, and keep its server running."""
    if settings.model_file is None and cached_file(settings) is None:
        fetching = subprocess.Popen([*FRONTDESK, "models", "fetch"], stdin=subprocess.DEVNULL)
        while fetching.poll() is None:
            if supervisor.stopping.is_set():
                fetching.terminate()
            time.sleep(0.1)
        if fetching.returncode:
            print("Going on without the built-in model: nobody answers until there is one.", file=sys.stderr)
            return
    supervisor.add(Program("model", (*FRONTDESK, "model-server")))


def hand_over_card(data: Path) -> dict[str, object]:
    """Put the card that the first worker prepared into the place where scripts look; empty without a demo."""
    fresh = data / NEXT_CARD
    card = cast("dict[str, object]", json.loads(fresh.read_text("utf-8")))
    if card:
        fresh.replace(data / CARD)
    return card


def announce(settings: Settings, port: int, supervisor: Supervisor) -> Halt | None:
    """Wait until all is ready, then write `demo.json` and print the addresses."""
    if wants_built_in(settings):
        bring_model(settings, supervisor)
    began = told = time.monotonic()
    while not supervisor.stopping.is_set():
        answer = ask(settings.local_url(port))
        # Another worker may be ready before the first one has prepared everything.
        if answer.ready and (settings.data / NEXT_CARD).is_file():
            model = str(answer.parts.get("model", {}).get("detail", ""))
            print(banner(settings, settings.public_url(port), hand_over_card(settings.data), model), flush=True)
            return None
        now = time.monotonic()
        if now - began > READY_WITHIN:
            return Halt(f"Frontdesk was not ready in time: {answer.missing}.", UNAVAILABLE)
        if now - told > TELLS_EVERY:
            told = now
            print(f"  still waiting for {answer.waited_for or 'the demo organization'}", flush=True)
        time.sleep(0.05)
    return None
