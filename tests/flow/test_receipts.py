"""Rule 16 of a turn: a reply that says something was done, and whether anything did it."""

import json
from typing import cast

import pytest
from pydantic_ai.messages import UserPromptPart
from pydantic_ai.models.function import DeltaToolCalls

from frontdesk.core.errors import Json
from frontdesk.flow import Flow
from tests.flow.follow_ups import HOUR, WRITTEN, remind
from tests.flow.harness import Desk, call
from tests.flow.staff import make_team
from tests.flow.test_resume import LEASE, Killed, killed

CLAIM = "I have changed your phone number."
HONEST = "I have not been able to do that yet."
OFF = {"receipts": {"mode": "off"}}
BOTH = {"receipts": {"mode": "rules_and_model"}}
FIXED = "I'm sorry, I can't answer right now. We have your message and will get back to you."


async def checks(desk: Desk) -> list[dict[str, Json]]:
    rows = await desk.fetch("SELECT result FROM ai_turn_steps WHERE kind = 'check' ORDER BY ai_turn_id, position")
    return [cast("dict[str, Json]", json.loads(row[0])) for row in rows]


async def actions(desk: Desk) -> list[Json]:
    return [check["action"] for check in await checks(desk)]


def change(desk: Desk) -> DeltaToolCalls:
    return call("update_contact", contact_id=desk.contact_id, phone="5550009")


async def test_a_claim_with_its_receipt_is_sent(desk: Desk) -> None:
    assert await desk.ask("My number is 5550009.", change(desk), CLAIM) == [CLAIM]
    assert await checks(desk) == []


async def test_a_claim_without_a_receipt_is_asked_for_once_more(desk: Desk) -> None:
    assert await desk.ask("My number is 5550009.", CLAIM, "I cannot change it.") == ["I cannot change it."]
    told = desk.script.requests[-1][-1].parts[-1]
    assert isinstance(told, UserPromptPart)
    assert "I have changed your phone number." in told.content
    (check,) = await checks(desk)
    assert check["action"] == "asked_again"
    assert check["claims"] == [{"sentence": CLAIM, "kinds": ["changed"], "by": "rules"}]


async def test_asked_once_more_the_model_may_do_it(desk: Desk) -> None:
    assert await desk.ask("My number is 5550009.", CLAIM, change(desk), CLAIM) == [CLAIM]
    (row,) = await desk.fetch("SELECT phone FROM contacts WHERE id = $1", desk.contact_id)
    assert row[0] == "5550009"


async def test_claimed_twice_the_sentence_is_cut_where_the_rest_stands(desk: Desk) -> None:
    reply = f"{CLAIM} Our opening hours are 9 to 5."
    assert await desk.ask("My number is 5550009.", CLAIM, reply) == [f"{HONEST} Our opening hours are 9 to 5."]
    assert await actions(desk) == ["asked_again", "cut"]


async def test_claimed_twice_and_nothing_else_it_is_handed_over(desk: Desk) -> None:
    await desk.configure(human_handoff_config={"enabled": True})
    said = await desk.ask("My number is 5550009.", CLAIM, f"{CLAIM} Anything else?")
    assert said == ["I am passing you on to a colleague, who will answer you here."]
    assert (await desk.turns())[-1] == "claim_without_receipt"
    assert (await desk.decisions())[-1] == ("handed_off", "handed_off_after_claim")
    talk = await desk.conversation()
    assert talk["handoff_reason"] == f"claim_without_receipt: {CLAIM}"


async def test_where_nobody_can_take_it_the_customer_gets_the_fixed_line(desk: Desk) -> None:
    assert await desk.ask("My number is 5550009.", CLAIM, CLAIM) == [FIXED]
    assert (await desk.decisions())[-1] == ("failed", "claim_without_receipt")
    assert await actions(desk) == ["asked_again", "handed_over"]


@pytest.mark.parametrize("reply", ["I can change it for you.", "Done.", "Shall I change it?", "It was not changed."])
async def test_what_claims_nothing_is_left_alone(desk: Desk, reply: str) -> None:
    assert await desk.ask("My number?", reply) == [reply]
    assert await checks(desk) == []


async def test_another_kind_of_call_is_no_receipt(desk: Desk) -> None:
    note = call("add_note", contact_id=desk.contact_id, text="Wants Monday.")
    await desk.ask("Monday?", note, "I have booked your visit.", "It is noted, and not booked.")
    assert await actions(desk) == ["asked_again"]


async def test_a_call_that_failed_is_no_receipt(desk: Desk) -> None:
    await desk.ask("Change it.", call("update_contact", contact_id=999999, phone="5550009"), CLAIM, "It failed.")
    assert await actions(desk) == ["asked_again"]


async def test_an_earlier_call_of_the_episode_counts_when_it_is_named(desk: Desk) -> None:
    await desk.ask("My number is 5550009.", change(desk), CLAIM)
    assert await desk.ask("Really?", "Yes, I have changed it.") == ["Yes, I have changed it."]
    await desk.ask("And now 5550010.", "I have changed it to 5550010.", "Not yet.")
    assert await actions(desk) == ["asked_again"]


async def test_a_new_episode_has_no_receipts_of_the_old_one(desk: Desk) -> None:
    await desk.ask("My number is 5550009.", change(desk), CLAIM)
    await desk.change(status="closed")
    await desk.clock.advance(1)
    await desk.ask("Hello again, my number?", "Yes, I have changed it.", "I do not know.")
    assert await actions(desk) == ["asked_again"]


async def test_spanish_is_read_too(desk: Desk) -> None:
    await desk.configure(instructions_language="ESP")
    said = await desk.ask("Hola", "Te he reservado la cita.", "Te he reservado la cita. Abrimos el lunes a las nueve.")
    assert said == ["Eso todavía no lo he podido hacer. Abrimos el lunes a las nueve."]


async def test_the_check_can_be_switched_off(desk: Desk) -> None:
    await desk.configure(advanced_options=OFF)
    assert await desk.ask("My number is 5550009.", CLAIM) == [CLAIM]


async def test_a_muted_turn_needs_no_receipt(desk: Desk) -> None:
    await desk.configure(disable_reply=True)
    assert await desk.ask("My number is 5550009.", CLAIM) == []
    assert await checks(desk) == []


async def test_the_reply_beside_values_is_checked(desk: Desk) -> None:
    await desk.configure(additional_json_keys=[{"key": "intent", "type": "string", "required": True}])
    first = call("final_answer", "a1", reply=CLAIM, intent="change")
    second = call("final_answer", "a2", reply="I cannot do that.", intent="change")
    assert await desk.ask("My number is 5550009.", first, second) == ["I cannot do that."]
    cut = call("final_answer", "a3", reply=CLAIM, intent="a"), call("final_answer", "a4", reply=CLAIM, intent="b")
    assert await desk.ask("And now?", *cut) == [FIXED]
    assert await actions(desk) == ["asked_again", "asked_again", "handed_over"]


async def drafts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shown: list[str] = []

    async def show(_: object, text: str) -> None:
        shown.append(text)

    monkeypatch.setattr("frontdesk.runtime.held_turn.HeldTurn.show_draft", show)
    monkeypatch.setattr("frontdesk.runtime.model_loop.DRAFT_EVERY", 0.0)
    return shown


async def test_a_claim_without_a_receipt_is_never_a_draft(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = await drafts(desk, monkeypatch)
    await desk.ask("My number is 5550009.", f"Good day. {CLAIM} We open at nine. Bye.", "Not done. Sorry.")
    assert [text.strip() for text in shown] == ["Good day.", "Not done."]


async def test_a_claim_with_its_receipt_is_a_draft(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = await drafts(desk, monkeypatch)
    await desk.ask("My number is 5550009.", change(desk), f"{CLAIM} Bye.")
    assert [text.strip() for text in shown] == [CLAIM]


async def test_killed_after_it_was_asked_again_the_model_answers_once_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_: object) -> str:
        raise Killed

    desk.script.say(CLAIM, die)
    await desk.say("My number is 5550009.")
    with pytest.raises(Killed):
        await desk.settle()
    desk.script.say("I cannot change it.")
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["I cannot change it."]
    assert await actions(desk) == ["asked_again"]
    told = desk.script.requests[-1][-1].parts[-1]
    assert isinstance(told, UserPromptPart)
    assert CLAIM in told.content


async def test_killed_after_the_cut_nothing_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.script.say(CLAIM, f"{CLAIM} Our opening hours are 9 to 5.")
    await desk.say("My number is 5550009.")
    with monkeypatch.context() as patch:
        patch.setattr(Flow, "deliver", killed)
        with pytest.raises(Killed):
            await desk.settle()
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == [f"{HONEST} Our opening hours are 9 to 5."]
    assert len(desk.script.requests) == 2


async def test_the_model_reads_what_the_rules_cannot(desk: Desk) -> None:
    await desk.configure(advanced_options=BOTH)
    said = await desk.ask("Guten Tag", "Ich habe Ihren Termin gebucht.", "1", "Das kann ich nicht.", "none")
    assert said == ["Das kann ich nicht."]
    assert await actions(desk) == ["asked_again", "passed"]
    (cost,) = await desk.fetch("SELECT count(*) FROM ai_turn_steps WHERE kind = 'check' AND cost > 0")
    assert cost[0] == 2


async def test_a_second_check_that_fails_leaves_it_to_the_rules(desk: Desk) -> None:
    await desk.configure(advanced_options=BOTH)
    assert await desk.ask("Hello?", "We are open.", TimeoutError("too slow")) == ["We are open."]
    assert await desk.ask("Hello?", "We are open.", "What do you mean?") == ["We are open."]
    rows = await desk.fetch("SELECT status FROM ai_turn_steps WHERE kind = 'check'")
    assert [row[0] for row in rows] == ["failed", "failed"]


async def test_the_trace_shows_the_check(desk: Desk) -> None:
    await desk.ask("My number is 5550009.", CLAIM, "I cannot.")
    page = await desk.door.call(desk.owner, "ai-turns", "find", query={"$sort": {"id": -1}, "$limit": 1})
    steps = cast("list[dict[str, Json]]", cast("list[dict[str, Json]]", page.value["data"])[0]["steps"])
    assert [(step["kind"], step["status"]) for step in steps] == [
        ("model", "done"), ("check", "refused"), ("model", "done"),
    ]  # fmt: skip


async def test_a_member_is_told_why_there_is_no_answer(desk: Desk) -> None:
    chat = await (await make_team(desk)).session()
    (said,) = await chat.ask("I have changed the deal.", "The deal has been changed.", "The deal has been changed.")
    assert said == "No answer: the reply said twice that something was done, and no tool had done it."


async def test_what_a_person_has_done_may_be_told(desk: Desk) -> None:
    was = "UPDATE conversation_messages SET sender = 'user', message_text = $1 WHERE direction = 'outbound'"
    await desk.fetch(was, "I have booked you for Monday.")
    assert await desk.ask("So?", "Your visit is booked for Monday.") == ["Your visit is booked for Monday."]


async def test_a_ticket_and_its_earlier_calls(desk: Desk) -> None:
    """The same rule on a ticket: an earlier call that is named is a receipt, a new claim is none."""
    members = "kind = 'ticket', subject = 'x', priority = 'high', reference_number = 1, tags = '{}'"
    await desk.fetch(f"UPDATE conversations SET {members} RETURNING id")
    await desk.fetch("UPDATE conversation_messages SET kind = 'ticket' RETURNING id")
    assert await desk.ask("My number is 5550009.", change(desk), CLAIM) == [CLAIM]
    named = "Yes, I have changed it to 5550009 already."
    assert await desk.ask("Did you?", named) == [named]
    said = await desk.ask("Now to 5550010.", "I have changed it to 5550010.", "I cannot change it.")
    assert (said, await actions(desk)) == (["I cannot change it."], ["asked_again"])


async def test_a_follow_up_claims_nothing_either(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask("Have you a place on Friday?", "At ten.")
    desk.script.say("I have booked it for you.", "Shall I book Friday at ten?")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Shall I book Friday at ten?"
    assert await actions(desk) == ["asked_again"]


@pytest.mark.parametrize("reply", ["Your appointment is on Monday.", "I can book Monday at ten.", "Shall I book it?"])
async def test_ordinary_words_after_a_look_are_no_claims(desk: Desk, reply: str) -> None:
    assert await desk.ask("When is it?", call("find_contact", query="Ana"), reply) == [reply]
    assert await checks(desk) == []
