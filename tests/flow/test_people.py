"""A person speaks: the assistant is quiet at once."""

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.caller import Caller, Role
from tests.flow.follow_ups import FIXED, ended, remind
from tests.flow.harness import Desk, Reply, call

REPLY = "conversation-messages-transform-outgoing-webchat"


async def webchat(desk: Desk) -> None:
    """The desk's conversation as one of the web chat."""
    desk.channel = "webchat"
    for table in ("conversations", "conversation_messages"):
        await desk.fetch(f"UPDATE {table} SET channel = 'webchat' RETURNING id")


async def reply(desk: Desk, text: str, caller: Caller | None = None, **fields: object) -> dict[str, object]:
    data = {"conversation_id": desk.conversation_id, "message_text": text, **fields}
    answer = await desk.door.call(caller or desk.owner, REPLY, "create", data=data)
    return dict(answer.value)


async def test_a_person_takes_over_in_the_middle_of_a_turn(desk: Desk) -> None:
    await webchat(desk)

    async def interrupted(_: list[ModelMessage]) -> Reply:
        await reply(desk, "Marta here.")
        return "Never sent."

    assert await desk.ask("Hello?", interrupted) == ["Marta here."]
    assert await desk.turns() == ["answered", "person_took_over"]
    assert (await desk.decisions())[-1] == ("silent", "person_took_over")
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["assigned_ai_assistant_id"]) == (desk.user_id, None)
    assert (talk["handed_off_by_ai_assistant_id"], talk["ai_auto_assignment_disabled"]) == (desk.assistant_id, True)
    assert await desk.ask("Thanks, Marta") == []


async def test_a_takeover_by_patch_stops_the_turn(desk: Desk) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        return "Never sent."

    assert await desk.ask("Hello?", interrupted) == []
    assert (await desk.decisions())[-1] == ("silent", "person_took_over")


async def test_closing_in_the_middle_of_a_turn_stops_it(desk: Desk) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.change(status="closed")
        return call("update_contact", contact_id=desk.contact_id, phone="5550009")

    assert await desk.ask("Hello?", interrupted) == []
    assert (await desk.decisions())[-1] == ("silent", "conversation_closed")
    assert (await desk.call("contacts", "get", desk.contact_id)).value["phone"] == "5550001"


async def test_notes_and_keys_do_not_take_over(desk: Desk) -> None:
    await webchat(desk)
    key = Caller(desk.organization_id, desk.user_id, Role.admin, via="api_key")
    await reply(desk, "An automatic word.", key)
    await reply(desk, "He sounds upset.", message_type="note")
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id
    assert await desk.ask("Hello?", "Yes?") == ["Yes?"]
    assert "upset" not in str(desk.script.requests[-1])
    await reply(desk, "Now by hand.", key, takeover=True)
    talk = await desk.conversation()
    assert (talk["assigned_ai_assistant_id"], talk["assigned_user_id"]) == (None, desk.user_id)


@pytest.mark.parametrize("caller", ["key", "login"])
async def test_who_answers_without_taking_over_ends_the_reminders(desk: Desk, caller: str) -> None:
    await webchat(desk)
    await remind(desk, FIXED, stop_on=["close"])
    await desk.ask("Have you a place?", "At ten.")
    key = Caller(desk.organization_id, desk.user_id, Role.admin, via="api_key")
    await reply(desk, "A note.", key, message_type="note")
    assert await ended(desk) == [("scheduled", None)]
    await reply(desk, "At ten it is.", key if caller == "key" else None, takeover=False)
    assert await ended(desk) == [("cancelled", "human")]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def test_a_takeover_during_the_burst_window_stops_the_turn(desk: Desk) -> None:
    await desk.configure(enable_message_burst_handling=True)
    await desk.say("Hello?")
    await desk.settle()
    await desk.change(assigned_user_id=desk.user_id)
    await desk.pass_time(60)
    assert desk.script.requests == []
    assert (await desk.decisions())[-1] == ("silent", "person_took_over")


async def test_another_assistant_answers_what_the_first_one_had_begun(desk: Desk) -> None:
    other = await desk.call(
        "ai-assistants", "create", name="Billing", assistant_type="conversation", ai_model_id=1, instructions="Bills.",
    )  # fmt: skip

    async def handed_over(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_ai_assistant_id=other.value["id"])
        return "Never sent."

    assert await desk.ask("My bill?", handed_over, "Billing here.") == ["Billing here."]
    assert await desk.turns() == ["answered", "newer_epoch", "answered"]
    assert "Bills." in str(desk.script.infos[-1].instructions)


async def test_a_cut_of_the_context_stops_the_turn_and_starts_anew(desk: Desk) -> None:
    async def cut(_: list[ModelMessage]) -> Reply:
        await desk.clock.advance(60)
        await desk.change(ai_context_cut=desk.clock.now().isoformat())
        return "Never sent."

    assert await desk.ask("Forget this", cut) == []
    await desk.pass_time(1)
    assert await desk.ask("Hello?", "A new beginning.") == ["A new beginning."]
    assert "Forget this" not in str(desk.script.requests[-1])


async def test_a_message_that_waits_behind_a_turn_is_not_answered_after_a_close(desk: Desk) -> None:
    async def closed(_: list[ModelMessage]) -> Reply:
        await desk.say("And another thing")
        await desk.change(status="closed")
        return "Never sent."

    change = call("update_contact", contact_id=desk.contact_id, phone="5550009")
    assert await desk.ask("Change my phone", change, closed) == []
    assert [reason for _, reason in (await desk.decisions())[1:]] == ["conversation_closed"] * 2
    assert await desk.ask("Hello?", "Welcome back.") == ["Welcome back."]


async def test_a_person_who_takes_it_ends_the_reason_why_nobody_had_it(desk: Desk) -> None:
    desk.script.is_missing = True
    await desk.ask("Hello?")
    assert (await desk.conversation())["owner_reason"] == "no_model"
    await desk.change(assigned_user_id=desk.user_id)
    assert (await desk.conversation())["owner_reason"] is None
