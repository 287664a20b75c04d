"""A crash before each use of the database around a call to another system: at most one order, and always an answer."""

from __future__ import annotations

from pydantic_ai.messages import ModelMessage, ToolReturnPart

from tests.flow.harness import Desk, Reply, call
from tests.flow.test_api_tools import offer_change, open_desk, shop
from tests.flow.test_crash_points import Doom, Killed, doom
from tests.flow.test_resume import is_valid
from tests.webhook_receiver import Receiver

__all__ = ["doom", "open_desk", "shop"]
MOST_POINTS = 60
ANSWERS = ["Ordered.", "A colleague will check."]


async def sensible(messages: list[ModelMessage]) -> Reply:
    """Orders once, then says what the result says."""
    assert is_valid(messages)
    returned = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if returned:
        return ANSWERS["unknown" in str(returned[0].content)]
    return call("api_place_order", article="lamp")


async def order(desk: Desk, doom: Doom, shop: Receiver, uses: int) -> bool:
    """One order whose worker dies after so many uses; another goes on. True where it did not come to that."""
    shop.got.clear()
    stored = await desk.say("One lamp.", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.entries = [sensible] * 20
    doom.left = uses
    try:
        await desk.settle()
        survived = doom.left > 0
    except Killed:
        survived = False
    doom.left = None
    for seconds in (1, 10, 1):
        await desk.pass_time(seconds)
    rows = await desk.fetch(
        "SELECT m.message_text, s.status FROM conversation_messages m JOIN ai_turn_steps s"
        " ON s.ai_turn_id = m.ai_turn_id AND s.kind = 'tool'"
        " WHERE m.conversation_id = $1 AND m.direction = 'outbound' AND m.message_type = 'text'",
        stored.conversation_id,
    )
    assert len(rows) == 1, f"killed after {uses} uses of the database"
    said, status = rows[0]
    # What is said is true: ordered, or nobody knows; and never are there two orders.
    assert (said, status) in ((ANSWERS[0], "done"), (ANSWERS[1], "unknown"))
    assert len(shop.got) == 1 if status == "done" else len(shop.got) <= 1
    return survived


async def test_a_worker_may_die_at_any_use_of_the_database(open_desk: Desk, doom: Doom, shop: Receiver) -> None:
    await offer_change(open_desk, shop)
    points = 0
    while not await order(open_desk, doom, shop, points):
        points += 1
        assert points < MOST_POINTS
    assert points > 8
