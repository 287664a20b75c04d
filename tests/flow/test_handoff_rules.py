"""The rules that need no model, and those that a running turn meets, each seen at the desk."""

import pytest

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, call
from tests.flow.test_handoff import ASK, LINE, handoffs, hands_over, transfer

KEYWORDS = {"id": "k", "type": "keywords", "keywords": ["lawyer"]}
AT_NIGHT = {"enabled": True, "weekly": [{"days": ["sun"], "from": "09:00", "to": "10:00"}]}
WRONG = {"contact_id": 999_999, "phone": "5550009"}


async def owner(desk: Desk) -> Json:
    return (await desk.conversation())["assigned_user_id"]


async def test_a_keyword_hands_over_without_a_model(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)
    assert await desk.ask("I will call my lawyer.") == [LINE]
    assert desk.script.requests == []
    assert await owner(desk) == desk.user_id
    assert (await desk.decisions())[-1] == ("handed_off", "handoff_keywords")
    (decision,) = await desk.fetch("SELECT * FROM ai_decisions ORDER BY id DESC LIMIT 1")
    assert decision["config_path"] == "human_handoff_config.rules.0"
    assert decision["sentence"] == (
        "No answer: handed to a person, because the customer wrote “lawyer” (rule k)."
    )  # fmt: skip
    assert (await desk.conversation())["handoff_reason"] == "keywords: lawyer"


async def test_a_keyword_in_a_burst_does_not_wait_for_its_end(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)
    await desk.configure(enable_message_burst_handling=True)
    await desk.say("Hello?")
    await desk.settle()
    assert await desk.ask("My lawyer!") == [LINE]
    assert (await desk.decisions())[1:] == [("handed_off", "handoff_keywords")] * 2
    await desk.pass_time(60)
    assert desk.script.requests == []


async def test_a_keyword_stops_a_turn_that_is_running(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)

    async def interrupted(_: object) -> str:
        await desk.say("lawyer")
        return "Never sent."

    assert await desk.ask("Hello?", interrupted) == [LINE]
    assert len(await handoffs(desk)) == 1


@pytest.mark.parametrize(("kind", "replies"), [("image", [LINE]), ("video", ["Thank you."])])
async def test_an_attachment_of_a_kind_hands_over(desk: Desk, kind: str, replies: list[str]) -> None:
    await hands_over(desk, {"id": "a", "type": "attachment", "kinds": ["image", "audio"]})
    desk.script.say("Thank you.")
    await desk.say("", message_type=kind, extras={"file_name": "x", "media_url": "https://example.com/x"})
    await desk.settle()
    assert (await desk.replies())[1:] == replies


async def test_the_third_message_hands_over_and_a_hand_back_counts_anew(desk: Desk) -> None:
    await hands_over(desk, {"id": "m", "type": "message_count", "count": 3})
    assert await desk.ask("Two", "Yes.") == ["Yes."]
    assert await desk.ask("Three") == [LINE]
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    assert await desk.ask("One", "Again.") == ["Again."]
    assert await desk.ask("Two", "Again!") == ["Again!"]
    assert await desk.ask("Three") == [LINE]


async def test_after_two_answers_that_lead_nowhere_a_person_gets_it(desk: Desk) -> None:
    await hands_over(desk, {"id": "n", "type": "no_answer", "after_turns": 2})
    assert await desk.ask("Price?", "I don't know.") == ["I don't know."]
    assert await desk.ask("Who knows?", "I can't help with that.") == ["I can't help with that.", LINE]
    assert (await desk.conversation())["handoff_reason"] == "no_answer: 2"
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_progress_between_them_begins_the_count_anew(desk: Desk) -> None:
    await hands_over(desk, {"id": "n", "type": "no_answer", "after_turns": 2})
    for text in ("I don't know.", "It is 60 €.", "I don't know that either."):
        assert await desk.ask("Well?", text) == [text]
    assert await handoffs(desk) == []


async def test_the_gate_does_it_where_the_look_back_was_lost(desk: Desk) -> None:
    await desk.ask("Price?", "I don't know.")
    await hands_over(desk, {"id": "n", "type": "no_answer", "after_turns": 1})
    assert await desk.ask("Well?") == [LINE]
    assert (await desk.decisions())[-1] == ("handed_off", "handoff_no_answer")


async def test_tools_that_fail_in_a_row_hand_over_in_the_middle_of_the_turn(desk: Desk) -> None:
    await hands_over(desk, {"id": "t", "type": "tool_failure", "after_failures": 2})
    broken = [call("update_contact", f"c{i}", **WRONG, first_name=f"L{i}") for i in (1, 2)]
    assert await desk.ask("Change it", *broken) == [LINE]
    assert len(desk.script.requests) == 2
    assert (await desk.conversation())["handoff_reason"] == "tool_failure: 2 × update_contact"
    assert (await desk.turns())[-1] == "handed_off"


async def test_failures_are_counted_over_turns_until_one_works(desk: Desk) -> None:
    await hands_over(desk, {"id": "t", "type": "tool_failure", "after_failures": 2})
    assert await desk.ask("Change it", call("update_contact", **WRONG), "It did not work.") == ["It did not work."]
    worked = call("update_contact", contact_id=desk.contact_id, phone="5550003")
    assert await desk.ask("Again", worked, "Done.") == ["Done."]
    assert await desk.ask("Again", call("update_contact", **WRONG), "Hm.") == ["Hm."]
    assert await desk.ask("Again", call("update_contact", **WRONG)) == [LINE]


async def test_the_schedule_hands_over(desk: Desk) -> None:
    await hands_over(desk, out_of_schedule_message=None)
    closed = {**AT_NIGHT, "out_of_schedule": {"action": "handoff", "message": "We open on Sunday."}}
    await desk.configure(schedule_config=closed)
    assert await desk.ask("Anybody?") == ["We open on Sunday."]
    assert (await desk.decisions())[-1] == ("handed_off", "out_of_schedule_handoff")
    assert await owner(desk) == desk.user_id


async def test_a_rule_in_silent_mode_says_nothing(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)
    await desk.configure(disable_reply=True)
    assert await desk.ask("lawyer") == []
    assert await owner(desk) == desk.user_id


async def test_too_many_calls_end_in_the_hand_off(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.configure(advanced_options={"max_tool_calls": 0})
    stubborn = [call("find_contact", f"c{i}", query="Ana") for i in range(5)]
    assert await desk.ask("Who is Ana?", *stubborn) == [LINE]
    assert (await desk.conversation())["handoff_reason"] is not None
    assert (await desk.turns())[-1] == "too_many_tool_calls"


async def test_the_rule_of_the_model_stays_beside_the_others(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS, ASK)
    assert await desk.ask("A person, please", transfer()) == [LINE]
    assert (await handoffs(desk))[0]["rule_id"] == "r1"
