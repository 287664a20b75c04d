"""`make run` on a data folder that exists: seconds to the first request that is answered, and until all is ready.

The clock starts with the command and covers make, the supervisor, PostgreSQL, HTTP and the worker. Then each of these
is killed with -9, and the clock runs until `/health` is 200 with another process in its place.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench import processes, tables

TARGET, ROUNDS = 5.0, 3


@contextmanager
def running(data: Path, port: int) -> Iterator[psutil.Process]:
    env = processes.environment(FRONTDESK_DATA=str(data), FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
    with processes.started(["make", "--no-print-directory", "run"], env, data.with_suffix(".log")) as process:
        yield process


def seconds_until(url: str, began: float, headers: dict[str, str]) -> float:
    """Asks every 10 ms until `url` answers 200."""
    request = urllib.request.Request(url, headers=headers)
    while time.monotonic() - began < processes.PATIENCE:
        try:
            with urllib.request.urlopen(request, timeout=10):
                return time.monotonic() - began
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.01)
    raise RuntimeError(f"{url} does not answer")


def victim(root: psutil.Process, word: str) -> psutil.Process | None:
    """The process of `serve`, of `worker`, or PostgreSQL's first one, below `make`."""
    for process in root.children(recursive=True):
        with suppress(psutil.Error):
            words = process.cmdline()
            if word in words or (word == "postgres" and words and words[0].endswith("/postgres") and "-D" in words):
                return process
    return None


def seconds_until_back(root: psutil.Process, word: str, health: str) -> float:
    """Kills the process and waits for its successor."""
    killed = victim(root, word)
    if killed is None:
        raise RuntimeError(f"there is no process of {word}")
    began = time.monotonic()
    killed.kill()
    while (now := victim(root, word)) is None or now.pid == killed.pid:
        time.sleep(0.01)
    return seconds_until(health, began, {})


def measure(quick: bool) -> str:
    """The table of RESULTS.md."""
    answered, ready = [], []
    back: dict[str, list[float]] = {word: [] for word in ("serve", "worker", "postgres")}
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, PostgreSQL's own user must pass through
        data, port = folder / "data", processes.free_port()
        address = f"http://127.0.0.1:{port}"
        for number in range(2 if quick else ROUNDS + 1):
            began = time.monotonic()
            with running(data, port) as root:
                if number:
                    key = {"x-api-key": json.loads((data / "demo.json").read_text())["api_key"]}
                    answered.append(seconds_until(f"{address}/contacts?$limit=1", began, key))
                ready.append(seconds_until(f"{address}/health", began, {}))
                while not (data / "demo.json").exists():
                    time.sleep(0.01)
                for word in back if number else ():
                    back[word].append(seconds_until_back(root, word, f"{address}/health"))
    rows = [
        (
            "first API request answered",
            f"{tables.middle(answered):.2f}",
            tables.against(tables.middle(answered), TARGET, " s"),
        )
    ]
    rows.append(("all ready (`/health` is 200)", f"{tables.middle(ready[1:]):.2f}", ""))
    for word, seconds in back.items():
        middle = tables.middle(seconds)
        rows.append((f"back after kill -9 of {word}", f"{middle:.2f}", tables.against(middle, TARGET, " s")))
    rows.append(("the first start ever: new database, demo organization", f"{ready[0]:.2f}", ""))
    return "\n\n".join(
        [
            "## Start",
            "`make run` with the embedded PostgreSQL and a demo organization, no model; "
            f"median of {len(answered)} warm starts.",
            tables.table(("", "seconds", "target"), rows),
        ]
    )


def unable() -> str | None:
    """Why this benchmark cannot run here; None when it can."""
    return None if shutil.which("make") else "make is missing"
