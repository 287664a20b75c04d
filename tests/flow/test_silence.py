"""Why it did not answer: every inbound has its decision."""

from datetime import datetime
from decimal import Decimal

import pytest

from frontdesk.runtime.prompt import fixed_line
from tests.flow.harness import Desk

CLOSED = {
    "enabled": True,
    "weekly": [{"days": ["mon"], "from": "14:00", "to": "18:00"}],
    "exceptions": [],
    "out_of_schedule": {"action": "message", "message": "We open at two.", "once_per_hours": 2},
}


async def test_outside_the_schedule_the_message_goes_once(desk: Desk) -> None:
    await desk.configure(schedule_config=CLOSED)
    assert await desk.ask("Hello?") == ["We open at two."]
    assert await desk.ask("Anybody?") == []
    assert (await desk.decisions())[1:] == [("silent", "out_of_schedule_message"), ("silent", "out_of_schedule_told")]
    await desk.pass_time(3 * 3600)
    assert await desk.ask("Now?", "Yes.") == ["Yes."]


@pytest.mark.parametrize(("night", "begin"), [("spring", "2026-03-08T06:30Z"), ("autumn", "2026-11-01T05:30Z")])
async def test_the_pause_between_two_messages_is_of_hours_and_not_of_the_clock(
    desk: Desk, night: str, begin: str
) -> None:
    """From half past one in New York the clock shows 04:30, or 02:30, two hours later."""
    shut = CLOSED | {"weekly": [{"days": ["wed"], "from": "14:00", "to": "18:00"}]}
    await desk.configure(schedule_config=shut, timezone="America/New_York")
    desk.clock.set(datetime.fromisoformat(begin))
    assert await desk.ask("Hello?") == ["We open at two."]
    await desk.pass_time(2 * 3600 - 60)
    assert await desk.ask("Anybody?") == []
    await desk.pass_time(60)
    assert await desk.ask("And now?") == ["We open at two."]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"blocked": True}, "contact_blocked"), ({"assigned_user_id": 1}, "owner_is_person"),
     ({"assigned_ai_assistant_id": None}, "no_assistant"),
     ({"assigned_ai_assistant_id": None, "ai_auto_assignment_disabled": True}, "auto_assignment_disabled")],
)  # fmt: skip
async def test_who_may_not_be_answered(desk: Desk, fields: dict[str, object], reason: str) -> None:
    await desk.change(**fields)
    assert await desk.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", reason)
    assert desk.script.requests == []
    row = (await desk.fetch("SELECT * FROM ai_decisions ORDER BY id DESC LIMIT 1"))[0]
    assert row["would_change"] != ""


async def test_a_hand_back_lets_the_assistant_answer_again(desk: Desk) -> None:
    await desk.change(assigned_user_id=desk.user_id)
    await desk.ask("Hello?")
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    assert await desk.ask("Still there?", "I am back.") == ["I am back."]


async def test_a_spent_budget_stops(desk: Desk) -> None:
    await desk.fetch("UPDATE organizations SET ai_daily_budget = $1 RETURNING id", Decimal("0.0001"))
    await desk.ask("One?", "Yes.")
    assert await desk.ask("Two?") == [fixed_line("ENG")]
    assert await desk.ask("Three?") == []
    assert (await desk.decisions())[-1] == ("silent", "budget_cost_handoff")
    assert (await desk.conversation())["owner_reason"] == "budget_cost_handoff"
    await desk.clock.advance(13 * 3600)
    assert await desk.ask("Tomorrow?", "Good morning.") == ["Good morning."]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def test_a_deleted_assistant_is_silent(desk: Desk) -> None:
    await desk.fetch("UPDATE ai_assistants SET deleted_at = now(), version = version + 1 RETURNING id")
    assert await desk.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", "assistant_deleted")


async def test_disable_reply_runs_the_turn_and_sends_nothing(desk: Desk) -> None:
    await desk.configure(disable_reply=True)
    assert await desk.ask("Hello?", "Nobody reads this.") == []
    assert (await desk.decisions())[-1] == ("muted", "reply_disabled")
    assert len(desk.script.requests) == 1
    assert await desk.fetch("SELECT id FROM outbox WHERE ai_turn_id = 2") == []


async def test_a_message_opens_a_closed_conversation_anew(desk: Desk) -> None:
    await desk.pass_time(60)
    await desk.change(status="closed")
    assert await desk.ask("Me again", "Welcome back.") == ["Welcome back."]
    assert (await desk.conversation())["status"] == "open"
    assert "Good day" not in str(desk.script.requests[-1])
