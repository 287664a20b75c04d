"""What a follow-up is: fixed words, a model's, a template; and what the channel's window makes of it."""

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart

from frontdesk.core.errors import ApiError, Unavailable
from tests.flow.connected import Line, connect, template
from tests.flow.follow_ups import DAY, FIXED, HOUR, MINUTE, REMINDER, WRITTEN, ended, remind, rows
from tests.flow.harness import Crash, Desk, Reply, call

ASKED = ("Have you a place on Friday?", "At ten.")
TEXT = "Hello Luis, see you on Friday."


@pytest.fixture
async def line(desk: Desk) -> Line:
    return await connect(desk)


def last_words(desk: Desk) -> str:
    request = desk.script.requests[-1][-1]
    assert isinstance(request, ModelRequest)
    return str([part.content for part in request.parts if isinstance(part, UserPromptPart)][-1])


async def test_a_model_writes_by_the_rules_instructions(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.say("Does ten suit you?")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Does ten suit you?"
    assert "for 60 minutes" in last_words(desk)
    (turn,) = await desk.fetch("SELECT * FROM ai_turns WHERE ai_follow_up_id IS NOT NULL")
    assert "ask about Friday" in turn["prompt"]
    (row,) = await rows(desk)
    assert (row["ai_turn_id"], row["status"], row["mode"]) == (turn["id"], "sent", "ai")
    assert row["message_id"] is not None


async def test_its_turn_reads_and_changes_nothing(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.say(call("add_note", content="x"), "Does ten suit you?")
    await desk.pass_time(HOUR)
    offered = {tool.name for tool in desk.script.infos[-1].function_tools}
    assert {"find_contact", "get_contact"} <= offered
    assert not {"add_note", "update_contact"} & offered
    assert await desk.fetch("SELECT id FROM notes") == []
    (turn,) = await desk.fetch("SELECT tools::text FROM ai_turns WHERE ai_follow_up_id IS NOT NULL")
    assert "follow_up_reads" in turn["tools"]


async def test_a_model_may_find_that_none_is_needed(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask("Thanks, bye!", "Bye!")
    desk.script.say("NO_FOLLOW_UP")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Bye!"
    assert await ended(desk) == [("cancelled", "nothing_to_say")]


async def test_a_follow_up_is_no_answer_that_starts_another(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    await desk.pass_time(30 * DAY)
    assert len(await rows(desk)) == 1
    assert await desk.ask("I am back.", "Welcome.") == ["Welcome."]
    assert [row["status"] for row in await rows(desk)] == ["sent", "scheduled"]


async def test_a_message_that_comes_while_it_is_written_takes_its_place(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)

    async def thinking(_: list[ModelMessage]) -> Reply:
        await desk.say("Ten is fine.")
        return "Does ten suit you?"

    desk.script.say(thinking, "Then I expect you.")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-2:] == ["At ten.", "Then I expect you."]
    assert await ended(desk) == [("cancelled", "replied"), ("scheduled", None)]
    assert (await desk.decisions())[-1] == ("answered", "answered")


async def test_a_person_who_comes_while_it_is_written_ends_it(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)

    async def thinking(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        return "Does ten suit you?"

    desk.script.say(thinking)
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "At ten."
    assert await ended(desk) == [("cancelled", "human")]


async def test_a_model_that_fails_leaves_no_line_and_the_owner(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.is_missing = True
    await desk.pass_time(HOUR)
    for _ in range(4):
        await desk.pass_time(10 * MINUTE)
    assert (await desk.replies())[-1] == "At ten."
    assert await ended(desk) == [("failed", "model_failed")]
    assert (await desk.conversation())["assigned_ai_assistant_id"] == desk.assistant_id
    desk.script.is_missing = False
    assert await desk.ask("Hello?", "Yes?") == ["Yes?"]


async def test_a_spent_budget_stops_a_model_and_no_fixed_words(desk: Desk) -> None:
    both = (WRITTEN, {**FIXED, "id": "f2", "after_minutes": 90})
    await remind(desk, *both)
    await desk.ask(*ASKED)
    await desk.fetch("UPDATE ai_daily_usage SET cost = 11 RETURNING day")
    await desk.pass_time(HOUR)
    await desk.pass_time(30 * MINUTE)
    assert await ended(desk) == [("cancelled", "budget_spent"), ("sent", None)]
    assert (await desk.replies())[-1] == REMINDER


async def test_a_worker_that_dies_while_it_is_written_sends_it_once(desk: Desk) -> None:
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.say("Does ten suit you?")
    await desk.clock.advance(HOUR)
    async with desk.database.system() as connection:
        await connection.execute("UPDATE ai_follow_ups SET rings_at = due_at")
    await desk.settle(desk.another_flow())
    await desk.pass_time(DAY)
    assert (await desk.replies())[1:] == ["At ten.", "Does ten suit you?"]


async def test_within_the_window_words_and_after_it_the_rules_template(desk: Desk, line: Line) -> None:
    id = await template(desk, line)
    late = {**FIXED, "id": "f2", "after_minutes": 1500, "template_id": id,
            "template_values": {"1": "Luis", "2": "Friday"}}  # fmt: skip
    await remind(desk, FIXED, late)
    await line.ask(*ASKED)
    await desk.pass_time(HOUR)
    assert line.fake.texts[-1] == REMINDER
    await desk.pass_time(DAY)
    assert line.fake.texts[-1] == TEXT
    sent = line.fake.accepted[-1]
    assert (sent.message_type, sent.template["name"]) == ("template", "reminder")  # type: ignore[index]
    assert [(row["mode"], row["status"]) for row in await rows(desk)] == [("fixed", "sent"), ("template", "sent")]
    (stored,) = await desk.fetch("SELECT template::text FROM conversation_messages WHERE message_type = 'template'")
    assert "reminder" in stored["template"]


@pytest.mark.parametrize("rule", [FIXED, WRITTEN], ids=["fixed", "ai"])
async def test_after_the_window_nothing_goes_out_without_a_template(desk: Desk, line: Line, rule: dict) -> None:  # type: ignore[type-arg]
    await remind(desk, {**rule, "after_minutes": 1500})
    await line.ask(*ASKED)
    await desk.pass_time(1500 * MINUTE)
    assert line.fake.texts == ["At ten."]
    assert await ended(desk) == [("cancelled", "window_closed")]


async def test_a_template_is_whatsapps_alone(desk: Desk, line: Line) -> None:
    id = await template(desk, line)
    await remind(desk, {**FIXED, "mode": "template", "template_id": id})
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("cancelled", "template_not_here")]


@pytest.mark.parametrize("change", [{"status": "paused"}, {"body": "Hello {{1}}."}, None], ids=["off", "other", "gone"])
async def test_a_template_that_cannot_be_sent_says_why(desk: Desk, line: Line, change: dict | None) -> None:  # type: ignore[type-arg]
    id = await template(desk, line)
    values = {"1": "Luis", "2": "Friday"}
    await remind(desk, {**FIXED, "mode": "template", "template_id": id, "template_values": values})
    await line.ask(*ASKED)
    if change is None:
        await desk.call("whatsapp-templates", "remove", id)
    else:
        await desk.call("whatsapp-templates", "patch", id, **change)
    await desk.pass_time(HOUR)
    assert line.fake.texts == ["At ten."]
    assert await ended(desk) == [("failed", "template_unusable")]


async def test_a_provider_that_is_away_is_asked_again_with_the_same_key(desk: Desk, line: Line) -> None:
    await remind(desk, FIXED)
    await line.ask(*ASKED)
    line.fake.faults = [Unavailable("away")]
    await desk.pass_time(HOUR)
    assert line.fake.texts == ["At ten."]
    await desk.pass_time(MINUTE)
    assert line.fake.texts[1:] == [REMINDER]
    assert await ended(desk) == [("sent", None)]


@pytest.mark.parametrize("text", ["Ten is fine.", "STOP"])
async def test_a_reply_while_the_provider_is_away_withdraws_it(desk: Desk, line: Line, text: str) -> None:
    await remind(desk, FIXED)
    await line.ask(*ASKED)
    line.fake.faults = [Unavailable("away")]
    await desk.pass_time(HOUR)
    desk.script.say("Noted.")
    await line.write(text)
    await desk.pass_time(MINUTE)
    assert REMINDER not in line.fake.texts
    assert (await ended(desk))[0] == ("cancelled", "replied")


async def test_a_provider_that_refuses_is_told(desk: Desk, line: Line) -> None:
    await remind(desk, FIXED)
    await line.ask(*ASKED)
    line.fake.faults = [ApiError("no such number")]
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("failed", "undelivered")]


async def test_a_crash_while_sending_sends_it_with_the_same_key(desk: Desk, line: Line) -> None:
    await remind(desk, FIXED)
    await line.ask(*ASKED)
    line.fake.faults = [Crash()]
    with pytest.raises(Crash):
        await desk.pass_time(HOUR)
    await desk.pass_time(2 * MINUTE)
    keys = [part.idempotency_key for part in line.fake.accepted]
    assert len(keys) == len(set(keys)) == 2
    assert await ended(desk) == [("sent", None)]


async def test_a_tool_that_a_person_would_have_to_approve_is_not_offered(desk: Desk) -> None:
    await desk.configure(internal_tools={"tools": {"get_contact": {"enabled": True, "approval": "always"}}})
    await remind(desk, WRITTEN)
    await desk.ask(*ASKED)
    desk.script.say("Does ten suit you?")
    await desk.pass_time(HOUR)
    assert desk.script.infos[-1].function_tools == []
    assert (await desk.replies())[-1] == "Does ten suit you?"
