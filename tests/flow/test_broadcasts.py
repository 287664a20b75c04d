"""Broadcasts with the fake e-mail provider: frozen recipients, each once, and everyone who gets nothing."""

import pytest

from frontdesk.broadcasts import Broadcasts
from frontdesk.channels.connected import Connected
from frontdesk.channels.fake import FakeProvider
from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import BadRequest, Conflict, Invalid, Unavailable, Unprocessable
from frontdesk.core.jobs import read_payload
from frontdesk.runtime.sweeper import BROADCAST_DOORBELL, sweep
from tests.flow.harness import Crash, Desk

URL = "https://desk.example"


class Mailing:
    """A sender, a few contacts, and a worker that sends what is due."""

    def __init__(self, desk: Desk, fake: FakeProvider) -> None:
        self.desk, self.fake = desk, fake
        channel = Connected("email", desk.database, {"fake": fake})
        self.worker = Broadcasts(desk.door, channel, URL)
        self.sender_id = 0
        self.contacts: list[int] = []

    async def contact(self, **fields: object) -> int:
        row = await self.desk.call("contacts", "create", **fields)
        self.contacts.append(int(str(row.value["id"])))
        return self.contacts[-1]

    async def send(self, status: str = "sending", caller: Caller | None = None, **fields: object) -> int:
        data = {
            "sender_id": self.sender_id, "subject": "We move", "body_text": "Hello {{first_name}}.",
            "contact_ids": self.contacts, "status": status, **fields,
        }  # fmt: skip
        row = await self.desk.door.call(caller or self.desk.owner, "email-broadcasts", "create", data=data)
        return int(str(row.value["id"]))

    async def work(self, seconds: float = 0) -> None:
        """Let the bells ring, as a worker would; those of conversations are not ours."""
        await self.desk.clock.advance(seconds)
        async with self.desk.database.system() as connection:
            await sweep(connection, self.desk.clock)
            rows = await connection.fetch("DELETE FROM pgqueuer RETURNING entrypoint, payload")
        for row in rows:
            if row["entrypoint"] == BROADCAST_DOORBELL:
                await self.worker.advance(*read_payload(row["payload"]))

    async def counts(self, id: int) -> tuple[object, ...]:
        row = (await self.desk.call("email-broadcasts", "get", id)).value
        names = ("status", "recipient_count", "sent_count", "failed_count", "skipped_count")
        return tuple(row[name] for name in names)

    async def fates(self, id: int) -> dict[object, object]:
        """What became of each recipient: reason, or status where there is none."""
        rows = await self.desk.fetch(
            "SELECT contact_id, coalesce(reason, status) FROM email_broadcast_recipients"
            " WHERE email_broadcast_id = $1", id,
        )  # fmt: skip
        return {row[0]: row[1] for row in rows}


@pytest.fixture
async def mailing(desk: Desk) -> Mailing:
    mailing = Mailing(desk, FakeProvider())
    mailbox = await desk.call("inbox-channels", "create", channel="email", name="News", provider="fake")
    sender = await desk.call(
        "email-broadcast-senders", "create", name="Luna Dental", email="news@example.com", is_verified=True,
        inbox_channel_id=mailbox.value["id"],
    )  # fmt: skip
    mailing.sender_id = int(str(sender.value["id"]))
    for name in ("Luis", "Ana", "Eva"):
        await mailing.contact(first_name=name, email=f"{name.lower()}@example.com")
    return mailing


async def test_each_recipient_gets_it_once(mailing: Mailing) -> None:
    id = await mailing.send()
    assert mailing.fake.accepted == []
    await mailing.work()
    await mailing.work(120)
    assert [part.address for part in mailing.fake.accepted] == [
        "luis@example.com",
        "ana@example.com",
        "eva@example.com",
    ]
    assert await mailing.counts(id) == ("sent", 3, 3, 0, 0)
    first = mailing.fake.accepted[0]
    assert first.text.startswith("Hello Luis.\n\n--\nhttps://desk.example/unsubscribe/")
    assert first.sender == {"name": "Luna Dental", "email": "news@example.com"}
    assert (first.headers or {})["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_who_gets_nothing_has_a_reason(mailing: Mailing, desk: Desk) -> None:
    without = await mailing.contact(first_name="Nobody")
    out = await mailing.contact(email="out@example.com", opted_out_at="2026-01-01T00:00:00Z")
    twin = await mailing.contact(email="luis@example.com")
    await desk.call("conversations", "patch", desk.conversation_id, blocked=True)
    mailing.contacts.append(desk.contact_id)
    await desk.call("contacts", "patch", desk.contact_id, email="blocked@example.com")
    id = await mailing.send()
    await mailing.work()
    assert await mailing.counts(id) == ("sent", 7, 3, 0, 4)
    fates = await mailing.fates(id)
    assert [fates[one] for one in (without, out, twin, desk.contact_id)] == [
        "no_email", "opted_out", "duplicate", "contact_blocked",
    ]  # fmt: skip


async def test_the_recipients_are_those_of_the_moment_of_sending(mailing: Mailing, desk: Desk) -> None:
    id = await mailing.send(contact_ids=None, filter={"first_name": {"$in": ["Luis", "Ana"]}})
    await mailing.contact(first_name="Luis", email="late@example.com")
    await desk.call("contacts", "remove", mailing.contacts[1])
    await mailing.work()
    assert [part.address for part in mailing.fake.accepted] == ["luis@example.com"]
    assert (await mailing.fates(id))[mailing.contacts[1]] == "contact_deleted"


async def test_an_audience_by_tag(mailing: Mailing, desk: Desk) -> None:
    tag = (await desk.call("tags", "create", name="VIP")).value["id"]
    await desk.call("contact-tags", "create", contact_id=mailing.contacts[2], tag_id=tag)
    await mailing.send(contact_ids=None, tag_id=tag)
    await mailing.work()
    assert [part.address for part in mailing.fake.accepted] == ["eva@example.com"]


async def test_who_opts_out_while_it_is_being_sent_is_left_out(mailing: Mailing, desk: Desk) -> None:
    id = await mailing.send()
    await desk.call("contacts", "patch", mailing.contacts[0], opted_out_at="2026-01-05T12:00:00Z")
    await mailing.work()
    assert await mailing.counts(id) == ("sent", 3, 2, 0, 1)


async def test_a_crash_sends_again_with_the_same_key(mailing: Mailing) -> None:
    mailing.fake.faults = [Crash()]
    id = await mailing.send()
    with pytest.raises(Crash):
        await mailing.work()
    await mailing.work(100)
    assert sorted(part.address or "" for part in mailing.fake.accepted) == [
        "ana@example.com", "eva@example.com", "luis@example.com",
    ]  # fmt: skip
    assert len(mailing.fake.keys) == 4
    assert await mailing.counts(id) == ("sent", 3, 3, 0, 0)


async def test_without_keys_the_third_try_is_not_made(mailing: Mailing) -> None:
    mailing.fake.takes_keys = False
    mailing.contacts = mailing.contacts[:1]
    mailing.fake.faults = [Crash(), Crash()]
    id = await mailing.send()
    for _ in range(2):
        with pytest.raises(Crash):
            await mailing.work(100)
    await mailing.work(100)
    assert len(mailing.fake.accepted) == 2
    assert await mailing.counts(id) == ("sent", 1, 0, 1, 0)


async def test_a_provider_that_is_away_or_refuses(mailing: Mailing) -> None:
    mailing.fake.faults = [Unavailable("The provider is away."), BadRequest("No such mailbox.")]
    id = await mailing.send()
    await mailing.work()
    assert await mailing.counts(id) == ("sending", 3, 1, 1, 0)
    await mailing.work(31)
    assert await mailing.counts(id) == ("sent", 3, 2, 1, 0)
    assert (await mailing.fates(id))[mailing.contacts[1]] == "No such mailbox."


async def test_cancelling_stops_what_was_not_sent(mailing: Mailing, desk: Desk) -> None:
    id = await mailing.send()
    await desk.call("email-broadcasts", "patch", id, status="cancelled")
    await mailing.work()
    assert mailing.fake.accepted == []
    assert await mailing.counts(id) == ("cancelled", 3, 0, 0, 3)


async def test_two_workers_share_the_recipients(mailing: Mailing, desk: Desk) -> None:
    id = await mailing.send()
    first = await mailing.worker._claim(desk.organization_id, id)
    assert first is not None
    await mailing.worker.advance(desk.organization_id, id)
    assert mailing.fake.accepted == []


async def test_a_draft_is_changed_and_a_sent_one_is_not(mailing: Mailing, desk: Desk) -> None:
    id = await mailing.send("draft", contact_ids=None)
    await desk.call("email-broadcasts", "patch", id, subject="We have moved", contact_ids=mailing.contacts)
    await desk.call("email-broadcasts", "patch", id, status="sending")
    with pytest.raises(Conflict):
        await desk.call("email-broadcasts", "patch", id, subject="Oops")
    with pytest.raises(Conflict):
        await desk.call("email-broadcasts", "remove", id)
    with pytest.raises(Conflict):
        await desk.call("email-broadcasts", "patch", id, status="draft")


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"contact_ids": None}, "contact_ids"), ({"contact_ids": [999_999]}, "contact_ids"), ({"tag_id": 1}, "tag_id"),
     ({"contact_ids": None, "filter": {"shoe_size": 43}}, "filter.shoe_size"),
     ({"contact_ids": None, "filter": {"$limit": 1}}, "filter.$limit"), ({"body_text": " "}, "body_text"),
     ({"subject": " \n"}, "subject"), ({"sender_id": 999_999}, "sender_id")],
)  # fmt: skip
async def test_what_cannot_be_sent_names_its_field(mailing: Mailing, fields: dict[str, object], name: str) -> None:
    with pytest.raises(Invalid) as error:
        await mailing.send(**fields)
    assert name in error.value.errors


async def test_a_draft_names_contacts_of_the_organization_only(mailing: Mailing) -> None:
    ours = await mailing.contact(email="ana@example.com")
    with pytest.raises(Invalid) as error:
        await mailing.send("draft", contact_ids=[ours, 999_999])
    assert error.value.errors == {"contact_ids": "names no contact: 999999"}


async def test_the_name_of_a_sender_is_one_line_of_a_header(mailing: Mailing, desk: Desk) -> None:
    name = "Luna\r\nBcc: eve@example.com"
    sender = await desk.call("email-broadcast-senders", "patch", mailing.sender_id, name=name)
    assert sender.value["name"] == "Luna Bcc: eve@example.com"


async def test_a_sender_that_is_not_verified_sends_nothing(mailing: Mailing, desk: Desk) -> None:
    await desk.call("email-broadcast-senders", "patch", mailing.sender_id, email="other@example.com")
    with pytest.raises(Unprocessable) as error:
        await mailing.send()
    assert error.value.data == {"code": "sender_not_verified"}


async def test_an_assistant_whose_replies_are_off_sends_none(mailing: Mailing, desk: Desk) -> None:
    tool = Caller(desk.organization_id, None, Role.member, ai_assistant_id=desk.assistant_id, via="tool")
    id = await mailing.send(caller=tool)
    await desk.configure(disable_reply=True)
    await mailing.work()
    assert (mailing.fake.accepted, (await mailing.counts(id))[4]) == ([], 3)
    with pytest.raises(Unprocessable):
        await mailing.send(caller=tool)


async def test_html_holds_no_code_of_a_contacts_name(mailing: Mailing) -> None:
    mailing.contacts = []
    await mailing.contact(first_name="<b>Bob</b>", email="bob@example.com")
    await mailing.send(body_html="<p>Hello {{first_name}}</p>", body_text=None, subject="For {{first_name}}")
    await mailing.work()
    part = mailing.fake.accepted[0]
    assert "Hello &lt;b&gt;Bob&lt;/b&gt;" in str(part.html)
    assert part.subject == "For <b>Bob</b>"
