"""kill -9 under load: what it costs the customers, and that nothing is lost or done twice.

The rounds of `make kill`, ten times as many. A rule that does not hold ends the benchmark with its rows.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections import Counter
from pathlib import Path

from bench import tables
from tests.kill import rounds
from tests.kill.outside import THINKING
from tests.kill.rounds import Tally, besieged

ROUNDS, QUICK_ROUNDS = 200, 8


async def play(folder: Path, seed: int, number: int) -> Tally:
    async with besieged(folder / "data", seed, lambda words: print(words, flush=True)) as siege:
        return await siege.run(number)


def measure(quick: bool) -> str:
    """The tables of RESULTS.md."""
    seed = int(os.environ.get("FRONTDESK_KILL_SEED") or secrets.randbelow(1_000_000))
    number = int(os.environ.get("FRONTDESK_KILL_ROUNDS") or (QUICK_ROUNDS if quick else ROUNDS))
    print(f"FRONTDESK_KILL_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, PostgreSQL's own user must pass through
        return render(asyncio.run(play(folder, seed, number)), seed)


def render(tally: Tally, seed: int) -> str:
    killed = Counter(rounds.VICTIMS[kill.victim] for kill in tally.kills)
    waits = sorted(tally.waits)
    rows = [(f"kill -9 of {victim}", f"{count:,}") for victim, count in sorted(killed.items())]
    rows += [(what, f"{count:,}") for what, count in tally.counts.items()]
    rows += [
        ("from a message to its answer, p50", f"{tables.middle(waits):.1f} s"),
        ("the same, p99", f"{waits[round((len(waits) - 1) * 0.99)]:.1f} s"),
        ("the same, the longest", f"{waits[-1]:.1f} s"),
        ("from the end of the load to rest, median", f"{tables.middle(tally.rests):.1f} s"),
        ("the same, the longest", tables.against(max(tally.rests), rounds.RESTS_WITHIN, " s", digits=1)),
    ]
    return "\n\n".join(
        [
            "## kill -9 under load",
            f"`frontdesk run` with its embedded PostgreSQL, {rounds.VISITORS} customers in the web chat and "
            f"{rounds.PHONES} on a channel with a provider, who write at once and in bursts; a model, a provider and "
            f"another system that each take up to {THINKING:g} s. {len(tally.kills)} rounds (seed {seed}), one kill "
            f"each, most of them within {rounds.PAUSE[1]:g} s after turns run again, the others amid a recovery; all "
            f"rows, keys and streams are looked at after every {rounds.PER_REST} rounds. No message lost, none "
            "answered twice, no effect twice.",
            tables.table(("", "figure"), rows),
        ]
    )


def unable() -> str | None:
    """Why this benchmark cannot run here; None when it can."""
    return None
