"""People's messages on channels with a provider: in order, once, behind the window, with what became of each."""

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import BadRequest, Unavailable, Unprocessable
from tests.flow.connected import ANA, LUIS, Line, connect, template
from tests.flow.harness import Crash, Desk, Reply

HOUR, DAY = 3600, 24 * 3600
MULTI = {"mode": "multi", "max_messages": 3, "delay_seconds": {"min": 2, "max": 2}}
ANSWER = "First the visit.\n\nThen the bill.\n\nThen you go home."
PARTS = ["First the visit.", "Then the bill.", "Then you go home."]


@pytest.fixture
async def line(desk: Desk) -> Line:
    """WhatsApp, after a first exchange."""
    line = await connect(desk)
    assert await line.ask("Hola", "Good day.") == ["Good day."]
    return line


@pytest.mark.parametrize("channel", ["whatsapp", "instagram", "messenger", "sms"])
async def test_the_whole_spine_on_a_connected_channel(desk: Desk, channel: str) -> None:
    line = await connect(desk, channel)
    assert await line.ask("Are you open?", "Until six.") == ["Until six."]
    part = line.fake.accepted[0]
    assert (part.address, part.inbox_channel_id) == (LUIS, line.inbox_channel_id)
    sent = await line.send("Marta here.")
    assert sent["status"] == "pending"
    await desk.settle()
    assert (line.fake.texts[-1], await line.status(sent["id"])) == ("Marta here.", "sent")


async def test_nothing_is_handed_over_within_the_call(desk: Desk, line: Line) -> None:
    sent = await line.send("Marta here.")
    assert line.fake.texts == ["Good day."]
    assert (sent["status"], sent["_id"], sent["sender"]) == ("pending", str(sent["id"]), "user")


async def test_messages_leave_in_the_order_of_the_thread(desk: Desk, line: Line) -> None:
    for text in ("One.", "Two.", "Three."):
        await line.send(text)
    await desk.settle()
    assert line.fake.texts[1:] == ["One.", "Two.", "Three."]


async def test_a_message_that_waits_holds_those_behind_it(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")]
    first = await line.send("One.")
    await line.send("Two.")
    await desk.settle()
    assert line.fake.texts[1:] == []
    assert await line.status(first["id"]) == "pending"
    await desk.pass_time(10)
    assert line.fake.texts[1:] == ["One.", "Two."]


async def test_a_keys_message_goes_between_the_parts_of_an_answer(desk: Desk, line: Line) -> None:
    await desk.configure(response_config=MULTI)
    await line.ask("What happens?", ANSWER)
    await line.send("By the way: bring your card.", line.key)
    for _ in range(6):
        await desk.pass_time(2)
    assert line.fake.texts[1:] == [PARTS[0], "By the way: bring your card.", *PARTS[1:]]
    rows = await desk.fetch(
        "SELECT message_text FROM conversation_messages WHERE direction = 'outbound' AND channel = 'whatsapp'"
        " ORDER BY position"
    )
    assert [row[0] for row in rows] == line.fake.texts


async def test_a_keys_message_does_not_wait_for_the_model(desk: Desk, line: Line) -> None:
    async def thinking(_: list[ModelMessage]) -> Reply:
        await line.send("One moment.", line.key)
        await desk.another_flow().advance(desk.organization_id, line.conversation_id)
        assert line.fake.texts[1:] == ["One moment."]
        return "Here it is."

    assert await line.ask("What does it cost?", thinking) == ["One moment.", "Here it is."]


async def test_a_takeover_withdraws_the_rest_of_the_answer(desk: Desk, line: Line) -> None:
    await desk.configure(response_config=MULTI)
    await line.ask("What happens?", ANSWER)
    await line.send("Marta here.")
    await desk.pass_time(10)
    assert line.fake.texts[1:] == [PARTS[0], "Marta here."]
    statuses = await desk.fetch("SELECT status, reason FROM outbox WHERE ai_turn_id IS NOT NULL ORDER BY id DESC")
    assert [tuple(row) for row in statuses[:2]] == [("withdrawn", "person_took_over")] * 2


async def test_a_persons_message_outlives_a_change_of_owner(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")]
    await line.send("Marta here.")
    await desk.settle()
    await desk.call("conversations", "patch", line.conversation_id, assigned_ai_assistant_id=desk.assistant_id)
    await desk.pass_time(10)
    assert line.fake.texts[1:] == ["Marta here."]


async def test_a_crash_between_sending_and_sent_sends_again_with_the_same_key(desk: Desk, line: Line) -> None:
    line.fake.faults = [Crash()]
    sent = await line.send("Marta here.")
    with pytest.raises(Crash):
        await desk.settle()
    assert await line.status(sent["id"]) == "pending"
    await desk.pass_time(61)
    assert line.fake.texts[1:] == ["Marta here."]
    assert line.fake.keys[1:] == [f"message-{sent['id']}"] * 2
    assert await line.status(sent["id"]) == "sent"


async def test_without_keys_a_second_crash_leaves_it_unknown(desk: Desk) -> None:
    line = await connect(desk, takes_keys=False)
    await line.ask("Hola", "Good day.")
    line.fake.faults = [Crash(), Crash()]
    sent = await line.send("Marta here.")
    for wait in (0, 61):
        with pytest.raises(Crash):
            await desk.pass_time(wait)
    await desk.pass_time(61)
    assert line.fake.texts[1:] == ["Marta here."] * 2
    message = await line.message(sent["id"])
    assert (message["status"], "not known" in str(message["error"])) == ("unknown", True)


async def test_a_refused_message_failed_with_the_providers_reason(desk: Desk, line: Line) -> None:
    line.fake.faults = [BadRequest("The number is not on WhatsApp.")]
    sent = await line.send("Marta here.")
    await line.send("Another one.")
    await desk.settle()
    message = await line.message(sent["id"])
    assert (message["status"], message["error"]) == ("failed", "The number is not on WhatsApp.")
    assert line.fake.texts[1:] == ["Another one."]


async def test_a_provider_that_stays_away_is_given_up(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")] * 5
    sent = await line.send("Marta here.")
    await desk.settle()
    for _ in range(5):
        await desk.pass_time(120)
    assert await line.status(sent["id"]) == "failed"


async def test_a_deleted_message_that_waited_is_withdrawn(desk: Desk, line: Line) -> None:
    sent = await line.send("Wrong chat, sorry.")
    await desk.call("conversation-messages-whatsapp", "remove", int(str(sent["id"])))
    await desk.settle()
    assert line.fake.texts[1:] == []
    assert await line.status(sent["id"]) == "withdrawn"


async def test_what_waited_for_a_contact_that_is_blocked_now_fails(desk: Desk, line: Line) -> None:
    sent = await line.send("Marta here.")
    await desk.call("conversations", "patch", line.conversation_id, blocked=True)
    await desk.settle()
    assert line.fake.texts[1:] == []
    assert await line.status(sent["id"]) == "failed"


async def test_notes_never_leave(desk: Desk, line: Line) -> None:
    await desk.clock.advance(2 * DAY)
    note = await line.send("He sounds upset.", message_type="note")
    await desk.settle()
    assert (note["status"], line.fake.texts[1:]) == ("stored", [])
    assert await desk.fetch("SELECT 1 FROM outbox WHERE message_id = $1", note["id"]) == []


async def refused(line: Line, text: str = "Hello?", **fields: object) -> Unprocessable:
    with pytest.raises(Unprocessable) as error:
        await line.send(text, **fields)
    return error.value


async def test_an_ordinary_message_outside_the_window_is_refused(desk: Desk, line: Line) -> None:
    await desk.clock.advance(DAY - 1)
    await line.send("Still in time.")
    await desk.clock.advance(2)
    error = await refused(line)
    assert isinstance(error.data, dict)
    assert error.data["code"] == "outside_window"
    assert error.data["window_ended_at"] == "2026-01-06T12:00:00.000Z"
    await line.write("I am back")
    assert (await line.send("Welcome back."))["status"] == "pending"


async def test_sms_has_no_window(desk: Desk) -> None:
    line = await connect(desk, "sms")
    await line.ask("Hola", "Good day.")
    await desk.clock.advance(30 * DAY)
    await line.send("It is time for your check-up.")
    await desk.settle()
    assert line.fake.texts[1:] == ["It is time for your check-up."]


async def test_what_waited_until_the_window_closed_fails(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")]
    sent = await line.send("Marta here.")
    await desk.settle()
    await desk.pass_time(DAY)
    message = await line.message(sent["id"])
    assert (message["status"], "24 hours" in str(message["error"])) == ("failed", True)


async def test_an_answer_outside_the_window_is_not_sent_and_says_so(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")]
    assert await line.ask("What does it cost?", "Forty.") == []
    await desk.pass_time(DAY)
    assert line.fake.texts[1:] == []
    assert (await desk.decisions())[-1] == ("silent", "outside_window")


async def test_a_template_goes_out_at_any_time(desk: Desk, line: Line) -> None:
    id = await template(desk, line)
    await desk.clock.advance(2 * DAY)
    sent = await line.send(message_type="template", template_id=id, template_values=["Luis", "Monday"])
    await desk.settle()
    part = line.fake.accepted[-1]
    assert part.text == sent["message_text"] == "Hello Luis, see you on Monday."
    assert part.template == {"id": id, "name": "reminder", "language": "en", "values": {"1": "Luis", "2": "Monday"}}


async def test_a_deleted_contact_gets_nothing(desk: Desk, line: Line) -> None:
    contact = (await desk.call("conversations", "get", line.conversation_id)).value["contact_id"]
    sent = await line.send("Marta here.")
    await desk.call("contacts", "remove", int(str(contact)))
    await desk.settle()
    assert (line.fake.texts[1:], await line.status(sent["id"])) == ([], "failed")
    assert (await refused(line)).data == {"code": "contact_deleted"}


async def test_an_assistant_whose_replies_are_off_sends_nothing_by_a_tool(desk: Desk, line: Line) -> None:
    tool = Caller(desk.organization_id, None, Role.member, ai_assistant_id=desk.assistant_id, via="tool")
    sent = await line.send("From a tool.", tool)
    assert sent["sender"] == "assistant"
    await desk.configure(disable_reply=True)
    await desk.settle()
    assert (line.fake.texts[1:], await line.status(sent["id"])) == ([], "failed")
    assert (await refused(line, caller=tool)).data == {"code": "reply_disabled"}


async def test_a_line_of_a_deleted_assistant_is_not_sent(desk: Desk, line: Line) -> None:
    line.fake.faults = [Unavailable("The provider is away.")]
    desk.script.is_missing = True
    assert await line.ask("Hello?") == []
    await desk.call("ai-assistants", "remove", desk.assistant_id)
    await desk.pass_time(60)
    assert line.fake.texts[1:] == []
    rows = await desk.fetch("SELECT status, reason FROM outbox ORDER BY id DESC LIMIT 1")
    assert tuple(rows[0]) == ("withdrawn", "assistant_deleted")


async def test_a_channel_without_a_provider_says_so_on_the_message(desk: Desk) -> None:
    line = await connect(desk, provider=None)
    await line.write("Hola")
    sent = await line.send("Marta here.")
    await desk.settle()
    message = await line.message(sent["id"])
    assert message["status"] == "failed"
    assert message["error"] == (
        "WhatsApp is not connected: the inbox channel has no provider, so nothing can be sent on it."
    )


async def test_a_channel_that_is_switched_off_sends_nothing(desk: Desk, line: Line) -> None:
    await desk.call("inbox-channels", "patch", line.inbox_channel_id, is_active=False)
    sent = await line.send("Marta here.")
    await desk.settle()
    assert "switched off" in str((await line.message(sent["id"]))["error"])


async def test_customers_do_not_get_each_others_messages(desk: Desk, line: Line) -> None:
    stored = await line.write("Hola", address=ANA)
    await line.send("For Ana.", conversation_id=stored.conversation_id)
    await desk.settle()
    assert [part.address for part in line.fake.accepted if part.text == "For Ana."] == [ANA]
