"""Owners who change hands: two at once, a takeover and back, and people who leave the organization."""

import asyncio

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.caller import Caller, Role
from tests.flow.harness import Desk, Reply
from tests.flow.test_handoff import ASK, hands_over
from tests.flow.test_handoff_returns import HOUR, owners, write
from tests.flow.test_handoff_targets import conversations, people
from tests.flow.test_people import reply, webchat
from tests.flow.test_tickets import opened

MEMBERSHIP = "SELECT id FROM members WHERE user_id = $1"


async def taken(desk: Desk, text: str = "Are you open?") -> None:
    """Somebody takes the conversation while the answer is being written, and says nothing."""

    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        return "Never sent."

    assert await desk.ask(text, interrupted) == []
    assert (await desk.decisions())[-1] == ("silent", "person_took_over")


async def leaves(desk: Desk, user_id: int) -> None:
    (row,) = await desk.fetch(MEMBERSHIP, user_id)
    await desk.call("members", "remove", row["id"])


async def test_of_two_takeovers_at_once_the_later_one_has_it_and_both_are_read(desk: Desk) -> None:
    await webchat(desk)
    (ana,) = await people(desk, 1)
    other = Caller(desk.organization_id, ana, Role.member, via="jwt")

    async def interrupted(_: list[ModelMessage]) -> Reply:
        await asyncio.gather(reply(desk, "Marta here."), reply(desk, "Ana here.", other))
        return "Never sent."

    said = await desk.ask("Hello?", interrupted)
    assert sorted(said) == ["Ana here.", "Marta here."]
    talk = await desk.conversation()
    assert talk["assigned_user_id"] == (ana if said[-1] == "Ana here." else desk.user_id)
    assert (talk["epoch"], talk["handed_off_by_ai_assistant_id"]) == (3, desk.assistant_id)
    assert await desk.turns() == ["answered", "person_took_over"]


async def test_what_a_takeover_cut_off_is_answered_when_the_assistant_has_it_again(desk: Desk) -> None:
    await taken(desk)
    desk.script.say("Until six.")
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    await desk.settle()
    assert (await desk.replies())[-1] == "Until six."
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_by_time_it_is_answered_too(desk: Desk) -> None:
    await hands_over(desk, ASK, **{"return": HOUR})
    await taken(desk)
    desk.script.say("Until six.")
    await desk.pass_time(3600)
    assert (await desk.replies())[-1] == "Until six."


async def test_not_where_the_person_has_answered_it(desk: Desk) -> None:
    await taken(desk)
    await write(desk, "Until six.")
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    await desk.settle()
    assert (await desk.replies())[-1] == "Until six."
    assert (await desk.decisions())[-1] == ("silent", "person_took_over")


async def test_who_leaves_leaves_what_is_open_to_the_queue(desk: Desk) -> None:
    (ana,) = await people(desk, 1)
    await desk.change(assigned_user_id=ana)
    ticket = await opened(desk, assigned_ai_assistant_id=None, assigned_user_id=ana)
    await leaves(desk, ana)
    for row in (await desk.conversation(), await ticket.now()):
        assert (row["assigned_user_id"], row["owner_reason"]) == (None, "owner_left")
    assert await desk.ask("Anybody?") == []
    assert (await desk.decisions())[-1][1] == "auto_assignment_disabled"
    assert await desk.ask("Hello?") == []
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    assert await desk.ask("Hello?", "Yes?") == ["Yes?"]


async def test_what_was_closed_has_no_owner_when_the_customer_writes_again(desk: Desk) -> None:
    (ana,) = await people(desk, 1)
    await desk.change(assigned_user_id=ana)
    await desk.change(status="closed")
    await leaves(desk, ana)
    assert await owners(desk) == (ana, None)
    assert await desk.ask("Anybody?") == []
    talk = await desk.conversation()
    assert (talk["assigned_user_id"], talk["owner_reason"]) == (None, "owner_left")


async def test_the_way_back_by_time_outlives_whoever_had_it(desk: Desk) -> None:
    (ana,) = await people(desk, 1)
    await hands_over(desk, ASK, **{"return": HOUR})
    await desk.change(assigned_user_id=ana)
    await leaves(desk, ana)
    await desk.ask("Anybody?")
    desk.script.say("I am.")
    await desk.pass_time(3600)
    assert (await desk.replies())[-1] == "I am."


@pytest.mark.parametrize("goes_first", [True, False])
async def test_nobody_is_chosen_while_they_leave(desk: Desk, goes_first: bool) -> None:
    (ana,) = await people(desk, 1)
    target = {"type": "user", "user_ids": [ana]}
    await hands_over(desk, {"id": "k", "type": "keywords", "keywords": ["lawyer"]}, target=target)
    (id,) = await conversations(desk, 1)
    both = (leaves(desk, ana), desk.flow.advance(desk.organization_id, id))
    await asyncio.gather(*(both if goes_first else reversed(both)))
    (row,) = await desk.fetch("SELECT assigned_user_id, owner_reason FROM conversations WHERE id = $1", id)
    assert row["assigned_user_id"] is None
    assert row["owner_reason"] in ("owner_left", "handoff_nobody_available")
