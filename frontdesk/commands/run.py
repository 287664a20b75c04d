"""`frontdesk run`: everything on this machine, under one supervisor."""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path

from frontdesk.core.connection import embedded
from frontdesk.core.halt import UNAVAILABLE, Halt, unwritable
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.settings import Settings
from frontdesk.core.sockets import listen
from frontdesk.core.supervisor import Program, Supervisor

FRONTDESK = (sys.executable, "-m", "frontdesk")
READY_WITHIN = 900.0  # seconds; a recovery or a first migration may be long
TELLS_EVERY = 5.0
PORT_IS_FREE_WITHIN = 5.0


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Start, print what a newcomer needs, and stay until Ctrl-C."""
    require_writable(settings.data)
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


def announce(settings: Settings, port: int, supervisor: Supervisor) -> Halt | None:
    """Wait until all is ready, then print the addresses."""
    began = told = time.monotonic()
    while not supervisor.stopping.is_set():
        missing = missing_parts(settings.host, port)
        if not missing:
            print(f"Ready: {settings.public_url(port)}", flush=True)
            return None
        now = time.monotonic()
        if now - began > READY_WITHIN:
            return Halt(f"Frontdesk was not ready in time: {missing}.", UNAVAILABLE)
        if now - told > TELLS_EVERY:
            told = now
            print(f"  still waiting for {missing}", flush=True)
        time.sleep(0.05)
    return None


def missing_parts(host: str, port: int) -> str:
    """What `/health` says is missing; nothing when all is ready."""
    asked = http.client.HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=10)
    try:
        asked.request("GET", "/health")
        answer = asked.getresponse()
        parts = json.loads(answer.read()).get("parts", {})
    except (OSError, ValueError, http.client.HTTPException):
        return "the HTTP process"
    finally:
        asked.close()
    if answer.status == 200:
        return ""
    return "; ".join(f"{name} ({part['detail']})" for name, part in parts.items() if not part["ok"])
