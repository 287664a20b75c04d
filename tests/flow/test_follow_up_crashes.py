"""A crash before each use of the database that a follow-up makes: exactly one is sent, and its row says so."""

import pytest

from tests.flow.follow_ups import FIXED, HOUR, MINUTE, REMINDER, WRITTEN, ended, remind
from tests.flow.harness import Desk
from tests.flow.test_crash_points import Doom, Killed, doom  # noqa: F401

MOST_POINTS = 40


async def visit(desk: Desk, doom: Doom, uses: int) -> bool:  # noqa: F811
    """One answer whose follow-up's worker dies after so many uses. True where it did not come to that."""
    await desk.ask(f"Have you a place on day {uses}?", "At ten.")
    desk.script.entries = [REMINDER] * 9
    before = len(await desk.replies())
    await desk.clock.advance(HOUR)
    doom.left = uses
    try:
        await desk.settle()
        survived = doom.left > 0
    except Killed:
        survived = False
    doom.left = None
    for _ in range(4):
        await desk.pass_time(MINUTE)
    desk.script.entries.clear()
    assert (await desk.replies())[before:] == [REMINDER], f"killed after {uses} uses of the database"
    return survived


@pytest.mark.parametrize("rule", [FIXED, WRITTEN], ids=["fixed", "ai"])
async def test_a_crash_at_any_point_sends_it_once(desk: Desk, doom: Doom, rule: dict) -> None:  # type: ignore[type-arg]  # noqa: F811
    await remind(desk, rule, max_per_conversation=20)
    points = 0
    while not await visit(desk, doom, points):
        points += 1
        assert points < MOST_POINTS
        await desk.change(status="closed")
    assert points >= 3
    assert {outcome for outcome, _ in await ended(desk)} == {"sent"}
