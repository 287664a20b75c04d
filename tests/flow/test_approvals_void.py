"""Approvals that come to nothing, two who decide at once, and workers that die on the way."""

import asyncio

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Conflict, Forbidden, NotFound
from frontdesk.runtime import approval_wait, held_turn
from tests.flow.harness import Desk, Reply, call
from tests.flow.staff import make_team
from tests.flow.test_approvals import ALWAYS, DAY, LINE, approvals, asking, decide, note, notes, states
from tests.flow.test_handoff import ASK, hands_over, transfer
from tests.flow.test_handoff import LINE as PASSED
from tests.flow.test_handoff_targets import KEYWORDS
from tests.flow.test_resume import LEASE, Killed, is_valid
from tests.flow.test_revocations import last_result

__all__ = ["asking"]


async def waiting(desk: Desk) -> int:
    """A call that waits; gives its approval's id."""
    await desk.ask("Please note it.", note())
    return int(str((await approvals(desk, status="pending"))[-1]["id"]))


async def approve(desk: Desk, id: int, status: str = "approved") -> None:
    await desk.call("ai-approvals", "patch", id, status=status)


async def test_a_newer_message_voids_it_and_the_next_turn_may_ask_again(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    assert await desk.ask("No, note something else.", note("Else.")) == [LINE]
    assert await states(desk) == [("void", "superseded"), ("pending", None)]
    assert (await desk.turns())[-2:] == ["superseded", "waiting"]
    with pytest.raises(Conflict, match="nothing to decide"):
        await approve(desk, id)
    desk.script.say("Noted.")
    await decide(desk)
    await desk.settle()
    assert await notes(desk) == ["Else."]


async def test_a_newer_message_before_anybody_saw_it_stops_the_person(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await desk.say("No, wait.")
    with pytest.raises(Conflict, match="nothing to decide"):
        await approve(desk, id)


async def test_a_turn_with_effects_goes_on_when_the_customer_writes_again(asking: Desk) -> None:
    desk = asking
    await desk.configure(internal_tools={"tools": {"update_contact": True, "add_note": ALWAYS}})
    await desk.ask("My number is 5550009.", call("update_contact", phone="5550009"), note())
    said = await desk.ask("Are you there?", "Your number is changed.", "Yes, I am.")
    assert said == ["Your number is changed.", "Yes, I am."]
    assert await states(desk) == [("void", "superseded")]
    assert await notes(desk) == []


async def test_nobody_can_approve_once_the_customer_wrote_again(asking: Desk) -> None:
    desk = asking
    await desk.configure(internal_tools={"tools": {"update_contact": True, "add_note": ALWAYS}})
    await desk.ask("My number is 5550009.", call("update_contact", phone="5550009"), note())
    await desk.say("Are you there?")
    (row,) = await approvals(desk)
    with pytest.raises(Conflict, match="written again"):
        await approve(desk, int(str(row["id"])))


async def test_a_keyword_hands_over_while_it_waits(asking: Desk) -> None:
    desk = asking
    await hands_over(desk, KEYWORDS)
    await waiting(desk)
    assert await desk.ask("My lawyer calls you.") == [PASSED]
    assert await states(desk) == [("void", "superseded")]
    assert [outcome for outcome, _ in (await desk.decisions())[1:]] == ["handed_off"] * 2
    assert await notes(desk) == []


async def test_a_hand_off_in_the_same_step_needs_no_approval_of_the_other_call(asking: Desk) -> None:
    desk = asking
    await hands_over(desk, ASK)
    both = note().items(), transfer().items()  # type: ignore[union-attr]
    step = {place: made for place, ((_, made),) in enumerate(map(tuple, both))}
    assert await desk.ask("A person, and note it.", step) == [PASSED]
    assert await states(desk) == [("void", "handed_off")]
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id
    assert await notes(desk) == []


async def test_a_takeover_voids_it(asking: Desk) -> None:
    desk = asking
    await waiting(desk)
    await desk.change(assigned_user_id=desk.user_id)
    await desk.settle()
    assert await states(desk) == [("void", "person_took_over")]
    assert (await desk.decisions())[-1][1] == "person_took_over"


async def test_a_close_voids_it(asking: Desk) -> None:
    desk = asking
    await waiting(desk)
    await desk.change(status="closed")
    await desk.settle()
    assert await states(desk) == [("void", "conversation_closed")]


async def test_another_configuration_voids_it_and_the_model_may_ask_again(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await desk.configure(instructions="You are the new receptionist.")
    with pytest.raises(Conflict, match="configuration has changed"):
        await approve(desk, id)
    desk.script.say(note("Again.", "again"), "Noted.")
    await desk.settle()
    assert await states(desk) == [("void", "configuration_changed"), ("pending", None)]
    assert "configuration changed before it was approved" in last_result(desk)
    await decide(desk)
    await desk.settle()
    assert await notes(desk) == ["Again."]


async def test_a_change_between_approval_and_call_voids_it(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    await desk.configure(instructions="You are the new receptionist.")
    desk.script.say("Not noted.")
    await desk.settle()
    assert (await notes(desk), await states(desk)) == ([], [("void", "configuration_changed")])


async def test_what_is_revoked_meanwhile_is_not_done_though_approved(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await desk.change(blocked=True)
    await approve(desk, id)
    desk.script.say("Unheard.")
    await desk.settle()
    assert await notes(desk) == []
    assert "the contact is blocked" in last_result(desk)


async def test_the_second_person_comes_too_late(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    done = await asyncio.gather(approve(desk, id), approve(desk, id, "refused"), return_exceptions=True)
    (late,) = [one for one in done if one is not None]
    assert isinstance(late, Conflict)
    assert "already, by Marta at 2026-01-05T12:00:00" in late.message


async def test_a_word_after_the_day_is_too_late(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await desk.clock.advance(DAY)
    with pytest.raises(Conflict, match="expired"):
        await approve(desk, id)


async def test_an_approval_in_the_last_minute_still_counts(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await desk.clock.advance(DAY - 2)
    await approve(desk, id)
    desk.script.say("Noted.")
    await desk.pass_time(600)
    assert await notes(desk) == ["Wants a visit."]


async def test_approved_after_a_restart_another_worker_goes_on(asking: Desk) -> None:
    desk = asking
    id = await waiting(desk)
    await approve(desk, id)
    await desk.fetch("DELETE FROM pgqueuer")
    desk.script.say("Noted.")
    await desk.settle(desk.another_flow())
    assert (await notes(desk), (await desk.replies())[-1]) == (["Wants a visit."], "Noted.")


async def killed(*_: object, **__: object) -> None:
    raise Killed


async def test_killed_before_it_has_given_its_lease_back_it_waits_all_the_same(
    asking: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = asking
    with monkeypatch.context() as patch:
        patch.setattr(approval_wait.turns, "postpone", killed)
        desk.script.say(note())
        await desk.say("Please note it.")
        with pytest.raises(Killed):
            await desk.settle()
    await decide(desk)
    desk.script.say("Noted.")
    await desk.pass_time(LEASE)
    assert (await notes(desk), await states(desk)) == (["Wants a visit."], [("used", None)])
    assert is_valid(desk.script.requests[-1])


@pytest.mark.parametrize("where", ["stored_call", "start_effects", "record_call"])
async def test_killed_between_approval_and_effect_it_is_made_once(
    asking: Desk, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    with monkeypatch.context() as patch:
        patch.setattr(held_turn.HeldTurn, where, killed)
        with pytest.raises(Killed):
            await desk.settle()
    assert (await notes(desk), await states(desk)) == ([], [("approved", None)])
    desk.script.say("Noted.")
    await desk.pass_time(LEASE)
    assert (await notes(desk), await states(desk)) == (["Wants a visit."], [("used", None)])


async def test_killed_after_the_effect_it_is_not_made_again(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))

    async def die(_: list[ModelMessage]) -> Reply:
        raise Killed

    desk.script.say(die)
    with pytest.raises(Killed):
        await desk.settle()
    desk.script.say("Noted.")
    await desk.pass_time(LEASE)
    assert (await notes(desk), (await desk.replies())[-1]) == (["Wants a visit."], "Noted.")


async def test_decided_before_the_turn_has_gone_to_sleep_it_goes_on(
    asking: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, original = asking, approval_wait.wait_for_person

    async def overtaken(held: held_turn.HeldTurn) -> None:
        await decide(desk)
        await original(held)

    monkeypatch.setattr("frontdesk.flow.wait_for_person", overtaken)
    assert await desk.ask("Please note it.", note(), "Noted.") == ["Noted."]
    assert await notes(desk) == ["Wants a visit."]


@pytest.mark.parametrize("via", ["api_key", "tool", "job", "system"])
async def test_no_program_approves(asking: Desk, via: str) -> None:
    id = await waiting(asking)
    program = Caller(asking.organization_id, asking.user_id, Role.owner, via=via)  # type: ignore[arg-type]
    with pytest.raises(Forbidden, match="A person decides"):
        await asking.door.call(program, "ai-approvals", "patch", id=id, data={"status": "approved"})
    assert await states(asking) == [("pending", None)]


async def test_a_member_of_another_organization_finds_nothing(asking: Desk) -> None:
    id = await waiting(asking)
    other = Caller(asking.organization_id + 1, asking.user_id, Role.owner, via="jwt")
    with pytest.raises(NotFound):
        await asking.door.call(other, "ai-approvals", "patch", id=id, data={"status": "approved"})


async def test_events_tell_of_each_state(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    desk.script.say("Noted.")
    await desk.settle()
    rows = await desk.fetch(
        "SELECT name, data::json ->> 'status' FROM events WHERE resource = 'ai-approvals' ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        ("ai-approvals.created", "pending"), ("ai-approvals.updated", "approved"), ("ai-approvals.updated", "used"),
    ]  # fmt: skip


async def test_a_member_approves_what_the_own_chat_asks(desk: Desk) -> None:
    team = await make_team(desk)
    await team.configure(internal_tools={"tools": {"create_contact": ALWAYS}})
    chat = await team.session()
    asked = await chat.ask("Add Eva.", call("create_contact", first_name="Eva"))
    assert asked == ["This needs your approval: create_contact. Approve or refuse it, and I go on."]
    assert await approvals(desk) == [], "only its member sees it"
    found = (await desk.door.call(chat.caller, "ai-approvals", "find")).value["data"]
    id = found[0]["id"]  # type: ignore[index, call-overload]
    with pytest.raises(NotFound):
        await approve(desk, id)
    desk.script.say("Eva is there.")
    await desk.door.call(chat.caller, "ai-approvals", "patch", id=id, data={"status": "approved"})
    await desk.settle()
    assert (await chat.answers())[-1] == "Eva is there."
    assert await desk.fetch("SELECT id FROM contacts WHERE first_name = 'Eva'")
    assert await desk.fetch("SELECT id FROM events WHERE resource = 'ai-approvals'") == []


async def test_the_same_id_with_other_arguments_is_another_call(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    desk.script.say(note("Give a refund.", "call_add_note"))
    await desk.settle()
    assert await states(desk) == [("used", None), ("pending", None)]
    assert await notes(desk) == ["Wants a visit."]
    await decide(desk, "refused")
    desk.script.say("No refund.")
    await desk.settle()
    assert await notes(desk) == ["Wants a visit."]


async def test_arguments_that_were_changed_in_the_store_are_not_what_was_approved(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    await desk.fetch(
        "UPDATE ai_turn_steps SET messages = replace(messages::text, 'Wants a visit.', 'Pay 1000.')::json"
        " WHERE messages::text LIKE '%Wants%' RETURNING id"
    )
    desk.script.say("Nothing was done.")
    await desk.settle()
    assert (await notes(desk), await states(desk)) == ([], [("void", "configuration_changed")])


async def test_an_approval_of_one_turn_is_none_for_another(asking: Desk) -> None:
    desk = asking
    await approve(desk, await waiting(desk))
    await desk.say("And again.")
    desk.script.say(note())
    await desk.settle()
    assert [state for state, _ in await states(desk)] == ["void", "pending"]
    assert await notes(desk) == []


@pytest.mark.parametrize("what", ["ai-assistants", "conversations"])
async def test_what_is_deleted_asks_nobody_any_more(asking: Desk, what: str) -> None:
    desk = asking
    id = await waiting(desk)
    desk.script.say("Unheard.")
    await desk.call(what, "remove", desk.assistant_id if what == "ai-assistants" else desk.conversation_id)
    await desk.settle()
    (row,) = await desk.fetch("SELECT status, reason FROM ai_approvals")
    assert tuple(row) == ("void", "configuration_changed" if what == "ai-assistants" else "conversation_deleted")
    with pytest.raises((Conflict, NotFound)):
        await approve(desk, id)
    assert await notes(desk) == []


async def test_a_ticket_waits_for_a_person_too(asking: Desk) -> None:
    desk = asking
    members = "kind = 'ticket', subject = 'x', priority = 'high', reference_number = 1, tags = '{}'"
    await desk.fetch(f"UPDATE conversations SET {members} RETURNING id")
    await desk.fetch("UPDATE conversation_messages SET kind = 'ticket' RETURNING id")
    assert await desk.ask("Please note it.", note()) == [LINE]
    desk.script.say("Noted.")
    await decide(desk)
    await desk.settle()
    assert (await notes(desk), (await desk.replies())[-1]) == (["Wants a visit."], "Noted.")
