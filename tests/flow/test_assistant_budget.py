"""An assistant's own limits of cost: a gate before a turn, a check between its steps, what the customer reads."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, Reply, call

FIXED = "I'm sorry, I can't answer right now. We have your message and will get back to you."
PENNY = 0.000001  # less than any request costs here


async def limit(desk: Desk, **budget: Json) -> None:
    await desk.configure(advanced_options={"budget": budget})


async def decision(desk: Desk) -> Mapping[str, Json]:
    row = await desk.fetch("SELECT * FROM ai_decisions ORDER BY id DESC LIMIT 1")
    return dict(row[0])


async def costs(desk: Desk) -> tuple[object, object]:
    turns = await desk.fetch("SELECT sum(cost) FROM ai_turns")
    day = await desk.fetch("SELECT cost FROM ai_assistant_daily_usage WHERE ai_assistant_id = $1", desk.assistant_id)
    return turns[0][0], day[0][0]


async def test_what_an_assistant_costs_is_counted_by_its_own_day(desk: Desk) -> None:
    await desk.ask("Hello?", call("find_contact", search="Luis"), "Done.")
    spent, today = await costs(desk)
    assert spent == today
    # 20:30 of Sunday in Bogotá, Monday here.
    await desk.configure(timezone="America/Bogota")
    await desk.clock.advance(13.5 * 3600)
    await desk.ask("Late?", "Yes.")
    days = await desk.fetch("SELECT day::text FROM ai_assistant_daily_usage ORDER BY day")
    assert [row[0] for row in days] == ["2026-01-05"]


@pytest.mark.parametrize("member", ["max_cost_per_conversation", "max_cost_per_day"])
async def test_at_the_limit_the_customer_reads_one_line_and_then_nothing(desk: Desk, member: str) -> None:
    await limit(desk, on_exceeded="stop", **{member: PENNY})
    assert await desk.ask("One?") == [FIXED]
    assert await desk.ask("Two?") == []
    found = await decision(desk)
    code = "conversation_budget_spent" if "conversation" in member else "assistant_budget_spent"
    assert (found["outcome"], found["reason"], found["gate"]) == ("silent", code, "assistant_budget")
    assert found["config_path"] == f"advanced_options.budget.{member}"
    assert "of 0.000001 US dollars" in str(found["sentence"])
    assert desk.script.requests == []
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def test_the_day_after_it_answers_again_and_the_line_is_said_anew(desk: Desk) -> None:
    await limit(desk, on_exceeded="stop", max_cost_per_day=PENNY)
    assert await desk.ask("One?") == [FIXED]
    await desk.clock.advance(12.5 * 3600)
    assert await desk.ask("Tomorrow?", "Good morning.") == ["Good morning."]
    assert await desk.ask("And now?") == [FIXED]


async def test_a_conversation_that_was_closed_begins_at_nothing(desk: Desk) -> None:
    await limit(desk, on_exceeded="stop", max_cost_per_conversation=PENNY)
    await desk.pass_time(60)
    await desk.change(status="closed")
    assert await desk.ask("Me again", "Welcome back.") == ["Welcome back."]
    assert await desk.ask("And now?") == [FIXED]


async def test_below_the_limit_it_answers(desk: Desk) -> None:
    await limit(desk, max_cost_per_conversation=1, max_cost_per_day=1)
    assert await desk.ask("Hello?", "Yes.") == ["Yes."]
    gates = {entry["gate"]: entry for entry in (await desk.call("ai-decisions", "get", 2)).value["gates"]}  # type: ignore[union-attr, index, call-overload]
    assert gates["assistant_budget"]["reason"] == "within_its_limits"  # type: ignore[index, call-overload]


async def test_without_people_to_hand_to_nobody_has_it_and_the_customer_knows(desk: Desk) -> None:
    await limit(desk, max_cost_per_day=PENNY)
    assert await desk.ask("One?") == [FIXED]
    talk = await desk.conversation()
    assert (talk["assigned_ai_assistant_id"], talk["owner_reason"]) == (None, "assistant_budget_handoff")
    assert await desk.ask("Two?") == []
    assert (await decision(desk))["reason"] == "assistant_budget_handoff"
    await limit(desk, max_cost_per_day=1)
    assert await desk.ask("Three?", "Here I am.") == ["Here I am."]
    assert (await desk.conversation())["owner_reason"] is None


async def test_with_a_hand_off_a_person_gets_it(desk: Desk) -> None:
    target = {"type": "user", "user_ids": [desk.user_id], "strategy": "fixed"}
    await desk.configure(human_handoff_config={"enabled": True, "target": target, "customer_message": "A colleague."})
    await limit(desk, max_cost_per_day=PENNY)
    assert await desk.ask("One?") == ["A colleague."]
    talk, found = await desk.conversation(), await decision(desk)
    assert (talk["assigned_user_id"], talk["handoff_reason"]) == (desk.user_id, "budget")
    assert (found["outcome"], found["reason"]) == ("handed_off", "assistant_budget_handoff")


async def test_in_silent_mode_it_stops_without_a_word_and_without_a_new_owner(desk: Desk) -> None:
    await desk.configure(disable_reply=True)
    await limit(desk, max_cost_per_day=PENNY)
    assert await desk.ask("One?") == []
    assert (await decision(desk))["reason"] == "assistant_budget_spent"
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def over(desk: Desk) -> float:
    """A limit that the next step reaches."""
    spent = (await desk.fetch("SELECT sum(cost) FROM ai_turns"))[0][0]
    return float(spent) + PENNY


@pytest.mark.parametrize(
    ("on_exceeded", "owner", "reason"),
    [("stop", True, "conversation_budget_spent"), ("handoff", False, "conversation_budget_handoff")],
)
async def test_a_turn_that_reaches_the_limit_asks_no_more(
    desk: Desk, on_exceeded: str, owner: bool, reason: str
) -> None:
    await limit(desk, on_exceeded=on_exceeded, max_cost_per_conversation=await over(desk))
    assert await desk.ask("Note it.", call("add_note", text="Called."), "Never said.") == [FIXED]
    assert len(desk.script.requests) == 1
    assert (await desk.turns())[-1] == reason
    assert ((await desk.conversation())["assigned_ai_assistant_id"] is not None) is owner
    assert (await decision(desk))["outcome"] == "failed"
    assert "US dollars" in str((await decision(desk))["sentence"])
    # What was done stays done, and the line counts as the one of the day.
    assert len(await desk.fetch("SELECT id FROM notes")) == 1
    assert await desk.ask("Two?") == []


async def test_a_turn_in_hand_goes_to_a_person_at_the_limit(desk: Desk) -> None:
    await desk.configure(human_handoff_config={"enabled": True, "customer_message": "A colleague."})
    await limit(desk, max_cost_per_conversation=await over(desk))
    assert await desk.ask("Note it.", call("add_note", text="Called."), "Never said.") == ["A colleague."]
    assert (await decision(desk))["outcome"] == "handed_off"


async def test_an_answer_that_reaches_the_limit_is_still_sent(desk: Desk) -> None:
    await limit(desk, max_cost_per_conversation=await over(desk))
    assert await desk.ask("Hello?", "Here you are.") == ["Here you are."]


async def test_a_resumed_turn_is_checked_before_it_asks_again(desk: Desk) -> None:
    async def dear(_: list[ModelMessage]) -> Reply:
        await desk.fetch("UPDATE ai_assistant_daily_usage SET cost = 5 RETURNING cost")
        return TimeoutError("no answer")

    await limit(desk, on_exceeded="stop", max_cost_per_day=1)
    desk.script.say(call("find_contact", search="Luis"), dear)
    await desk.say("Hello?")
    await desk.settle()
    await desk.pass_time(5)
    assert (await desk.replies())[1:] == [FIXED]
    assert len(desk.script.requests) == 2
