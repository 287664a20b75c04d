"""A worker that is gone: what was committed is not done again, what was not is done now."""

import asyncio

import pytest
from pydantic_ai.messages import ModelMessage, ToolCallPart, ToolReturnPart

from frontdesk.flow import Flow
from frontdesk.runtime import held_turn
from frontdesk.runtime.delivery import Delivery
from tests.flow.harness import Desk, Reply, call

LEASE = 10  # seconds, a little more than the lease


class Killed(BaseException):
    """The process ended here."""


async def die(_: list[ModelMessage]) -> Reply:
    raise Killed


async def crash(desk: Desk, *script: object) -> None:
    """A turn whose worker dies where the script says so."""
    desk.script.say(*script)  # type: ignore[arg-type]
    await desk.say("My number is 5550009.")
    with pytest.raises(Killed):
        await desk.settle()


def is_valid(messages: list[ModelMessage]) -> bool:
    """Every call has its result right behind it, and no result is without a call."""
    open_calls: list[str] = []
    for message in messages:
        returned = [part.tool_call_id for part in message.parts if isinstance(part, ToolReturnPart)]
        if sorted(returned) != sorted(open_calls):
            return False
        open_calls = [part.tool_call_id for part in message.parts if isinstance(part, ToolCallPart)]
    return not open_calls


def change(desk: Desk) -> object:
    return call("add_note", contact_id=desk.contact_id, text="5550009")


async def test_killed_after_the_tool_call_the_effect_happens_once(desk: Desk) -> None:
    await crash(desk, change(desk), die)
    desk.script.say("Your number is noted.")
    await desk.settle()
    assert len(await desk.replies()) == 1, "the lease still holds"
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["Your number is noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1
    assert is_valid(desk.script.requests[-1])
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_killed_before_the_tool_call_it_is_made_on_resume(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(held_turn.HeldTurn, "stored_call", killed)
        await crash(desk, change(desk))
    assert await desk.fetch("SELECT id FROM notes") == []
    desk.script.say("Noted.")
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["Noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1
    assert len(desk.script.requests) == 2, "the stored answer of the model is not asked for again"


async def killed(*_: object) -> None:
    raise Killed


async def test_killed_with_the_final_text_stored_the_model_is_not_asked_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Flow, "deliver", killed)
        await crash(desk, "We are open.")
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["We are open."]
    assert len(desk.script.requests) == 1


async def test_killed_between_answer_and_delivery_the_answer_is_sent_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Delivery, "finish", killed)
        await crash(desk, "We are open.")
    await desk.pass_time(LEASE)
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["We are open."]


async def test_a_stalled_worker_that_wakes_writes_nothing(desk: Desk) -> None:
    """Its lease went to another one, which has answered meanwhile."""
    other = desk.another_flow()

    async def stall(_: list[ModelMessage]) -> Reply:
        desk.clock.set(desk.clock.now().replace(minute=30))  # nobody renews: the whole process stood still
        desk.script.say("From the second worker.")
        await desk.settle(other)
        return change(desk)  # type: ignore[return-value]

    assert await desk.ask("Hello?", stall) == ["From the second worker."]
    assert await desk.fetch("SELECT id FROM notes") == []
    assert await desk.turns() == ["answered", "answered"]


async def test_a_turn_that_kills_its_worker_again_and_again_ends(desk: Desk) -> None:
    await crash(desk, *([die] * 10))
    for _ in range(5):
        with pytest.raises(Killed):
            await desk.pass_time(LEASE)
    await desk.pass_time(LEASE)
    await desk.pass_time(LEASE)
    assert (await desk.decisions())[-1] == ("failed", "internal_error")


async def test_a_resumed_turn_keeps_its_configuration(desk: Desk) -> None:
    await crash(desk, change(desk), die)
    await desk.configure(instructions="You are a pirate.", name="Other")
    desk.script.say("Noted.")
    await desk.pass_time(LEASE)
    assert "pirate" not in str(desk.script.infos[-1].instructions)
    await desk.ask("Who are you?")
    assert "pirate" in str(desk.script.infos[-1].instructions)


async def test_a_bell_may_ring_twice_and_on_two_machines(desk: Desk) -> None:
    desk.script.say("Once.", "Twice.")
    await desk.say("Hello?")
    bell = (desk.organization_id, desk.conversation_id)
    await asyncio.gather(*(flow.advance(*bell) for flow in (desk.flow, desk.another_flow(), desk.flow)))
    await desk.settle()
    assert (await desk.replies())[1:] == ["Once."]


async def test_a_lost_bell_is_rung_again(desk: Desk) -> None:
    desk.script.say("Found you.")
    await desk.say("Hello?")
    await desk.fetch("DELETE FROM pgqueuer RETURNING id")
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Found you."]
