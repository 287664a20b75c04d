"""`make kill`: processes of a whole installation are killed with -9 under load, again and again; nobody may notice.

`FRONTDESK_KILL_SEED` and `FRONTDESK_KILL_ROUNDS` choose other rounds than a chance seed's twenty.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.kill.rounds import besieged

SEED = int(os.environ.get("FRONTDESK_KILL_SEED") or secrets.randbelow(1_000_000))
ROUNDS = int(os.environ.get("FRONTDESK_KILL_ROUNDS") or 20)


@pytest.mark.process
async def test_what_is_killed_loses_nothing_and_does_nothing_twice(open_folder: Path) -> None:
    print(f"FRONTDESK_KILL_SEED={SEED}")
    async with besieged(open_folder / "data", SEED, print) as siege:
        tally = await siege.run(ROUNDS)
    print(tally.counts)
    print(f"the longest wait for an answer: {max(tally.waits):.1f} s; rests: {tally.rests}")
