"""One word ends reminders and offers, one brings them back; it is answered by one line and no assistant."""

import pytest

from frontdesk.runtime.opting_out import LINES, word_of
from tests.flow.connected import LUIS, connect
from tests.flow.follow_ups import FIXED, HOUR, ended, remind
from tests.flow.harness import Desk
from tests.flow.test_tickets import Mailbox, mailbox, opened  # noqa: F401

OUT_LINE = "You will get no more reminders and no offers. Write START to get them again."
IN_LINE = "You will get reminders again. Write STOP to end them."


async def opted_out(desk: Desk) -> bool:
    rows = await desk.fetch("SELECT opted_out_at FROM contacts WHERE id = $1", desk.contact_id)
    return rows[0][0] is not None


@pytest.mark.parametrize("text", ["STOP", "stop.", " Baja ", "UNSUBSCRIBE!", "Darme de baja", "cancelar suscripción"])
def test_the_whole_message_is_the_word(text: str) -> None:
    word = word_of(text, "whatsapp")
    assert word is not None
    assert word.wish == "out"


@pytest.mark.parametrize("text", ["Stop by at ten?", "I want to cancel", "cancelar", "END", "", "startup", "x" * 200])
def test_anything_else_is_a_message(text: str) -> None:
    assert word_of(text, "whatsapp") is None


@pytest.mark.parametrize("text", ["CANCEL", "end", "Quit", "CANCELAR"])
def test_by_sms_the_carriers_words_count_too(text: str) -> None:
    assert word_of(text, "sms") is not None


async def test_stop_ends_what_waits_and_is_answered_by_a_line(desk: Desk) -> None:
    await remind(desk, FIXED, stop_on=["close"])
    await desk.ask("Have you a place?", "At ten.")
    requests = len(desk.script.requests)
    assert await desk.ask("STOP") == [OUT_LINE]
    assert (await opted_out(desk), len(desk.script.requests)) == (True, requests)
    assert (await desk.decisions())[-1] == ("silent", "customer_opted_out")
    assert await ended(desk) == [("cancelled", "opted_out")]


async def test_who_opted_out_is_answered_and_not_reminded(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask("BAJA")
    assert await desk.ask("Have you a place?", "At ten.") == ["At ten."]
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("cancelled", "opted_out")]


async def test_twice_says_nothing_more(desk: Desk) -> None:
    await desk.ask("STOP")
    assert await desk.ask("STOP") == []


async def test_start_brings_reminders_back(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask("STOP")
    assert await desk.ask("Start") == [IN_LINE]
    assert not await opted_out(desk)
    await desk.ask("Have you a place?", "At ten.")
    await desk.pass_time(HOUR)
    assert (await ended(desk))[-1] == ("sent", None)


async def test_start_of_somebody_who_never_opted_out_is_a_message(desk: Desk) -> None:
    assert await desk.ask("Start", "What shall we start with?") == ["What shall we start with?"]


async def test_it_opens_a_closed_conversation_and_is_still_answered(desk: Desk) -> None:
    await desk.change(status="closed")
    assert await desk.ask("STOP") == [OUT_LINE]


async def test_the_line_is_in_the_assistants_language(desk: Desk) -> None:
    await desk.configure(instructions_language="ESP")
    assert "ALTA" in (await desk.ask("STOP"))[0]


@pytest.mark.parametrize("change", ["silent", "blocked"])
async def test_who_is_blocked_or_unheard_gets_no_line_and_is_opted_out(desk: Desk, change: str) -> None:
    await (desk.configure(disable_reply=True) if change == "silent" else desk.change(blocked=True))
    assert await desk.ask("STOP") == []
    assert await opted_out(desk)


async def test_messages_before_the_word_are_still_answered(desk: Desk) -> None:
    await desk.say("Have you a place?")
    await desk.say("STOP")
    desk.script.say("At ten.")
    await desk.settle()
    assert sorted((await desk.replies())[1:]) == ["At ten.", OUT_LINE]


async def test_a_provider_delivers_it_twice_and_it_counts_once(desk: Desk) -> None:
    line = await connect(desk, "sms")
    for _ in range(2):
        await line.write("CANCEL", external_id="same")
    await desk.settle()
    assert line.fake.texts == [OUT_LINE]
    rows = await desk.fetch("SELECT name FROM events WHERE name = 'contacts.updated'")
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("channel", "out", "back"),
    [("whatsapp", "STOP", "START"), ("instagram", "Baja", "Alta"), ("messenger", "Unsubscribe", "Subscribe"),
     ("sms", "Cancelar", "dar de alta")],
)  # fmt: skip
async def test_on_every_channel_out_and_in_again(desk: Desk, channel: str, out: str, back: str) -> None:
    line = await connect(desk, channel)
    address = LUIS if channel in ("whatsapp", "sms") else "1789"
    for text, wish in ((out, "out"), (back, "in")):
        await line.write(text, address=address)
        await desk.settle()
        assert line.fake.texts[-1] in LINES[wish].values()  # type: ignore[index]
    rows = await desk.fetch("SELECT reason FROM ai_decisions ORDER BY id DESC LIMIT 2")
    assert [row[0] for row in rows] == ["customer_opted_in", "customer_opted_out"]


async def test_a_tapped_button_is_a_word_too(desk: Desk) -> None:
    line = await connect(desk, "whatsapp")
    await line.write("Stop", message_type="button")
    await desk.settle()
    assert line.fake.texts == [OUT_LINE]


async def test_by_mail_who_opted_out_in_a_thread_opts_in_again_in_it(mailbox: Mailbox) -> None:  # noqa: F811
    assert await mailbox.house.ask("STOP") == [OUT_LINE]
    assert await mailbox.house.ask("START") == [IN_LINE]
    await mailbox.house.ask("STOP")
    other = await opened(mailbox.house.desk)
    assert await other.ask("START", "Start what?") == ["Start what?"]
    assert await opted_out(mailbox.house.desk)


async def test_a_stranger_cannot_opt_somebody_in(desk: Desk) -> None:
    await desk.call("contacts", "patch", desk.contact_id, opted_out_at="2026-01-05T12:00:00Z")
    opened = await desk.say(
        "Start", conversation_id=None, contact_id=desk.contact_id, ai_assistant_id=desk.assistant_id
    )  # fmt: skip
    assert opened.is_new
    await desk.settle()
    assert await opted_out(desk)
