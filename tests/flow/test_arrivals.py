"""What providers deliver: whose it is, what is kept of it, and what became of our own messages."""

import asyncio

import pytest

from frontdesk.arrivals import arrive
from frontdesk.core.errors import Invalid
from tests.flow.connected import ANA, LUIS, Line, connect
from tests.flow.harness import Desk


@pytest.fixture
async def line(desk: Desk) -> Line:
    line = await connect(desk)
    await line.ask("Hola", "Good day.")
    return line


async def contact_of(desk: Desk, conversation_id: int) -> dict[str, object]:
    talk = (await desk.call("conversations", "get", conversation_id)).value
    return dict((await desk.call("contacts", "get", int(str(talk["contact_id"])))).value)


async def reactions(line: Line, id: int) -> list[tuple[object, object]]:
    row = (await line.desk.call("conversation-messages-whatsapp", "get", id)).value
    return [(one["sender"], one["emoji"]) for one in row["reactions"]]  # type: ignore[union-attr, index, call-overload]


async def last_sent(line: Line) -> int:
    rows = await line.desk.fetch("SELECT max(id) FROM conversation_messages WHERE direction = 'outbound'")
    return int(rows[0][0])


async def test_a_new_number_becomes_a_contact_with_its_country(desk: Desk, line: Line) -> None:
    contact = await contact_of(desk, line.conversation_id)
    assert (contact["phone"], contact["phone_country_code"], contact["phone_country_iso"]) == (f"+{LUIS}", "+34", "ES")
    assert contact["channel_whatsapp_wa_id"] == LUIS


async def test_a_name_at_the_provider_becomes_the_contacts(desk: Desk, line: Line) -> None:
    stored = await line.write("Hola", address=ANA, name="Ana T.")
    assert (await contact_of(desk, stored.conversation_id))["first_name"] == "Ana T."


@pytest.mark.parametrize(
    ("phone", "code"), [("600 333 444", "+34"), ("+34 600-333-444", None), ("600333444", "+34")], ids=str
)
async def test_a_number_that_a_contact_has_is_that_contacts(
    desk: Desk, line: Line, phone: str, code: str | None
) -> None:
    values = {"first_name": "Ana", "phone": phone, "phone_country_code": code}
    ana = await desk.call("contacts", "create", **{name: value for name, value in values.items() if value})
    stored = await line.write("Hola", address=ANA)
    assert stored.contact_id == ana.value["id"]
    assert (await contact_of(desk, stored.conversation_id))["channel_whatsapp_wa_id"] == ANA


async def test_a_number_of_a_merged_contact_is_the_kept_ones(desk: Desk, line: Line) -> None:
    kept = await desk.call("contacts", "create", first_name="Ana", phone="+34600999888")
    other = await desk.call("contacts", "create", phone=f"+{ANA}")
    await desk.call("contact-merges", "create", contact_id=kept.value["id"], merged_contact_id=other.value["id"])
    assert (await line.write("Hola", address=ANA)).contact_id == kept.value["id"]


async def test_who_writes_again_goes_on_in_the_same_thread(desk: Desk, line: Line) -> None:
    await desk.call("conversations", "patch", line.conversation_id, status="closed")
    stored = await line.write("Me again", address=f"+{LUIS}")
    assert stored.conversation_id == line.conversation_id
    assert (await desk.call("conversations", "get", line.conversation_id)).value["status"] == "open"


async def test_each_account_has_threads_of_its_own(desk: Desk, line: Line) -> None:
    other = await connect(desk)
    stored = await other.write("Hola")
    assert stored.conversation_id != line.conversation_id
    assert stored.contact_id == (await line.write("Hola")).contact_id


async def test_a_deleted_contact_who_writes_again_is_a_new_one_in_the_old_thread(desk: Desk, line: Line) -> None:
    old = await contact_of(desk, line.conversation_id)
    await desk.call("contacts", "remove", int(str(old["id"])))
    stored = await line.write("Hola?")
    assert stored.conversation_id == line.conversation_id
    assert (await contact_of(desk, line.conversation_id))["id"] == stored.contact_id != old["id"]


async def test_a_deleted_thread_is_not_gone_on_with(desk: Desk, line: Line) -> None:
    await desk.call("conversations", "remove", line.conversation_id)
    assert (await line.write("Hola?")).conversation_id != line.conversation_id


async def test_a_delivery_that_is_repeated_changes_nothing(desk: Desk, line: Line) -> None:
    first = await line.write("Once", external_id="same")
    again = await line.write("Once", external_id="same")
    assert (again.id, again.is_new) == (first.id, False)


async def test_a_number_that_cannot_be_is_refused(line: Line) -> None:
    with pytest.raises(Invalid):
        await line.write("Hola", address="12")


@pytest.mark.parametrize(("kind", "caption"), [("image", ""), ("document", "My bill")])
async def test_a_file_is_kept_and_the_model_knows_of_it(desk: Desk, line: Line, kind: str, caption: str) -> None:
    media = {"media_url": "https://files.example/1", "file_name": "a.pdf", "file_type": "application/pdf"}
    desk.script.say("I see it.")
    stored = await line.write(caption, message_type=kind, media=media)
    await desk.settle()
    row = (await desk.call("conversation-messages-whatsapp", "get", stored.id)).value
    assert (row["message_type"], row["media_url"], row["file_name"]) == (kind, media["media_url"], "a.pdf")
    assert f"[{kind}: a.pdf" in str(desk.script.requests[-1])
    assert line.fake.texts[-1] == "I see it."


@pytest.mark.parametrize("kind", ["sticker", "contacts", "Order!"])
async def test_what_we_cannot_show_is_told_by_a_placeholder(desk: Desk, line: Line, kind: str) -> None:
    stored = await line.write("", message_type=kind)
    row = (await desk.call("conversation-messages-whatsapp", "get", stored.id)).value
    name = kind.lower().strip("!")
    assert (row["message_type"], row["message_text"]) == ("unsupported", f"[unsupported message: {name}]")


async def test_a_reaction_starts_no_turn_and_replaces_the_earlier_one(desk: Desk, line: Line) -> None:
    id, before = await last_sent(line), await desk.decisions()
    target = (await desk.fetch("SELECT external_id FROM conversation_messages WHERE id = $1", id))[0][0]
    for emoji in ("👍", "❤️"):
        await line.write(message_type="reaction", reacts_to=target, emoji=emoji)
    await desk.settle()
    assert await reactions(line, id) == [("contact", "❤️")]
    assert (await desk.fetch("SELECT count(*) FROM ai_decisions"))[0][0] == len(before)
    talk = (await desk.call("conversations", "get", line.conversation_id)).value
    assert talk["unread_count"] == 1


async def test_an_empty_reaction_takes_the_earlier_one_back(desk: Desk, line: Line) -> None:
    id = await last_sent(line)
    target = (await desk.fetch("SELECT external_id FROM conversation_messages WHERE id = $1", id))[0][0]
    await line.write(message_type="reaction", reacts_to=target, emoji="👍")
    await line.write(message_type="reaction", reacts_to=target)
    assert await reactions(line, id) == []


async def test_a_repeated_or_homeless_reaction_is_dropped(desk: Desk, line: Line) -> None:
    id = await last_sent(line)
    target = (await desk.fetch("SELECT external_id FROM conversation_messages WHERE id = $1", id))[0][0]
    first = line.arrival("", message_type="reaction", reacts_to=target, emoji="👍")
    await arrive(desk.door, first)
    assert await arrive(desk.door, first) is None
    assert await reactions(line, id) == [("contact", "👍")]
    assert await arrive(desk.door, line.arrival("", message_type="reaction", reacts_to="nobody", emoji="👍")) is None


async def test_a_persons_reaction_reaches_the_provider(desk: Desk, line: Line) -> None:
    stored = await line.write("Thanks!", external_id="wamid.1")
    for emoji in ("👍", "❤️", ""):
        await line.send(message_type="reaction", reaction_to_message_id=str(stored.id), emoji=emoji)
        await desk.settle()
    sent = [(part.emoji, part.reaction_to) for part in line.fake.accepted if part.message_type == "reaction"]
    assert sent == [("👍", "wamid.1"), ("❤️", "wamid.1"), ("", "wamid.1")]
    assert await reactions(line, stored.id) == []
    assert (await desk.call("conversations", "get", line.conversation_id)).value["assigned_user_id"] is None


async def test_a_reply_names_the_message_that_it_answers(desk: Desk, line: Line) -> None:
    stored = await line.write("Which day?", external_id="wamid.7")
    await line.send("Monday.", reply_to_message_id=stored.id)
    await desk.settle()
    assert line.fake.accepted[-1].reply_to == "wamid.7"


async def test_statuses_go_forward_only(desk: Desk, line: Line) -> None:
    sent = await line.send("Marta here.")
    await desk.settle()
    id = int(str(sent["id"]))
    assert [await line.report(id, status) for status in ("read", "delivered", "sent", "failed")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert await line.status(id) == "read"


async def test_a_message_may_fail_after_it_was_accepted(desk: Desk, line: Line) -> None:
    sent = await line.send("Marta here.")
    await desk.settle()
    assert await line.report(int(str(sent["id"])), "failed", "The number has left WhatsApp.")
    message = await line.message(sent["id"])
    assert (message["status"], message["error"]) == ("failed", "The number has left WhatsApp.")


async def test_each_step_of_a_message_leaves_an_event(desk: Desk, line: Line) -> None:
    sent = await line.send("Marta here.")
    await desk.settle()
    await line.report(int(str(sent["id"])), "delivered")
    rows = await desk.fetch(
        "SELECT name, data ->> 'status' FROM events WHERE resource = 'conversation-messages-whatsapp' AND row_id = $1"
        " ORDER BY id", sent["id"],
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("conversation-messages-whatsapp.created", "pending"), ("conversation-messages-whatsapp.updated", "sent"),
        ("conversation-messages-whatsapp.updated", "delivered"),
    ]  # fmt: skip
    taken = await desk.fetch("SELECT data::text FROM events WHERE name = 'conversations.taken_over'")
    assert f'"assigned_user_id":{desk.user_id}' in taken[0][0].replace(" ", "")


async def test_two_first_messages_at_once_make_one_thread(desk: Desk) -> None:
    line = await connect(desk)
    both = await asyncio.gather(*(arrive(desk.door, line.arrival(text)) for text in ("One", "Two")))
    assert len({stored.conversation_id for stored in both if stored}) == 1
    assert len({stored.contact_id for stored in both if stored}) == 1


async def test_the_same_delivery_twice_at_once_is_one_message(desk: Desk) -> None:
    line = await connect(desk)
    await line.write("Hola")
    both = await asyncio.gather(*(line.write("Once", external_id="same") for _ in range(2)))
    assert len({stored.id for stored in both}) == 1
    assert sorted(stored.is_new for stored in both) == [False, True]


async def test_two_workers_hand_a_message_over_once(desk: Desk, line: Line) -> None:
    await line.send("Marta here.")
    where = (desk.organization_id, line.conversation_id)
    await asyncio.gather(*(desk.another_flow().advance(*where) for _ in range(4)))
    assert line.fake.texts[1:] == ["Marta here."]


async def test_two_reactions_at_once_leave_one(desk: Desk, line: Line) -> None:
    stored = await line.write("Thanks!", external_id="wamid.1")
    both = (line.send(message_type="reaction", reaction_to_message_id=stored.id, emoji=one) for one in ("👍", "❤️"))
    await asyncio.gather(*both)
    assert len(await reactions(line, stored.id)) == 1
