"""An assistant gives its conversation to a person: owner, line, note, record, decision; and nothing of it twice."""

import json
from collections.abc import Mapping

import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import DeltaToolCall

from frontdesk.core.errors import Json
from tests.flow.harness import Crash, Desk, Reply, call

ASK = {"id": "r1", "type": "customer_request"}
ANGRY = {"id": "r3", "type": "condition", "description": "the customer is angry"}
LINE = "I am passing you on to a colleague."


async def hands_over(desk: Desk, *rules: Mapping[str, Json], **members: Json) -> None:
    """Configure the hand-off; without another target it goes to the desk's owner."""
    target = {"type": "user", "user_ids": [desk.user_id]}
    config = {"enabled": True, "rules": [*rules], "target": target, "customer_message": LINE, **members}
    await desk.configure(human_handoff_config=config)


def transfer(**arguments: Json) -> Reply:
    return call("transfer_to_human", **{"rule": "r1", "reason": "wants Marta", **arguments})


async def notes(desk: Desk) -> list[str]:
    rows = await desk.fetch(
        "SELECT message_text FROM conversation_messages WHERE message_type = 'note' AND sender = 'system' ORDER BY id"
    )
    return [row[0] for row in rows]


async def handoffs(desk: Desk) -> list[dict[str, Json]]:
    found = await desk.door.call(desk.owner, "ai-handoffs", "find", query={"$sort": {"id": 1}})
    return found.value["data"]  # type: ignore[return-value]


async def test_the_model_hands_over_and_the_customer_reads_one_line(desk: Desk) -> None:
    await hands_over(desk, ASK)
    assert await desk.ask("I want Marta", transfer(summary="Luis wants to move his visit.")) == [LINE]
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["assigned_ai_assistant_id"]) == (desk.user_id, None)
    assert (talk["handed_off_by_ai_assistant_id"], talk["ai_auto_assignment_disabled"]) == (desk.assistant_id, True)
    assert (talk["handoff_reason"], talk["ai_auto_assignment_disabled_reason"]) == (
        "customer_request: wants Marta", "handoff",
    )  # fmt: skip
    assert talk["handed_off_at"] is not None
    assert (await desk.turns())[-1] == "handed_off"
    assert (await desk.decisions())[-1] == ("handed_off", "handed_off")
    assert len(desk.script.requests) == 1


async def test_the_person_finds_a_note_and_the_record_says_all(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.ask("I want Marta", transfer(summary="Luis wants to move his visit."))
    (note,) = await notes(desk)
    assert "Reception handed this over: the customer asks for a person." in note
    assert "Reason: wants Marta" in note
    assert "Customer: Luis · verified · playground" in note
    assert "Summary: Luis wants to move his visit." in note
    (row,) = await handoffs(desk)
    assert (row["kind"], row["to_user_id"], row["rule"], row["rule_id"]) == (
        "human", desk.user_id, "customer_request", "r1",
    )  # fmt: skip
    (turn,) = await desk.fetch("SELECT id FROM ai_turns ORDER BY id DESC LIMIT 1")
    assert row["ai_turn_id"] == turn["id"]


async def test_without_the_models_summary_the_last_messages_are_repeated(desk: Desk) -> None:
    await hands_over(desk, ANGRY)
    await desk.ask("This is a scandal!", transfer(rule="r3", reason="shouts"))
    (note,) = await notes(desk)
    assert "Reason: the customer is angry — shouts" in note
    assert note.endswith("Last messages:\n- Customer: Hello\n- Assistant: Good day.\n- Customer: This is a scandal!")


async def test_the_tool_speaks_of_the_rules_and_is_only_there_with_them(desk: Desk) -> None:
    await desk.ask("Hello?")
    assert "transfer_to_human" not in str(desk.script.infos[-1].function_tools)
    await hands_over(desk, ASK, ANGRY, {"id": "r2", "type": "keywords", "keywords": ["zzz"]})
    await desk.ask("Hello?")
    (tool,) = [tool for tool in desk.script.infos[-1].function_tools if tool.name == "transfer_to_human"]
    assert "- r3: the customer is angry" in str(tool.description)
    assert tool.parameters_json_schema["properties"]["rule"]["enum"] == ["r1", "r3"]


async def test_an_unknown_rule_hands_nothing_over(desk: Desk) -> None:
    await hands_over(desk, ASK, ANGRY)
    assert await desk.ask("Hello?", transfer(rule="r9"), "Hello again.") == ["Hello again."]
    assert "rule must be one of: r1, r3" in str(desk.script.requests[-1])
    assert await handoffs(desk) == []


async def test_a_hand_off_works_at_the_limit_of_calls(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.configure(advanced_options={"max_tool_calls": 0})
    assert await desk.ask("Marta!", transfer()) == [LINE]


async def test_silent_hands_over_without_a_word(desk: Desk) -> None:
    await hands_over(desk, ASK, silent=True, summary=False)
    assert await desk.ask("Marta!", transfer()) == []
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id
    assert await notes(desk) == []


async def test_in_silent_mode_nothing_reaches_the_customer_and_the_team_still_gets_it(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.configure(disable_reply=True)
    assert await desk.ask("Marta!", transfer()) == []
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id
    assert len(await notes(desk)) == 1


async def test_without_a_message_of_its_own_the_line_is_in_the_assistants_language(desk: Desk) -> None:
    await hands_over(desk, ASK, customer_message=None)
    await desk.configure(instructions_language="ESP")
    (line,) = await desk.ask("¡Marta!", transfer())
    assert line.startswith("Te paso con una persona")
    assert "el cliente pide hablar con una persona" in (await notes(desk))[0]


async def test_outside_the_hours_the_customer_reads_that(desk: Desk) -> None:
    closed = {"enabled": True, "weekly": [{"days": ["sun"], "from": "09:00", "to": "10:00"}],
              "out_of_schedule": {"action": "reply"}}  # fmt: skip
    await hands_over(desk, ASK, out_of_schedule_message="We are back on Sunday.")
    await desk.configure(schedule_config=closed)
    assert await desk.ask("Marta!", transfer()) == ["We are back on Sunday."]


async def test_a_hand_off_that_is_switched_off_meanwhile_is_refused(desk: Desk) -> None:
    await hands_over(desk, ASK)

    async def switched_off(_: list[ModelMessage]) -> Reply:
        await hands_over(desk, ASK, enabled=False)
        return transfer()

    assert await desk.ask("Marta!", switched_off, "I am still here.") == ["I am still here."]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def test_a_person_who_was_faster_keeps_it(desk: Desk) -> None:
    await hands_over(desk, ASK, target={"type": "queue"})

    async def taken(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        return transfer()

    assert await desk.ask("Marta!", taken) == []
    assert await handoffs(desk) == []
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id


async def test_a_crash_at_the_commit_hands_over_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await hands_over(desk, ASK)
    desk.script.say(transfer())
    await desk.say("Marta!")

    async def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("frontdesk.runtime.held_turn.HeldTurn.record_call", crash)
        with pytest.raises(Crash):
            await desk.settle()
    assert await handoffs(desk) == []
    desk.script.say(transfer())
    await desk.pass_time(30)
    assert (await desk.replies())[-1:] == [LINE]
    assert len(await handoffs(desk)) == 1


async def test_after_the_hand_back_it_answers_and_remembers_no_hand_off(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.ask("Marta!", transfer())
    assert await desk.ask("Hello?") == []
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    talk = await desk.conversation()
    assert (talk["handoff_reason"], talk["handed_off_at"], talk["ai_auto_assignment_disabled"]) == (None, None, False)
    assert await desk.ask("Are you back?", "I am.") == ["I am."]
    assert "transfer_to_human" not in str([message.parts for message in desk.script.requests[-1]])


async def test_the_events_tell_of_it(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.ask("Marta!", transfer())
    rows = await desk.fetch("SELECT name FROM events WHERE name LIKE '%handed_off' OR name LIKE 'ai-handoffs.%'")
    assert [row["name"] for row in rows] == ["ai-handoffs.created", "conversations.handed_off"]


async def test_a_failing_model_ends_in_the_same_hand_off(desk: Desk) -> None:
    await hands_over(desk)
    desk.script.is_missing = True
    assert await desk.ask("Hello?") == [LINE]
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["owner_reason"]) == (desk.user_id, None)
    assert str(talk["handoff_reason"]).startswith("no_model")
    assert (await desk.turns())[-1] == "no_model"
    assert (await desk.decisions())[-1] == ("handed_off", "handed_off_after_failure")


async def test_what_the_model_asks_for_beside_the_hand_off_is_done_before_it_or_not_at_all(desk: Desk) -> None:
    await hands_over(desk, ASK)
    change = DeltaToolCall("update_contact", json.dumps({"contact_id": desk.contact_id, "phone": "5550007"}))
    away = DeltaToolCall("transfer_to_human", json.dumps({"rule": "r1", "reason": "asks"}))
    late = DeltaToolCall("update_contact", json.dumps({"contact_id": desk.contact_id, "phone": "5550008"}))
    for i, part in enumerate((change, away, late)):
        part.tool_call_id = f"c{i}"
    assert await desk.ask("Marta!", {0: change, 1: away, 2: late}) == [LINE]
    contact = (await desk.call("contacts", "get", desk.contact_id)).value
    assert contact["phone"] == "5550007"
    assert "Done by the assistant: update_contact" in (await notes(desk))[0]


async def test_with_values_beside_the_reply_a_hand_off_needs_none(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.configure(
        additional_json_keys=[{"key": "intent", "type": "string", "description": "why", "required": True}]
    )
    assert await desk.ask("Marta!", transfer()) == [LINE]


async def test_the_prompt_says_that_a_hand_off_is_a_call(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await desk.ask("Hello?", "Hello.")
    assert "To hand this conversation over, call transfer_to_human." in str(desk.script.infos[-1].instructions)
