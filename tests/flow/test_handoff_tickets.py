"""Hand-offs of tickets, and by a provider: the same rules, the same line, in order."""

import asyncio
from collections.abc import Awaitable

import pytest

from tests.flow.harness import Crash, Desk, FakeProvider, Reply
from tests.flow.test_handoff import ASK, LINE, handoffs, hands_over, transfer
from tests.flow.test_handoff_assistants import pass_on, passes_on
from tests.flow.test_tickets import TicketDesk, opened

KEYWORDS = {"id": "k", "type": "keywords", "keywords": ["lawyer"]}


async def house_of(desk: Desk, **members: object) -> TicketDesk:
    house = await opened(desk)
    target = {"type": "user", "user_ids": [desk.user_id]}
    config = {"enabled": True, "rules": [ASK, KEYWORDS], "customer_message": LINE, "target": target, **members}
    data = {"human_handoff_config": config}
    await desk.door.call(desk.owner, "ai-assistants", "patch", id=house.helper_id, data=data)
    return house


@pytest.mark.parametrize(("text", "script"), [("A person!", (transfer(),)), ("My lawyer", ())])
async def test_a_ticket_is_handed_over(desk: Desk, text: str, script: tuple[Reply, ...]) -> None:
    house = await house_of(desk)
    assert await house.ask(text, *script) == [LINE]
    ticket = await house.now()
    assert (ticket["assigned_user_id"], ticket["handed_off_by_ai_assistant_id"]) == (desk.user_id, house.helper_id)
    assert ticket["handoff_reason"] in ("customer_request: wants Marta", "keywords: lawyer")
    rows = await desk.fetch("SELECT name FROM events WHERE name LIKE 'support-tickets.%' ORDER BY id")
    assert [row["name"] for row in rows][-2:] == ["support-tickets.handed_off", "support-tickets.assigned"]
    assert await house.ask("Anybody?") == []


async def test_a_resolved_ticket_goes_back_to_its_assistant(desk: Desk) -> None:
    house = await house_of(desk, **{"return": {"mode": "on_close"}})
    await house.ask("My lawyer")
    await house.change(status="resolved")
    assert (await house.now())["assigned_ai_assistant_id"] == house.helper_id
    assert await house.ask("One more thing", "Yes?") == ["Yes?"]


async def test_a_ticket_comes_back_by_time_and_is_answered(desk: Desk) -> None:
    house = await house_of(desk, **{"return": {"mode": "after_inactivity", "after_minutes": 60}})
    await house.ask("My lawyer")
    assert await house.ask("Anybody?") == []
    desk.script.say("Yes.")
    await desk.pass_time(3600)
    assert (await desk.replies())[-1] == "Yes."


async def test_a_ticket_is_passed_on_and_not_back(desk: Desk) -> None:
    house = await opened(desk)
    made = await desk.call(
        "ai-assistants", "create", name="Bills", assistant_type="support-ticket", ai_model_id=1, instructions="Bills."
    )
    bills = int(str(made.value["id"]))
    await passes_on(desk, house.helper_id, bills)
    await passes_on(desk, bills, house.helper_id)
    assert await house.ask("My bill?", pass_on(bills), pass_on(house.helper_id), "It is paid.") == ["It is paid."]
    assert (await desk.turns())[1:] == ["handed_to_assistant", "answered"]
    assert (await house.now())["assigned_ai_assistant_id"] == bills


async def by_sms(desk: Desk) -> FakeProvider:
    desk.channel = "sms"
    for table in ("conversations", "conversation_messages"):
        await desk.fetch(f"UPDATE {table} SET channel = 'sms' RETURNING id")
    provider = FakeProvider()
    desk.channels["sms"] = provider
    return provider


async def test_a_provider_carries_one_line_whatever_crashes(desk: Desk) -> None:
    provider = await by_sms(desk)
    await hands_over(desk, KEYWORDS)
    provider.faults.append(Crash())
    await desk.say("lawyer")
    with pytest.raises(Crash):
        await desk.settle()
    await desk.pass_time(120)
    assert provider.accepted == [LINE]
    assert len(await handoffs(desk)) == 1


async def test_two_workers_hand_over_once(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)
    await desk.say("lawyer")
    where = (desk.organization_id, desk.conversation_id)
    flows: list[Awaitable[None]] = [flow.advance(*where) for flow in (desk.flow, desk.another_flow())]
    await asyncio.gather(*flows)
    await desk.settle()
    assert (await desk.replies())[1:] == [LINE]
    assert len(await handoffs(desk)) == 1


async def test_a_line_that_a_person_overtakes_is_not_sent(desk: Desk) -> None:
    provider = await by_sms(desk)
    await hands_over(desk, KEYWORDS, target={"type": "queue"})
    await desk.say("lawyer")
    await desk.flow.decide(desk.organization_id, desk.conversation_id)
    await desk.change(assigned_user_id=desk.user_id)
    await desk.settle()
    assert provider.accepted == []
    (line,) = await desk.fetch("SELECT status, reason FROM outbox WHERE payload ->> 'kind' = 'handoff'")
    assert (line["status"], line["reason"]) == ("withdrawn", "newer_epoch")
