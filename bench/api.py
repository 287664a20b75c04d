"""GET by id, list of 50 and POST on `contacts`: Frontdesk against a FeathersJS 5 server on the same table.

Both run as one real process on the same PostgreSQL and check an API key. Ours has roles, tenancy, soft delete and
row-level security on besides. Rounds alternate, and each side is warm before its first.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
import psutil

from bench import installation, load, processes, tables

PEER = Path(__file__).parent / "peer"
OPERATIONS = {"get": "GET by id", "list": "list of 50", "post": "POST"}
TARGETS = {"get": 1.0, "list": 0.4, "post": 0.7}
WARM = {"get": 20_000, "list": 6_000, "post": 10_000}  # requests before the first round
CONTACTS, CONNECTIONS = 1000, 10
Run = Callable[[int, int], load.Load]  # seconds, connections

PEER_VIEW = """
DO $$ BEGIN EXECUTE (SELECT 'CREATE VIEW peer_contacts AS SELECT '
    || string_agg(quote_ident(attname), ', ' ORDER BY attnum) || ' FROM contacts'
    FROM pg_attribute WHERE attrelid = 'contacts'::regclass AND attnum > 0 AND NOT attisdropped
    AND attname <> 'search_text'); END $$
"""


@dataclass(frozen=True)
class Side:
    """A server under measurement."""

    name: str
    process: psutil.Process
    url: str


@dataclass(frozen=True)
class Round:
    """One round of one operation on one side; CPU in µs per request."""

    server: float
    database: float
    rate: float
    p99: float


async def make_view(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(PEER_VIEW)
    finally:
        await connection.close()


@contextmanager
def ours(url: str, folder: Path) -> Iterator[Side]:
    port = processes.free_port()
    env = installation.variables(url, folder, FRONTDESK_PORT=str(port), FRONTDESK_MODEL="none")
    with processes.started(processes.frontdesk("serve"), env, folder / "frontdesk.log") as process:
        yield Side("Frontdesk", process, f"http://127.0.0.1:{port}")


@contextmanager
def peer(url: str, folder: Path) -> Iterator[Side]:
    if not (PEER / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PEER, check=True)
    port = processes.free_port()
    env = processes.environment(PG_URL=url, PORT=str(port), NODE_ENV="production")
    with processes.started(["node", "server.mjs"], env, folder / "peer.log", PEER) as process:
        yield Side("FeathersJS", process, f"http://127.0.0.1:{port}")


def warm_up(run: Run, requests: int) -> None:
    """Node compiles what is hot only after thousands of requests; neither side is measured cold."""
    while requests > 0:
        requests -= run(1, CONNECTIONS).requests


def take_round(run: Run, side: Side, postmaster: psutil.Process, seconds: int) -> Round:
    server, database = processes.cpu([side.process]), processes.backends(postmaster)
    done = run(seconds, CONNECTIONS)
    server, database = processes.cpu([side.process]) - server, processes.backends(postmaster) - database
    per_request = 1e6 / done.requests
    return Round(server * per_request, database * per_request, done.requests / done.seconds, done.p99)


def measure(quick: bool) -> str:
    """The tables of RESULTS.md."""
    rounds, seconds = (3, 1) if quick else (7, 3)
    key = f"fd_{secrets.token_urlsafe(32)}"
    found: dict[tuple[str, str], list[Round]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        url, postmaster = stack.enter_context(installation.database(folder))
        ids = asyncio.run(installation.seed(url, key, CONTACTS)).contacts
        asyncio.run(make_view(url))
        sides = [stack.enter_context(server(url, folder)) for server in (ours, peer)]
        for side, log in zip(sides, ("frontdesk.log", "peer.log"), strict=True):
            processes.wait_for(side.process, f"{side.url}/contacts/{ids.start}", folder / log, {"x-api-key": key})
        idle = {side.name: processes.memory([side.process]) for side in sides}
        for operation in OPERATIONS:
            loads = {side: partial(load.run_load, side.url, operation, key, ids, folder) for side in sides}
            for side in sides:
                warm_up(loads[side], 2_000 if quick else WARM[operation])
            for _ in range(rounds):
                for side in sides:
                    taken = take_round(loads[side], side, postmaster, seconds)
                    found[operation, side.name].append(taken)
        loaded = {side.name: processes.memory([side.process]) for side in sides}
    return render(found, [side.name for side in sides], idle, loaded, (rounds, seconds))


def render(
    found: dict[tuple[str, str], list[Round]],
    names: list[str],
    idle: dict[str, float],
    loaded: dict[str, float],
    extent: tuple[int, int],
) -> str:
    rows, ratios = [], []
    for operation, title in OPERATIONS.items():
        for name in names:
            taken = found[operation, name]
            figures = [tables.middle(getattr(r, f) for r in taken) for f in ("server", "database", "rate", "p99")]
            rows.append((f"{title}, {name}", *(f"{figure:,.0f}" for figure in figures[:3]), f"{figures[3]:.1f}"))
        pairs = zip(found[operation, names[0]], found[operation, names[1]], strict=True)
        each = [(mine.server / other.server, mine.database / other.database) for mine, other in pairs]
        spread = f"{min(r for r, _ in each):.2f}–{max(r for r, _ in each):.2f}"
        database_ratio = f"{tables.middle(r for _, r in each):.2f}×"
        ratio = tables.middle(r for r, _ in each)
        ratios.append((title, tables.against(ratio, TARGETS[operation]), spread, database_ratio))
    more = [(name, f"{idle[name]:.0f}", f"{loaded[name]:.0f}") for name in names]
    node = tables.said("node", "--version")
    return "\n\n".join(
        [
            "## API: Frontdesk against FeathersJS 5 (koa + knex + pg)",
            f"`contacts`, {CONTACTS:,} rows, {CONNECTIONS} connections, {extent[0]} rounds of {extent[1]} s per line, "
            f"taking turns, both sides warm; Node {node}. CPU is user and system time of the one server process, "
            "PostgreSQL's beside it. Ours has roles, tenancy, soft delete and row-level security on; the peer checks "
            "its key and its schemas only.",
            tables.table(("CPU of the server per request, ours to theirs", "median", "rounds", "PostgreSQL"), ratios),
            tables.table(
                ("", "server CPU µs", "PostgreSQL CPU µs", "requests/s", "p99 ms"),
                rows,
            ),
            tables.table(("resident memory, MiB", "after start", "after the load"), more),
        ]
    )


def unable() -> str | None:
    """Why this benchmark cannot run here; None when it can."""
    if not shutil.which("npm"):
        return "Node with npm is missing"
    return load.missing()
