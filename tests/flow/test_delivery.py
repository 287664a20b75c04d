"""Parts in order, once each, behind the fence; with a provider that fails, forgets and crashes."""

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.channels.protocol import Outgoing
from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import BadRequest, Json, Unavailable
from frontdesk.runtime.refusals import REFUSALS
from tests.flow.harness import Crash, Desk, FakeProvider, Reply

MULTI = {"mode": "multi", "max_messages": 3, "delay_seconds": {"min": 2, "max": 2}}
ANSWER = "First the visit.\n\nThen the bill.\n\nThen you go home."
PARTS = ["First the visit.", "Then the bill.", "Then you go home."]
LEASE = 10


async def provider(desk: Desk, *, takes_keys: bool = True) -> FakeProvider:
    """The desk's conversation on a channel with a provider."""
    fake = FakeProvider(takes_keys=takes_keys)
    desk.channels["sms"] = fake
    desk.channel = "sms"
    for table in ("conversations", "conversation_messages"):
        await desk.fetch(f"UPDATE {table} SET channel = 'sms' RETURNING id")
    return fake


async def test_parts_go_in_order_with_their_pauses(desk: Desk) -> None:
    await desk.configure(response_config=MULTI)
    assert await desk.ask("What happens?", ANSWER) == PARTS[:1]
    await desk.pass_time(2)
    assert (await desk.replies())[1:] == PARTS[:2]
    await desk.pass_time(2)
    assert (await desk.replies())[1:] == PARTS
    assert await desk.decisions() == [("answered", "answered")] * 2


async def test_a_takeover_between_two_parts_withdraws_the_rest(desk: Desk) -> None:
    await desk.configure(response_config=MULTI)
    await desk.ask("What happens?", ANSWER)
    await desk.change(assigned_user_id=desk.user_id)
    await desk.pass_time(10)
    assert (await desk.replies())[1:] == PARTS[:1]
    assert (await desk.decisions())[-1] == ("answered", "person_took_over")
    statuses = [row["status"] for row in await desk.fetch("SELECT status FROM outbox WHERE ai_turn_id = 2 ORDER BY id")]
    assert statuses == ["sent", "withdrawn", "withdrawn"]


async def test_an_inbound_between_two_parts_is_answered_after_them(desk: Desk) -> None:
    await desk.configure(response_config=MULTI)
    await desk.ask("What happens?", ANSWER)
    await desk.say("And parking?")
    desk.script.say("Free.")
    for _ in range(3):
        await desk.pass_time(2)
    assert (await desk.replies())[1:] == [*PARTS, "Free."]


async def test_a_provider_gets_each_part_once(desk: Desk) -> None:
    fake = await provider(desk)
    assert await desk.ask("Hello?", "Hi.") == ["Hi."]
    assert fake.accepted == ["Hi."]


async def test_a_crash_while_handing_over_sends_again_with_the_same_key(desk: Desk) -> None:
    fake = await provider(desk)
    fake.faults = [Crash()]
    with pytest.raises(Crash):
        await desk.ask("Hello?", "Hi.")
    await desk.pass_time(LEASE)
    assert fake.accepted == ["Hi."]
    assert len(fake.keys) == 2
    assert len(set(fake.keys)) == 1
    assert (await desk.replies())[1:] == ["Hi."]


async def test_without_keys_an_unknown_part_is_tried_once_more_and_flagged(desk: Desk) -> None:
    fake = await provider(desk, takes_keys=False)
    fake.faults = [Crash(), Crash()]
    with pytest.raises(Crash):
        await desk.ask("Hello?", "Hi.")
    with pytest.raises(Crash):
        await desk.pass_time(LEASE)
    await desk.pass_time(LEASE)
    assert len(fake.keys) == 2
    part = (await desk.fetch("SELECT status, reason FROM outbox ORDER BY id DESC LIMIT 1"))[0]
    assert tuple(part) == ("unknown", "delivery_unknown")
    assert (await desk.decisions())[-1] == ("answered", "delivery_unknown")


async def crashed(desk: Desk, *, takes_keys: bool = True) -> FakeProvider:
    """The provider took a part, and the worker died before it could note that."""
    fake = await provider(desk, takes_keys=takes_keys)
    fake.faults = [Crash()]
    with pytest.raises(Crash):
        await desk.ask("Hello?", "Hi.")
    return fake


async def last_message(desk: Desk) -> tuple[str, str, str, str | None]:
    (row,) = await desk.fetch(
        "SELECT message_text, sender, status, error FROM conversation_messages ORDER BY id DESC LIMIT 1"
    )
    return tuple(row)


async def last_part(desk: Desk) -> tuple[str, str | None]:
    row = (await desk.fetch("SELECT status, reason FROM outbox WHERE ai_turn_id = 2 ORDER BY id DESC LIMIT 1"))[0]
    return row["status"], row["reason"]


async def test_what_may_have_arrived_cannot_be_withdrawn_by_a_takeover(desk: Desk) -> None:
    await crashed(desk)
    await desk.change(assigned_user_id=desk.user_id)
    await desk.pass_time(LEASE)
    assert await last_part(desk) == ("unknown", "person_took_over")
    assert (await desk.decisions())[-1] == ("answered", "person_took_over")
    assert await last_message(desk) == ("Hi.", "assistant", "unknown", REFUSALS["person_took_over"])


async def test_what_is_accepted_after_all_is_one_message(desk: Desk) -> None:
    """The worker was slow, not dead: what it says of the part comes after the takeover."""
    fake = await provider(desk)

    async def slow(part: Outgoing) -> str | None:
        await desk.clock.advance(LEASE)
        await desk.change(assigned_user_id=desk.user_id)
        await desk.settle(desk.another_flow())
        assert (await last_message(desk))[2] == "unknown"
        return part.idempotency_key

    fake.send = slow  # type: ignore[method-assign]
    assert await desk.ask("Hello?", "Hi.") == ["Hi."]
    assert await last_message(desk) == ("Hi.", "assistant", "sent", None)
    assert await last_part(desk) == ("sent", None)


@pytest.mark.parametrize(
    "late", [None, BadRequest("No such number."), Unavailable("Away.")], ids=["taken", "no", "away"]
)
async def test_what_two_workers_send_is_one_message_whatever_the_slow_one_hears(
    desk: Desk, late: Exception | None
) -> None:
    """The worker took longer than its lease; the one after it has sent the part with the same key."""
    fake = await provider(desk)
    quick = fake.send

    async def slow(part: Outgoing) -> str | None:
        fake.send = quick  # type: ignore[method-assign]
        await desk.clock.advance(LEASE)
        await desk.settle(desk.another_flow())
        fake.faults = [late]
        return await fake.send(part)

    fake.send = slow  # type: ignore[method-assign]
    assert await desk.ask("Hello?", "Hi.") == ["Hi."]
    assert fake.accepted == ["Hi."]
    assert await last_part(desk) == ("sent", "sent_again_after_unknown")
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_a_refusal_after_a_crash_leaves_open_whether_it_arrived(desk: Desk) -> None:
    fake = await crashed(desk)
    fake.faults = [BadRequest("The number does not exist.")]
    await desk.pass_time(LEASE)
    assert await last_part(desk) == ("unknown", "The number does not exist.")
    assert (await desk.decisions())[-1] == ("answered", "delivery_unknown")


async def test_an_absence_after_a_crash_leaves_open_whether_it_arrived(desk: Desk) -> None:
    fake = await crashed(desk)
    fake.faults = [Unavailable("The provider is away.")]
    await desk.pass_time(LEASE)
    await desk.change(status="closed")
    await desk.pass_time(LEASE)
    assert await last_part(desk) == ("unknown", "conversation_closed")


async def test_a_line_behind_a_part_that_may_have_arrived_waits_for_it(desk: Desk) -> None:
    fake = await crashed(desk)
    key = Caller(desk.organization_id, desk.user_id, Role.admin, via="api_key")
    data: dict[str, Json] = {"conversation_id": desk.conversation_id, "message_text": "Your order has left."}
    await desk.door.call(key, "conversation-messages-sms", "create", data=data)
    for _ in range(3):
        await desk.pass_time(LEASE)
    assert fake.accepted == ["Hi.", "Your order has left."]
    assert await last_part(desk) == ("sent", "sent_again_after_unknown")


async def test_a_part_that_waits_behind_a_line_gives_way_to_a_newer_message(desk: Desk) -> None:
    """Nothing of the turn has been handed over yet, so the customer gets one answer and not two."""
    fake = await provider(desk)
    key = Caller(desk.organization_id, desk.user_id, Role.admin, via="api_key")

    async def a_program_writes(_: list[ModelMessage]) -> Reply:
        data: dict[str, Json] = {"conversation_id": desk.conversation_id, "message_text": "Your order has left."}
        await desk.door.call(key, "conversation-messages-sms", "create", data=data)
        return "At ten."

    await desk.ask("Have you a place?", a_program_writes)
    assert await desk.ask("For two?", "At ten, for two.") == ["At ten, for two."]
    await desk.pass_time(LEASE)
    assert fake.accepted == ["Your order has left.", "At ten, for two."]
    assert await desk.turns() == ["answered", "superseded", "answered"]


async def test_a_provider_that_is_away_gets_the_part_later(desk: Desk) -> None:
    fake = await provider(desk)
    fake.faults = [Unavailable("The provider is away.")]
    assert await desk.ask("Hello?", "Hi.") == []
    await desk.pass_time(10)
    assert (await desk.replies())[1:] == ["Hi."]


async def test_a_part_that_is_refused_fails_with_its_reason(desk: Desk) -> None:
    fake = await provider(desk)
    fake.faults = [BadRequest("The number does not exist.")]
    assert await desk.ask("Hello?", "Hi.") == []
    assert (await desk.decisions())[-1] == ("failed", "delivery_failed")
    turn = (await desk.fetch("SELECT error FROM ai_turns ORDER BY id DESC LIMIT 1"))[0]
    assert turn["error"] == "The number does not exist."


async def test_a_line_without_a_turn_reaches_the_provider_too(desk: Desk) -> None:
    fake = await provider(desk)
    desk.script.is_missing = True
    assert len(await desk.ask("Hello?")) == 1
    assert len(fake.accepted) == 1


async def test_a_line_that_waits_is_not_sent_when_replies_are_switched_off(desk: Desk) -> None:
    fake = await provider(desk)
    fake.faults = [Unavailable("The provider is away.")]
    desk.script.is_missing = True
    await desk.ask("Hello?")
    await desk.configure(disable_reply=True)
    await desk.pass_time(60)
    assert fake.accepted == []
    assert (await desk.fetch("SELECT reason FROM outbox ORDER BY id DESC LIMIT 1"))[0]["reason"] == "reply_disabled"
