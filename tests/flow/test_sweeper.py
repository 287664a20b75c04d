"""What the sweeper rings for: what is due, and nothing that somebody works on."""

from datetime import timedelta

import pytest

from frontdesk.runtime.sweeper import sweep
from tests.flow.harness import Desk


async def swept(desk: Desk, patience: float = 3) -> int:
    async with desk.database.system() as connection:
        return await sweep(connection, desk.clock, timedelta(seconds=patience))


async def test_a_fresh_inbound_is_left_to_its_own_bell(desk: Desk) -> None:
    await desk.say("Hello?")
    assert await swept(desk) == 0
    await desk.clock.advance(4)
    assert await swept(desk) == 1


@pytest.mark.parametrize(
    ("state", "bells"),
    [("lease_token = 't', lease_expires_at = now() + interval '100 years'", 0),
     ("lease_token = 't', lease_expires_at = due_at - interval '1 day'", 1),
     ("lease_token = NULL, due_at = due_at + interval '1 day'", 0), ("lease_token = NULL", 1)],
)  # fmt: skip
async def test_turns_are_rung_for_when_nobody_holds_them(desk: Desk, state: str, bells: int) -> None:
    await desk.configure(enable_message_burst_handling=True)
    await desk.say("Hello?")
    await desk.settle()
    await desk.clock.advance(60)
    await desk.fetch(f"UPDATE ai_turns SET {state} WHERE status <> 'ended' RETURNING id")
    assert await swept(desk) == bells


async def test_a_desk_at_rest_is_left_alone(desk: Desk) -> None:
    await desk.ask("Hello?", "Hi.")
    await desk.clock.advance(3600)
    assert await swept(desk, 0) == 0


async def test_sweeping_twice_rings_once(desk: Desk) -> None:
    await desk.say("Hello?")
    await desk.clock.advance(4)
    await desk.fetch("DELETE FROM pgqueuer RETURNING id")
    assert await swept(desk) == await swept(desk) == 1
    assert len(await desk.fetch("SELECT id FROM pgqueuer")) == 1
