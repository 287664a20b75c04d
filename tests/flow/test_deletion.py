"""A conversation is deleted: whatever was under way ends, and nothing rings for it any more."""

from datetime import timedelta

from pydantic_ai.messages import ModelMessage

from frontdesk.runtime.sweeper import sweep
from tests.flow.harness import Desk, Reply, call


async def delete(desk: Desk) -> None:
    await desk.call("conversations", "remove", desk.conversation_id)


async def bells(desk: Desk) -> int:
    await desk.clock.advance(600)
    async with desk.database.system() as connection:
        return await sweep(connection, desk.clock, timedelta(0))


async def last_decision(desk: Desk) -> tuple[str, str]:
    return (await desk.decisions())[-1]


async def test_a_deletion_in_the_middle_of_a_turn_stops_it(desk: Desk) -> None:
    async def deleted(_: list[ModelMessage]) -> Reply:
        await delete(desk)
        return call("update_contact", contact_id=desk.contact_id, phone="5550009")

    assert await desk.ask("Hello?", deleted, "Never sent.") == []
    assert (await desk.turns())[-1] == "conversation_deleted"
    assert await last_decision(desk) == ("silent", "conversation_deleted")
    assert (await desk.call("contacts", "get", desk.contact_id)).value["phone"] == "5550001"
    assert await bells(desk) == 0


async def test_a_deletion_before_the_delivery_sends_nothing(desk: Desk) -> None:
    async def deleted(_: list[ModelMessage]) -> Reply:
        await delete(desk)
        return "Never sent."

    assert await desk.ask("Hello?", deleted) == []
    assert await last_decision(desk) == ("silent", "conversation_deleted")
    assert await bells(desk) == 0


async def test_a_deletion_during_the_burst_window_ends_the_turn(desk: Desk) -> None:
    await desk.configure(enable_message_burst_handling=True)
    await desk.say("Hello?")
    await desk.settle()
    await delete(desk)
    await desk.pass_time(60)
    assert desk.script.requests == []
    assert (await desk.turns())[-1] == "conversation_deleted"
    assert await bells(desk) == 0


async def test_an_inbound_that_nobody_had_decided_is_decided(desk: Desk) -> None:
    await desk.say("Hello?")
    await delete(desk)
    await desk.settle()
    assert await last_decision(desk) == ("silent", "conversation_deleted")
    assert await bells(desk) == 0


async def test_a_line_that_waited_is_withdrawn(desk: Desk) -> None:
    await desk.fetch(
        "INSERT INTO outbox (organization_id, conversation_id, position, epoch, status, idempotency_key, payload,"
        " due_at, attempts, created_at, updated_at) VALUES ($1, $2, 1, 1, 'pending', 'line-x',"
        " '{\"text\": \"We open at two.\", \"kind\": \"out_of_schedule\", \"delay_seconds\": 0,"
        " \"ai_assistant_id\": 1, \"about_turn_id\": null}', $3, 0, $3, $3) RETURNING id",
        desk.organization_id, desk.conversation_id, desk.clock.now(),
    )  # fmt: skip
    await delete(desk)
    await desk.settle()
    rows = await desk.fetch("SELECT status, reason FROM outbox WHERE idempotency_key = 'line-x'")
    assert tuple(rows[0]) == ("withdrawn", "conversation_deleted")
    assert await bells(desk) == 0
