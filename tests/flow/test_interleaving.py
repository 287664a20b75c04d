"""Whatever happens to a conversation, in whatever order: one answer or one reason, and nothing twice.

The walks are the same in every run; `FRONTDESK_WALKS=5000` walks longer, and `FRONTDESK_WALK_SEED` elsewhere.
"""

from __future__ import annotations

import os

from tests.flow.test_crash_points import Doom, doom
from tests.flow.walking import drawn, room

__all__ = ["doom"]
WALKS = int(os.environ.get("FRONTDESK_WALKS", "45"))
SEED = os.environ.get("FRONTDESK_WALK_SEED", "1")


def test_whatever_happens_each_inbound_has_one_answer_or_one_reason(database_url: str, doom: Doom) -> None:
    with room(database_url, doom) as where:
        for number in range(WALKS):
            beginning, steps = drawn(f"{SEED}-{number}")
            if fault := where.walk(beginning, steps):
                least = where.least(beginning, steps)
                walked = "\n".join(map(str, least))
                again = where.walk(beginning, least)
                raise AssertionError(f"walk {SEED}-{number}: {fault}\n{beginning}\n{walked}\nof which: {again}")
