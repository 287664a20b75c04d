"""Assistants pass a conversation on: one owner, a bounded chain, the next one answers the same message."""

from pydantic_ai.messages import ModelMessage

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_handoff import handoffs, transfer


async def another(desk: Desk, name: str, **fields: object) -> int:
    made = await desk.call(
        "ai-assistants", "create", name=name, assistant_type="conversation", ai_model_id=1,
        instructions=f"{name} only.",
        **fields,
    )  # fmt: skip
    return int(str(made.value["id"]))


def to(*ids: int, max_hops: int = 2, **target: Json) -> Json:
    """A configuration that passes on to these."""
    targets: list[Json] = [{"assistant_id": id, "when": f"case {id}", **target} for id in ids]
    return {"enabled": True, "max_hops": max_hops, "targets": targets}


async def passes_on(desk: Desk, assistant_id: int, *ids: int, max_hops: int = 2, **target: Json) -> None:
    config = to(*ids, max_hops=max_hops, **target)
    await desk.door.call(
        desk.owner, "ai-assistants", "patch", id=assistant_id, data={"ai_assistant_handoff_config": config}
    )


def pass_on(id: int, **arguments: Json) -> Reply:
    return call("transfer_to_assistant", **{"assistant_id": id, "reason": "about a bill", **arguments})


async def test_the_other_one_answers_the_same_message(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing)
    assert await desk.ask("My bill?", pass_on(billing), "It is paid.") == ["It is paid."]
    talk = await desk.conversation()
    assert (talk["assigned_ai_assistant_id"], talk["ai_auto_assignment_disabled"]) == (billing, False)
    assert await desk.turns() == ["answered", "handed_to_assistant", "answered"]
    assert (await desk.decisions())[-1] == ("answered", "answered")
    assert "Billing only." in str(desk.script.infos[-1].instructions)
    assert "My bill?" in str(desk.script.requests[-1])
    assert "transfer_to_assistant" not in str(desk.script.requests[-1])


async def test_the_chain_stands_in_the_trace(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing)
    await desk.ask("My bill?", pass_on(billing), "It is paid.")
    (row,) = await handoffs(desk)
    first, second = (await desk.fetch("SELECT id, ai_handoff_id FROM ai_turns ORDER BY id"))[1:]
    assert (row["kind"], row["from_ai_assistant_id"], row["to_ai_assistant_id"], row["detail"]) == (
        "assistant", desk.assistant_id, billing, "about a bill",
    )  # fmt: skip
    assert (first["ai_handoff_id"], row["ai_turn_id"], second["ai_handoff_id"]) == (None, first["id"], row["id"])


async def test_a_line_comes_before_the_others_answer(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing, customer_message="One moment, Billing will answer.")
    assert await desk.ask("My bill?", pass_on(billing), "It is paid.") == [
        "One moment, Billing will answer.", "It is paid.",
    ]  # fmt: skip


async def test_nobody_gets_back_what_they_passed_on(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing, max_hops=5)
    await passes_on(desk, billing, desk.assistant_id, max_hops=5)
    replies = await desk.ask("My bill?", pass_on(billing), pass_on(desk.assistant_id), "Then I answer.")
    assert replies == ["Then I answer."]
    tools = {tool.name for tool in desk.script.infos[-1].function_tools}
    assert "transfer_to_assistant" not in tools
    assert len(await handoffs(desk)) == 1


async def test_the_next_message_may_go_back(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing)
    await passes_on(desk, billing, desk.assistant_id)
    await desk.ask("My bill?", pass_on(billing), "It is paid.")
    assert await desk.ask("And a visit?", pass_on(desk.assistant_id), "Tuesday?") == ["Tuesday?"]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id


async def test_the_chain_ends_at_max_hops(desk: Desk) -> None:
    one, two = await another(desk, "One"), await another(desk, "Two")
    for id in (desk.assistant_id, one):
        await passes_on(desk, id, two if id == one else one, max_hops=1)
    assert await desk.ask("Hello?", pass_on(one), pass_on(two), "I answer.") == ["I answer."]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == one


async def test_three_of_them_one_after_the_other(desk: Desk) -> None:
    one, two = await another(desk, "One"), await another(desk, "Two")
    await passes_on(desk, desk.assistant_id, one)
    await passes_on(desk, one, two)
    assert await desk.ask("Hello?", pass_on(one), pass_on(two), "Here.") == ["Here."]
    assert await desk.turns() == ["answered", "handed_to_assistant", "handed_to_assistant", "answered"]


async def test_a_summary_is_read_instead_of_what_was_said(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing, share="summary")
    await desk.ask("I am Luis from Cali", "Hello Luis.")
    await desk.ask("My bill?", pass_on(billing, summary="Luis asks for his bill."), "It is paid.")
    assert "from Cali" not in str(desk.script.requests[-1])
    assert "Luis asks for his bill." in str(desk.script.infos[-1].instructions)
    await desk.ask("Thanks", "Welcome.")
    assert "from Cali" not in str(desk.script.requests[-1])
    assert "It is paid." in str(desk.script.requests[-1])


async def test_without_the_models_words_the_summary_is_the_last_messages(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing, share="summary")
    await desk.ask("My bill?", pass_on(billing), "It is paid.")
    assert "Customer: Hello / Assistant: Good day. / Customer: My bill?" in str(desk.script.infos[-1].instructions)


async def test_the_new_ones_own_gates_hold(desk: Desk) -> None:
    night = {"enabled": True, "weekly": [{"days": ["sun"], "from": "09:00", "to": "10:00"}]}
    billing = await another(desk, "Billing", schedule_config=night)
    await passes_on(desk, desk.assistant_id, billing)
    assert await desk.ask("My bill?", pass_on(billing)) == []
    assert (await desk.decisions())[-1] == ("silent", "out_of_schedule")


async def test_a_deleted_target_is_refused_and_the_first_one_answers(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing)

    async def deleted(_: list[ModelMessage]) -> Reply:
        await desk.call("ai-assistants", "remove", billing)
        return pass_on(billing)

    assert await desk.ask("My bill?", deleted, "I will look.") == ["I will look."]
    assert "is not there any more" in str(desk.script.requests[-1])


async def test_what_the_first_one_changed_is_known_to_the_second(desk: Desk) -> None:
    billing = await another(desk, "Billing")
    await passes_on(desk, desk.assistant_id, billing)
    change = call("update_contact", contact_id=desk.contact_id, phone="5550003")
    assert await desk.ask("New phone, and my bill?", change, pass_on(billing), "Both done.") == ["Both done."]
    assert "update_contact" in str(desk.script.requests[-1])


async def test_a_person_and_back_to_the_same_assistant_answers_again(desk: Desk) -> None:
    async def back_and_forth(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        await desk.change(assigned_ai_assistant_id=desk.assistant_id)
        return "Never sent."

    assert await desk.ask("Hello?", back_and_forth, "Here I am.") == ["Here I am."]
    assert await desk.turns() == ["answered", "newer_epoch", "answered"]
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_what_was_done_before_the_way_back_is_not_done_twice(desk: Desk) -> None:
    async def back_and_forth(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        await desk.change(assigned_ai_assistant_id=desk.assistant_id)
        return "Never sent."

    change = call("update_contact", contact_id=desk.contact_id, phone="5550003")
    assert await desk.ask("New phone", change, back_and_forth, "It is changed.") == ["It is changed."]
    assert "update_contact" in str(desk.script.requests[-1])


async def test_a_person_gets_it_after_an_assistant(desk: Desk) -> None:
    billing = await another(desk, "Billing", human_handoff_config={
        "enabled": True, "rules": [{"id": "r1", "type": "customer_request"}], "customer_message": "A person comes.",
    })  # fmt: skip
    await passes_on(desk, desk.assistant_id, billing)
    assert await desk.ask("My bill? A person!", pass_on(billing), transfer()) == ["A person comes."]
    assert (await desk.conversation())["handed_off_by_ai_assistant_id"] == billing
    assert [row["kind"] for row in await handoffs(desk)] == ["assistant", "human"]


async def test_the_notes_of_the_whole_conversation_are_not_shared_with_a_summary(desk: Desk) -> None:
    long: Json = {"summary": {"enabled": True, "after_messages": 4}}
    await desk.configure(advanced_options=long)
    billing = await another(desk, "Billing", advanced_options=long)
    await passes_on(desk, desk.assistant_id, billing, share="summary")
    await desk.ask("My order is 4711.", "Noted.")
    await desk.ask("And now?", "On its way.")
    summed_up = "Notes: order 4711."
    await desk.ask("My bill?", summed_up, pass_on(billing, summary="Asks for a bill."), "It is paid.")
    assert "4711" in str(desk.script.requests[-2])
    assert "4711" not in str(desk.script.requests[-1])
    assert (await desk.replies())[-1] == "It is paid."
