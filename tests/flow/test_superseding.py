"""Bursts, and inbounds that arrive while a turn runs."""

import asyncio

import pytest
from pydantic_ai.messages import ModelMessage

from tests.flow.harness import Desk, Reply, call

BURST = {"window_seconds": 6, "max_seconds": 15}


async def burst(desk: Desk) -> None:
    await desk.configure(enable_message_burst_handling=True, advanced_options={"burst": BURST})


async def test_a_burst_is_one_turn(desk: Desk) -> None:
    await burst(desk)
    for text in ("Hi", "I have a question", "Are you open today?"):
        await desk.say(text)
        await desk.pass_time(3)
    assert len(await desk.replies()) == 1
    desk.script.say("We are open.")
    await desk.pass_time(3)
    assert (await desk.replies())[1:] == ["We are open."]
    assert len(desk.script.requests) == 1
    assert await desk.turns() == ["answered", "answered"]
    rows = await desk.fetch("SELECT DISTINCT ai_turn_id FROM ai_decisions WHERE message_id > 2")
    assert len(rows) == 1


async def test_a_burst_waits_no_longer_than_its_bound(desk: Desk) -> None:
    await burst(desk)
    for _ in range(4):
        await desk.say("and")
        await desk.pass_time(5)
    assert len(desk.script.requests) == 1


async def test_gates_run_again_when_the_window_closes(desk: Desk) -> None:
    await burst(desk)
    await desk.say("Hi")
    await desk.settle()
    await desk.fetch("UPDATE conversations SET blocked = true RETURNING id")
    await desk.pass_time(6)
    assert await desk.turns() == ["answered", "contact_blocked"]
    assert (await desk.decisions())[-1] == ("silent", "contact_blocked")
    assert desk.script.requests == []


async def test_an_inbound_during_a_turn_takes_its_place(desk: Desk) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.say("No, on Sunday.")
        return "Saturday we are open."

    said = await desk.ask("Are you open on Saturday?", interrupted, "Sunday we are closed.")
    assert said == ["Sunday we are closed."]
    assert await desk.turns() == ["answered", "superseded", "answered"]
    assert await desk.decisions() == [("answered", "answered")] * 3
    last = str(desk.script.requests[-1])
    assert "Saturday?" in last
    assert "Sunday." in last


async def test_an_inbound_after_the_effects_gets_the_next_turn(desk: Desk) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.say("And do you have parking?")
        return "Your number is changed."

    change = call("update_contact", contact_id=desk.contact_id, phone="5550009")
    said = await desk.ask("My number is 5550009.", change, interrupted, "Yes, parking is free.")
    assert said == ["Your number is changed.", "Yes, parking is free."]
    assert await desk.turns() == ["answered"] * 3


async def test_superseding_and_effects_exclude_each_other(desk: Desk) -> None:
    """Whoever updates the turn's row first wins, and the other one sees it."""
    change = call("update_contact", contact_id=desk.contact_id, phone="5550009")
    desk.script.say(change, "First.", "Second.")
    await desk.say("one")
    running = asyncio.create_task(desk.settle())
    await desk.say("two")
    await running
    await desk.settle()
    effects = await desk.fetch("SELECT id FROM ai_turn_steps WHERE tool_name = 'update_contact' AND status = 'done'")
    assert len(effects) <= 1
    assert {reason for _, reason in await desk.decisions()} == {"answered"}


@pytest.mark.parametrize("count", [2, 5])
async def test_the_same_webhook_twice_at_once_is_one_message(desk: Desk, count: int) -> None:
    stored = await asyncio.gather(*(desk.say("Hello?", "wamid.1") for _ in range(count)))
    assert [one.is_new for one in stored].count(True) == 1
    assert len({one.id for one in stored}) == 1
    await desk.settle()
    assert len(desk.script.requests) == 1


async def test_the_same_first_message_twice_opens_one_conversation(desk: Desk) -> None:
    opening = {"conversation_id": None, "ai_assistant_id": desk.assistant_id}
    stored = await asyncio.gather(*(desk.say("Hello?", "first", **opening) for _ in range(4)))
    assert len({one.conversation_id for one in stored}) == 1
    assert len(await desk.fetch("SELECT id FROM conversations")) == 2
    assert len(await desk.fetch("SELECT id FROM contacts WHERE system_type = 'visitor'")) == 1


async def test_who_writes_while_the_answer_is_on_its_way_is_answered_by_one_who_knows_it(desk: Desk) -> None:
    """Else the next turn finds the first question without an answer, and does what it asks for once more."""

    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.say("And parking?")
        return "It is noted."

    note = call("add_note", contact_id=desk.contact_id, text="Wants a visit.")
    assert await desk.ask("Please note it.", note, interrupted, "Free.") == ["It is noted.", "Free."]
    told = str(desk.script.requests[-1])
    assert told.index("Please note it.") < told.index("Wants a visit.") < told.index("It is noted.")
    assert told.index("It is noted.") < told.index("And parking?")


@pytest.mark.parametrize("kind", ["image", "location", "button", "unsupported"])
async def test_what_is_not_typed_ends_the_burst_at_once(desk: Desk, kind: str) -> None:
    await burst(desk)
    await desk.say("Look at this")
    await desk.pass_time(3)
    desk.script.say("I see it.")
    await desk.say("Tooth", message_type=kind)
    await desk.settle()
    assert (await desk.replies())[1:] == ["I see it."]
    rows = await desk.fetch("SELECT DISTINCT ai_turn_id FROM ai_decisions WHERE message_id > 2")
    assert len(rows) == 1
