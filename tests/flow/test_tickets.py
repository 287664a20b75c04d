"""Tickets go through the same spine: answered by a turn, taken over by a person, quiet when they are over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.channels.connected import Connected
from frontdesk.channels.fake import FakeProvider as FakeMail
from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Json, Unavailable
from frontdesk.tickets import Mail, arrive
from tests.flow.follow_ups import FIXED, HOUR, WRITTEN
from tests.flow.harness import Desk, FakeProvider, Reply

TICKETS, MESSAGES = "support-tickets", "support-ticket-messages"


@dataclass
class TicketDesk:
    """A desk whose customer has written one ticket, worked by an assistant of the type support-ticket."""

    desk: Desk
    helper_id: int
    ticket_id: int

    async def write(self, text: str, caller: Caller | None = None, **fields: object) -> dict[str, object]:
        data = {"support_ticket_id": self.ticket_id, "message_text": text, **fields}
        return dict((await self.desk.door.call(caller or self.desk.owner, MESSAGES, "create", data=data)).value)

    async def ask(self, text: str, *script: Reply | object) -> list[str]:
        """What the customer writes, and what they read because of it."""
        before = len(await self.desk.replies())
        self.desk.script.say(*script)  # type: ignore[arg-type]
        await self.write(text, direction="inbound")
        await self.desk.settle()
        return (await self.desk.replies())[before:]

    async def change(self, **fields: object) -> None:
        await self.desk.door.call(self.desk.owner, TICKETS, "patch", id=self.ticket_id, data=fields)

    async def now(self) -> dict[str, object]:
        return dict((await self.desk.call(TICKETS, "get", self.ticket_id)).value)


async def opened(desk: Desk, **fields: object) -> TicketDesk:
    helper = await desk.call(
        "ai-assistants", "create", name="Tickets", assistant_type="support-ticket", ai_model_id=1, instructions="Help.",
    )  # fmt: skip
    body = {"subject": "My invoice is wrong", "contact_id": desk.contact_id, "priority": "high", **fields}
    body = {"assigned_ai_assistant_id": helper.id, **body}
    ticket = await desk.call(TICKETS, "create", **body)
    assert helper.id is not None
    assert ticket.id is not None
    return TicketDesk(desk, helper.id, ticket.id)


@pytest.fixture
async def house(desk: Desk) -> TicketDesk:
    return await opened(desk)


async def test_the_first_message_of_a_ticket_is_answered(desk: Desk) -> None:
    before = len(await desk.replies())
    desk.script.say("Let me look at your invoice.")
    house = await opened(desk, message_text="I was billed twice.")
    await desk.settle()
    assert (await desk.replies())[before:] == ["Let me look at your invoice."]
    assert (await desk.decisions())[-1] == ("answered", "answered")
    prompt = str(desk.script.infos[-1].instructions)
    assert '"reference_number": "TK-2026-001", "subject": "My invoice is wrong", "priority": "high"' in prompt
    assert "billed twice" in str(desk.script.requests[-1])
    assert (await house.now())["last_message_at"] is not None


async def test_the_answer_is_a_message_of_the_ticket_and_of_no_conversation(house: TicketDesk) -> None:
    await house.ask("Hello?", "Hello Luis.")
    rows = await house.desk.fetch(
        "SELECT sender, ai_turn_id IS NOT NULL FROM conversation_messages WHERE kind = 'ticket' ORDER BY position"
    )
    assert [tuple(row) for row in rows] == [("contact", False), ("assistant", True)]
    names = await house.desk.fetch("SELECT name FROM events WHERE row_id = $1 AND name LIKE 'conversations.%'",
                                   house.ticket_id)  # fmt: skip
    assert names == []


async def test_a_mailboxs_assistant_gets_the_tickets_that_nobody_has(desk: Desk) -> None:
    helper = await desk.call(
        "ai-assistants", "create", name="Tickets", assistant_type="support-ticket", ai_model_id=1, instructions="Help.",
    )  # fmt: skip
    rows = await desk.fetch(
        "INSERT INTO inbox_channels (organization_id, channel, name, ai_assistant_id, public_key, allowed_origins,"
        " is_active, limits, created_at, updated_at)"
        " VALUES ($1, 'email', 'Help', $2, 'k', '{}', true, '{}', now(), now()) RETURNING id",
        desk.organization_id, helper.id,
    )  # fmt: skip
    house = await opened(desk, assigned_ai_assistant_id=None, inbox_channel_id=rows[0][0])
    desk.channels["email"] = FakeProvider()
    assert await house.ask("Hello?", "Hello Luis.") == ["Hello Luis."]
    assert (await house.now())["assigned_ai_assistant_id"] == helper.id


async def test_a_ticket_that_nobody_has_is_not_answered(desk: Desk) -> None:
    house = await opened(desk, assigned_ai_assistant_id=None)
    assert await house.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", "no_assistant")


async def test_a_person_takes_a_ticket_over_in_the_middle_of_a_turn(house: TicketDesk) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await house.write("Marta here.", takeover=True)
        return "Never sent."

    assert await house.ask("Hello?", interrupted) == ["Marta here."]
    assert (await house.desk.turns())[-1] == "person_took_over"
    assert (await house.desk.decisions())[-1] == ("silent", "person_took_over")
    ticket = await house.now()
    assert (ticket["assigned_user_id"], ticket["assigned_ai_assistant_id"]) == (house.desk.user_id, None)
    assert (ticket["handed_off_by_ai_assistant_id"], ticket["handoff_reason"]) == (house.helper_id, None)
    assert await house.ask("Thanks, Marta") == []


async def test_a_burst_is_one_answer(house: TicketDesk) -> None:
    desk = house.desk
    await desk.door.call(
        desk.owner, "ai-assistants", "patch", id=house.helper_id, data={"enable_message_burst_handling": True}
    )
    before = len(await desk.replies())
    for text in ("Hello", "my invoice", "is wrong"):
        assert await house.ask(text) == []
    desk.script.say("All three.")
    await desk.pass_time(60)
    assert (await desk.replies())[before:] == ["All three."]
    assert [reason for _, reason in (await desk.decisions())[-3:]] == ["answered"] * 3


@pytest.mark.parametrize("status", ["closed", "resolved"])
async def test_a_ticket_that_is_over_in_the_middle_of_a_turn_gets_nothing_more(house: TicketDesk, status: str) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await house.change(status=status)
        return "Never sent."

    assert await house.ask("Hello?", interrupted) == []
    assert (await house.desk.decisions())[-1] == ("silent", "conversation_closed")
    await house.desk.clock.advance(60)
    assert await house.ask("It is back.", "A new beginning.") == ["A new beginning."]
    assert "Hello?" not in str(house.desk.script.requests[-1])
    ticket = await house.now()
    assert (ticket["status"], ticket["episode"]) == ("open", 2)


async def test_waiting_for_the_customer_stops_no_turn(house: TicketDesk) -> None:
    async def waiting(_: list[ModelMessage]) -> Reply:
        await house.change(status="pending")
        return "Please send the invoice."

    assert await house.ask("Hello?", waiting) == ["Please send the invoice."]
    assert (await house.now())["status"] == "pending"
    assert await house.ask("Here it is.", "Thank you.") == ["Thank you."]
    assert "Please send the invoice." in str(house.desk.script.requests[-1])
    assert (await house.now())["status"] == "open"


async def test_a_newer_message_takes_the_turns_place(house: TicketDesk) -> None:
    async def overtaken(_: list[ModelMessage]) -> Reply:
        await house.write("I mean the other one.", direction="inbound")
        return "Never sent."

    assert await house.ask("This invoice.", overtaken, "The other one, then.") == ["The other one, then."]


async def test_a_failed_model_leaves_the_ticket_with_the_reason(house: TicketDesk) -> None:
    house.desk.script.is_missing = True
    lines = await house.ask("Hello?")
    ticket = await house.now()
    assert len(lines) == 1
    assert (ticket["assigned_ai_assistant_id"], ticket["handoff_reason"]) == (None, "no_model")
    await house.change(assigned_ai_assistant_id=house.helper_id)
    assert (await house.now())["handoff_reason"] is None


async def test_a_deleted_ticket_is_not_answered(house: TicketDesk) -> None:
    async def deleted(_: list[ModelMessage]) -> Reply:
        await house.desk.call(TICKETS, "remove", house.ticket_id)
        return "Never sent."

    assert await house.ask("Hello?", deleted) == []
    assert (await house.desk.decisions())[-1] == ("silent", "conversation_deleted")


async def test_a_note_and_a_key_leave_it_to_the_assistant(house: TicketDesk) -> None:
    key = Caller(house.desk.organization_id, house.desk.user_id, Role.admin, via="api_key")
    await house.write("He sounds upset.", message_type="note", takeover=True)
    await house.write("An automatic word.", key)
    assert (await house.now())["assigned_ai_assistant_id"] == house.helper_id
    assert await house.ask("Hello?", "Yes?") == ["Yes?"]
    assert "upset" not in str(house.desk.script.requests[-1])


@dataclass
class Mailbox:
    """Tickets that come and go by e-mail, with the fake provider behind them."""

    house: TicketDesk
    provider: FakeMail

    @property
    def letters(self) -> list[tuple[str | None, str | None, str]]:
        return [(part.address, part.subject, part.text) for part in self.provider.accepted]


@pytest.fixture
async def mailbox(desk: Desk) -> Mailbox:
    rows = await desk.fetch(
        "INSERT INTO inbox_channels (organization_id, channel, name, provider, address, public_key, allowed_origins,"
        " is_active, limits, created_at, updated_at)"
        " VALUES ($1, 'email', 'Help', 'fake', 'help@example.com', 'k', '{}', true, '{}', now(), now()) RETURNING id",
        desk.organization_id,
    )  # fmt: skip
    provider = FakeMail()
    desk.channels["email"] = Connected("email", desk.database, {"fake": provider})
    await desk.door.call(desk.owner, "contacts", "patch", id=desk.contact_id, data={"email": "luis@example.com"})
    return Mailbox(await opened(desk, inbox_channel_id=rows[0][0], thread_id="<1@mail.example>"), provider)


async def test_an_answer_by_mail_names_the_ticket_and_says_that_it_is_automatic(mailbox: Mailbox) -> None:
    assert await mailbox.house.ask("Hello?", "Hello Luis.") == ["Hello Luis."]
    assert mailbox.letters == [("luis@example.com", "Re: My invoice is wrong [TK-2026-001]", "Hello Luis.")]
    assert mailbox.provider.accepted[0].sender == {"name": "Help", "email": "help@example.com"}
    assert mailbox.provider.accepted[0].headers == {
        "Auto-Submitted": "auto-replied", "In-Reply-To": "<1@mail.example>", "References": "<1@mail.example>",
    }  # fmt: skip


@pytest.mark.parametrize("rule", [FIXED, WRITTEN], ids=["fixed", "ai"])
async def test_a_reminder_by_mail_says_that_nobody_asked_for_it(mailbox: Mailbox, rule: dict[str, Json]) -> None:
    desk, rules = mailbox.house.desk, {"enabled": True, "rules": [rule]}
    await desk.call("ai-assistants", "patch", mailbox.house.helper_id, follow_up_config=rules)
    await mailbox.house.ask("Hello?", "Which order?")
    desk.script.say("And the order?")
    await desk.pass_time(HOUR)
    sent = [(part.headers or {})["Auto-Submitted"] for part in mailbox.provider.accepted]
    assert sent == ["auto-replied", "auto-generated"]


async def test_a_persons_mail_is_pending_until_the_provider_has_it(mailbox: Mailbox) -> None:
    house, message = mailbox.house, await mailbox.house.write("Marta here.", takeover=True)
    await house.desk.settle()
    stored = (await house.desk.call(MESSAGES, "get", int(str(message["id"])))).value
    assert (message["status"], stored["status"]) == ("pending", "sent")
    assert mailbox.letters == [("luis@example.com", "Re: My invoice is wrong [TK-2026-001]", "Marta here.")]
    assert "Auto-Submitted" not in (mailbox.provider.accepted[0].headers or {})


async def test_a_note_goes_by_no_mail(mailbox: Mailbox) -> None:
    await mailbox.house.write("Careful.", message_type="note")
    await mailbox.house.desk.settle()
    assert mailbox.letters == []


async def test_a_close_while_the_mail_is_refused_for_now_stops_it(mailbox: Mailbox) -> None:
    house = mailbox.house
    mailbox.provider.faults.append(Unavailable("greylisted"))
    assert await house.ask("Hello?", "Hello Luis.") == []
    await house.change(status="resolved")
    await house.desk.pass_time(60)
    assert mailbox.letters == []
    assert (await house.desk.decisions())[-1] == ("silent", "conversation_closed")


@pytest.mark.parametrize("channel", ["email", "gmail"])
async def test_a_mailbox_that_nothing_carries_fails_and_says_so(desk: Desk, channel: str) -> None:
    house = await opened(desk, channel=channel)
    assert await house.ask("Hello?", "Hello Luis.") == []
    assert (await desk.decisions())[-1] == ("failed", "delivery_failed")
    message = await house.write("By hand.")
    await desk.settle()
    assert (await desk.call(MESSAGES, "get", int(str(message["id"])))).value["status"] == "failed"


async def test_a_contact_without_an_address_gets_no_mail(mailbox: Mailbox) -> None:
    house = mailbox.house
    await house.desk.door.call(house.desk.owner, "contacts", "patch", id=house.desk.contact_id, data={"email": None})
    assert await house.ask("Hello?", "Hello Luis.") == []
    assert mailbox.letters == []
    assert (await house.desk.decisions())[-1] == ("failed", "delivery_failed")


async def arrived(mailbox: Mailbox, text: str, external_id: str, **fields: object) -> int:
    """A mail comes in; gives the ticket that it lies in."""
    ticket = await mailbox.house.now()
    values: dict[str, object] = {"address": "luis@example.com", "subject": "Another thing", **fields}
    mail = Mail(
        mailbox.house.desk.organization_id, cast(int, ticket["inbox_channel_id"]), "email", text=text,
        external_id=external_id, **values,
    )  # type: ignore[arg-type]  # fmt: skip
    return (await arrive(mailbox.house.desk.door, mail)).conversation_id


async def test_a_mail_of_the_thread_goes_on_in_the_ticket_and_a_repeat_changes_nothing(mailbox: Mailbox) -> None:
    house = mailbox.house
    await house.change(status="closed")
    for _ in range(2):
        assert await arrived(mailbox, "And now?", "<2@mail>", thread_id="<1@mail.example>") == house.ticket_id
    house.desk.script.say("Now it is done.")
    await house.desk.settle()
    assert [letter[2] for letter in mailbox.letters] == ["Now it is done."]
    assert (await house.now())["episode"] == 2


async def test_a_reply_finds_its_ticket_by_the_number_in_the_subject(mailbox: Mailbox) -> None:
    subject = "AW: Re: My invoice is wrong [TK-2026-001]"
    assert await arrived(mailbox, "Thanks", "<3@mail>", subject=subject) == mailbox.house.ticket_id


async def test_a_stranger_who_names_a_number_opens_a_ticket_of_their_own(mailbox: Mailbox) -> None:
    fields = {"subject": "Re: x [TK-2026-001]", "address": "eve@example.com", "first_name": "Eve"}
    other = await arrived(mailbox, "Tell me about it", "<4@mail>", **fields)
    ticket = (await mailbox.house.desk.call(TICKETS, "get", other)).value
    assert other != mailbox.house.ticket_id
    assert (ticket["meta_contact_email"], ticket["is_contact_verified"]) == ("eve@example.com", False)
    assert (ticket["channel"], ticket["meta_inbox_channel_email"]) == ("email", "help@example.com")


async def test_two_first_mails_of_a_thread_at_once_make_one_ticket(mailbox: Mailbox) -> None:
    mails = (arrived(mailbox, f"Part {n}", f"<5-{n}@mail>", thread_id="<5@mail>") for n in range(4))
    tickets = await asyncio.gather(*mails)
    assert len(set(tickets)) == 1
    rows = await mailbox.house.desk.fetch(
        "SELECT count(*) FROM conversation_messages WHERE conversation_id = $1", tickets[0]
    )
    assert rows[0][0] == 4


@pytest.mark.parametrize("subject", ["", " \n ", "a\x00b \x1b", "x" * 900])
async def test_a_subject_that_no_field_takes_is_made_one(mailbox: Mailbox, subject: str) -> None:
    other = await arrived(mailbox, "Hi\x00 there\ud800", "<6@mail>", subject=subject)
    ticket = (await mailbox.house.desk.call(TICKETS, "get", other)).value
    assert 0 < len(str(ticket["subject"])) <= 300


async def test_a_repeat_into_a_deleted_ticket_opens_none(mailbox: Mailbox) -> None:
    first = await arrived(mailbox, "Hi", "<7@mail>", thread_id="<7@mail>")
    await mailbox.house.desk.call(TICKETS, "remove", first)
    assert await arrived(mailbox, "Hi", "<7@mail>", thread_id="<7@mail>") == first
    assert await arrived(mailbox, "Hello?", "<8@mail>", thread_id="<7@mail>") != first
