"""Real processes under measurement: started, measured through /proc, ended by their ids."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil

ROOT = Path.cwd()  # the checkout: `make bench` runs there
PATIENCE = 120.0  # seconds until a server must answer
TICK = 1 / os.sysconf("SC_CLK_TCK")


def environment(**own: str) -> dict[str, str]:
    """Ours without what the operator has set for Frontdesk, so that every run measures the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "DATABASE_URL"))}
    return {**kept, **own}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(words: list[str], env: Mapping[str, str], log: Path, cwd: Path = ROOT) -> Iterator[psutil.Process]:
    """A process that is gone at the end, by a Ctrl-C to its group as in a terminal; its words are in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def frontdesk(*words: str) -> list[str]:
    return [sys.executable, "-m", "frontdesk", *words]


def wait_for(process: psutil.Process, url: str, log: Path, headers: Mapping[str, str] | None = None) -> None:
    """Return when `url` answers with success. Raises RuntimeError with the last lines of `log`."""
    deadline = time.monotonic() + PATIENCE
    request = urllib.request.Request(url, headers=dict(headers or {}))
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (OSError, urllib.error.HTTPError) as error:
            if time.monotonic() > deadline or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"{url} does not answer ({error}):\n{log.read_text()[-2000:]}") from error
        time.sleep(0.05)


def cpu(processes: Iterable[psutil.Process]) -> float:
    """Seconds of CPU (user and system) that the processes have used; those that have ended count as nothing."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def backends(postmaster: psutil.Process) -> float:
    """Seconds of CPU of PostgreSQL whole: each backend, those that have ended, and the server's own processes."""
    times = postmaster.cpu_times()
    ended = times.user + times.system + times.children_user + times.children_system
    return ended + cpu(postmaster.children(recursive=True))


def memory(processes: Iterable[psutil.Process]) -> float:
    """Resident memory in MiB."""
    return sum(process.memory_info().rss for process in processes) / 2**20


def postmaster(data: Path) -> psutil.Process:
    """The server of a data folder."""
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().split()[0]))
