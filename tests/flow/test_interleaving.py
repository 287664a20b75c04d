"""Whatever happens to a conversation, in whatever order: one answer or one reason, and nothing twice.

The walks are the same in every run; `FRONTDESK_WALKS=5000` walks longer, and `FRONTDESK_WALK_SEED` elsewhere.
"""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from frontdesk.core.database import Database
from tests.conftest import empty
from tests.flow.harness import make_desk
from tests.flow.test_crash_points import Doom, doom
from tests.flow.walk_rules import faults, last_faults
from tests.flow.walker import Move, Step, Walk

__all__ = ["doom"]
WALKS = int(os.environ.get("FRONTDESK_WALKS", "60"))
SEED = os.environ.get("FRONTDESK_WALK_SEED")
BY_OTHERS = ["duplicate", "person_writes", "program_writes", "person_takes",
             "nobody", "hand_back", "hand_back", "hand_back", "other_assistant", "close", "reopen",
             "bulk_close", "cut", "block", "unblock", "mute", "unmute", "shut", "unshut", "tool_off", "burst_on",
             "burst_off", "delete_assistant", "ask_first", "approve", "approve",
             "refuse", "remind", "opt_out", "opt_in"]  # fmt: skip
REPLIES = ["say", "two", "note", "note", "note", "read", "transfer", "timeout", "blank"]
BEGINNINGS = [(), ("remind",), ("ask_first",), ("burst_on",), ("remind", "ask_first"), ("remind", "burst_on")]

Beginning = tuple[bool, tuple[str, ...]]

crashes = st.none() | st.integers(0, 24)
moves = st.builds(
    Move,
    st.sampled_from(REPLIES),
    st.just("") | st.sampled_from(["inbound", "inbound", "inbound", "stall", "stall", "keyword", *BY_OTHERS]),
)
inbounds = st.builds(
    Step, st.sampled_from([*["inbound"] * 5, "keyword"]), st.lists(moves, max_size=3).map(tuple), crashes,
    st.sampled_from(["", "", "dies", "away", "refuses"]), st.sampled_from([0, 1]),
)  # fmt: skip
others = st.builds(Step, st.sampled_from(BY_OTHERS), st.just(()), crashes, st.just(""), st.sampled_from([0, 2]))
waits = st.builds(Step, st.just("wait"), st.just(()), crashes, st.just(""), st.sampled_from([1, 10, 60, 1900, 4000]))
walks = st.lists(st.one_of(inbounds, inbounds, others, waits), min_size=2, max_size=9)


async def walk_through(database: Database, url: str, doom: Doom, beginning: Beginning, steps: list[Step]) -> None:
    await empty(url)
    takes_keys, settings = beginning
    walk = Walk(await make_desk(database), doom, takes_keys)
    await walk.begin(*settings)
    for number, step in enumerate(steps):
        await walk.take(step)
        assert await faults(walk) == [], f"after step {number}"
    await walk.end()
    assert await last_faults(walk) == []


def test_whatever_happens_each_inbound_has_one_answer_or_one_reason(database_url: str, doom: Doom) -> None:
    @settings(
        max_examples=WALKS, deadline=None, derandomize=SEED is None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink], print_blob=False,
    )  # fmt: skip
    @given(st.tuples(st.booleans(), st.sampled_from(BEGINNINGS)), walks)
    def walk(beginning: Beginning, steps: list[Step]) -> None:
        runner.run(walk_through(database, database_url, doom, beginning, steps))

    with asyncio.Runner() as runner:
        database = Database(database_url)
        runner.run(database.__aenter__())
        try:
            (walk if SEED is None else seed(int(SEED))(walk))()
        finally:
            runner.run(database.__aexit__(None, None, None))
