"""The built-in model's own process: llama.cpp's HTTP server on loopback, with a key that only this user reads.

A process of its own, because a crash in native code must not take a worker along, and because its memory and its
processor time can then be seen and limited. Where it listens is written to a state file (mode 600).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import secrets
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from frontdesk.core.halt import Halt
from frontdesk.core.settings import Settings
from frontdesk.models.sources import BUILT_IN, cached_file, models_folder

CONTEXT_TOKENS = 8192
STATE_FILE = "local-model.json"  # in the data folder
NICENESS = 5
PLENTY_OF_MEMORY = 4_000_000_000
# With the default endless spinning one other busy process makes the threads wait for each other: 14 → 1 token/s
# measured on two cores. A short spin costs nothing when idle and keeps half the speed under load.
SPIN_COUNT = "2000"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """`state` is the file that tells the workers where the server is."""

    model: Path
    state: Path
    threads: int = 0
    context_tokens: int = CONTEXT_TOKENS


def load_engine() -> ModuleType:
    """Loaded late: it is 100 MB, and the spin count is read when it is. Raises Halt with one sentence."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        hint = " Install the system library libgomp (Debian: libgomp1)." if "gomp" in str(error) else ""
        raise Halt(f"The built-in model cannot be loaded: {error}.{hint}") from error


def choose_threads(cores: int) -> int:
    """All cores of a small machine, else all but one: reading a prompt is what a customer waits for."""
    return cores if cores <= 2 else cores - 1


def available_memory() -> int:
    """Bytes that can be taken without swapping; plenty where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return PLENTY_OF_MEMORY


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """The command `model-server`."""
    model = cached_file(settings) or models_folder(settings) / BUILT_IN.name
    return serve(ServerOptions(settings.model_file or model, settings.data / STATE_FILE))


def serve(options: ServerOptions) -> int:
    """Loads the model, writes the state file, and stays until SIGTERM or SIGINT. Returns the exit code."""
    if not options.model.is_file():
        raise Halt(f"The built-in model's file {options.model} is missing: run `frontdesk models fetch`.")
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    os.nice(NICENESS)
    key = secrets.token_urlsafe(32)
    server = start(load_engine(), options, key)
    write_state(options.state, {"url": server.listening_address, "key": key, "pid": os.getpid()})
    print("The built-in model is ready.", flush=True)
    done.wait()
    options.state.unlink(missing_ok=True)
    # llama.cpp's threads are not joined: nothing of theirs needs saving.
    os._exit(0)


def start(engine: ModuleType, options: ServerOptions, key: str):  # type: ignore[no-untyped-def]
    params = engine.CommonParams()
    params.model.path = str(options.model)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.n_ctx = options.context_tokens
    params.n_parallel = 1
    params.cache_prompt = True
    params.cache_ram_mib = 1024
    params.verbosity = 1
    threads = options.threads or choose_threads(usable_cores())
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # The second copy of the weights makes writing 1.5 times as fast and costs 0.6 GB.
    params.no_extra_bufts = available_memory() < PLENTY_OF_MEMORY
    return engine.Server(params)


def write_state(path: Path, state: dict[str, str | int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(state, file)
    draft.replace(path)
