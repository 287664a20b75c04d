"""Tickets have follow-ups as conversations have: sent once, quiet when the ticket is over or somebody has it."""

import pytest

from tests.flow.follow_ups import FIXED, HOUR, REMINDER, WRITTEN, ended
from tests.flow.harness import Desk
from tests.flow.test_tickets import TicketDesk, opened


@pytest.fixture
async def ticket(desk: Desk) -> TicketDesk:
    ticket = await opened(desk)
    rules = {"enabled": True, "rules": [FIXED]}
    await desk.call("ai-assistants", "patch", ticket.helper_id, follow_up_config=rules)
    assert await ticket.ask("Where is my refund?", "Which order?") == ["Which order?"]
    return ticket


async def test_a_silent_customer_is_reminded_once(desk: Desk, ticket: TicketDesk) -> None:
    await desk.pass_time(HOUR)
    await desk.pass_time(30 * HOUR)
    assert (await desk.replies())[-2:] == ["Which order?", REMINDER]
    assert await ended(desk) == [("sent", None)]


async def test_a_model_writes_it_with_the_ticket_before_it(desk: Desk, ticket: TicketDesk) -> None:
    rules = {"enabled": True, "rules": [WRITTEN]}
    await desk.call("ai-assistants", "patch", ticket.helper_id, follow_up_config=rules)
    desk.script.say("Do you have the order's number?")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Do you have the order's number?"


async def test_a_resolved_ticket_is_over(desk: Desk, ticket: TicketDesk) -> None:
    await ticket.change(status="resolved")
    assert await ended(desk) == [("cancelled", "closed")]


async def test_a_person_who_replies_ends_them(desk: Desk, ticket: TicketDesk) -> None:
    await ticket.write("Marta here.", direction="outbound")
    assert await ended(desk) == [("cancelled", "human")]


async def test_the_customers_message_ends_them(desk: Desk, ticket: TicketDesk) -> None:
    await ticket.write("Order 5.", direction="inbound")
    assert (await ended(desk))[0] == ("cancelled", "replied")
