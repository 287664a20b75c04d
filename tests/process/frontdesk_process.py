"""A real Frontdesk in its own processes, for tests that kill some of them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds for what has no limit of its own; machines of CI are slow
Found = TypeVar("Found")


def until(found: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (answer := found()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.02)
    return answer


def command(*words: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Frontdesk to its end."""
    return subprocess.run(
        [sys.executable, "-m", "frontdesk", *words],
        cwd=ROOT,
        env=variables(data, environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def variables(data: Path, environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "DATABASE_URL"))}
    return {**kept, "FRONTDESK_DATA": str(data), "FRONTDESK_PORT": "0", "FRONTDESK_MODEL": "none", **environment}


class Frontdesk:
    """`frontdesk run` and its processes."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.output = data.with_name(f"{data.name}.out")
        self.environment = environment
        self.begin()

    def begin(self) -> None:
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "frontdesk", "run"],
                cwd=ROOT,
                env=variables(self.data, self.environment),
                stdout=output,
                stderr=output,
            )

    def wait_until_ready(self) -> "Frontdesk":
        until(lambda: self.process.poll() is not None or "To stop" in self.said())
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return self.output.read_text()

    @property
    def base_url(self) -> str:
        found = re.search(r"API docs +(\S+)/docs", self.said())
        assert found, self.said()
        return found[1]

    def health(self) -> tuple[int, dict[str, dict[str, object]]]:
        """The status of /health and its parts; 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.base_url}/health", timeout=10) as answer:
                return answer.status, json.load(answer)["parts"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["parts"]
        except OSError:
            return 0, {}

    def is_healthy(self) -> bool:
        return self.health()[0] == 200

    def child(self, word: str) -> psutil.Process | None:
        """The process of `serve`, `worker`, …"""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if word in child.cmdline():
                    return child
        return None

    def postmaster(self) -> psutil.Process | None:
        try:
            return psutil.Process(int((self.data / "postgres" / "postmaster.pid").read_text().split()[0]))
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def everything(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        found = {child.pid: child for child in [own, *own.children(recursive=True)]}
        if postmaster := self.postmaster():
            found |= {child.pid: child for child in [postmaster, *postmaster.children(recursive=True)]}
        return list(found.values())

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@contextmanager
def running(data: Path, **environment: str) -> Iterator[Frontdesk]:
    """A Frontdesk that is ready, and gone at the end however the test went."""
    frontdesk = Frontdesk(data, **environment)
    try:
        yield frontdesk.wait_until_ready()
    finally:
        if frontdesk.process.poll() is None:
            frontdesk.interrupt()
