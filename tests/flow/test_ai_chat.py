"""Staff chats on the spine: answers, drafts, bursts, failures, two at once, and a worker that is gone."""

from __future__ import annotations

import pytest
from pydantic_ai.exceptions import ModelRateLimitError
from pydantic_ai.messages import ModelMessage, UserPromptPart

from frontdesk.core.caller import Role
from frontdesk.core.errors import NotFound
from frontdesk.runtime.unknown_calls import UnknownCall, tell_unknown
from tests.flow.harness import Crash, Desk, Reply, call
from tests.flow.staff import Chat, Team, make_team

STORY = "Three deals are open. Two close this week. One waits for"
DRAFTS = "SELECT draft, status FROM ai_turns ORDER BY id DESC LIMIT 1"


@pytest.fixture
async def team(desk: Desk) -> Team:
    return await make_team(desk)


@pytest.fixture
async def chat(team: Team) -> Chat:
    return await team.session()


def asked(desk: Desk) -> list[object]:
    """What the model was asked last, as it stands in the prompt."""
    last = desk.script.requests[-1]
    return [part.content for message in last for part in message.parts if isinstance(part, UserPromptPart)]


async def test_a_question_is_answered_from_the_whole_organization(desk: Desk, chat: Chat) -> None:
    answer = await chat.ask("Who is Ana?", call("find_contact", search="Ana"), "Ana Torres, 555 0002.")
    assert answer == ["Ana Torres, 555 0002."]
    assert [(row["sender"], row["status"]) for row in await chat.messages()] == [
        ("user", "stored"),
        ("assistant", "sent"),
    ]
    assert asked(desk) == ["Who is Ana?"]
    assert (await desk.decisions())[-1] == ("answered", "answered")
    step = (await desk.fetch("SELECT status, result FROM ai_turn_steps WHERE kind = 'tool'"))[0]
    assert step["status"] == "done"
    assert "Torres" in step["result"]


async def test_the_model_is_told_who_asks_and_of_no_customer(desk: Desk, chat: Chat) -> None:
    await chat.ask("Hello?", "Hello Nora.")
    prompt = str((await desk.fetch("SELECT prompt FROM ai_turns ORDER BY id DESC LIMIT 1"))[0][0])
    assert '{"name": "Nora", "role": "member"}' in prompt
    assert "You help the team." in prompt
    assert "customer writes by" not in prompt


async def test_the_first_words_become_the_title(desk: Desk, chat: Chat) -> None:
    await chat.ask("Which deals close this week, and who owns each of the biggest ones?\nThanks", "None.")
    await chat.ask("And next week?", "None.")
    session = (await desk.door.call(chat.caller, "ai-chat-sessions", "get", id=chat.id)).value
    assert session["title"] == "Which deals close this week, and who owns each of the…"
    assert session["last_position"] == 4


async def test_the_answer_is_seen_as_it_is_written(desk: Desk, chat: Chat) -> None:
    seen: list[object] = []

    async def look(_: list[ModelMessage]) -> Reply:
        seen.append((await desk.fetch(DRAFTS))[0]["status"])
        return STORY

    assert await chat.ask("How are the deals?", look) == [STORY]
    assert seen == ["running"]
    assert (await desk.fetch("SELECT draft_seq, draft FROM ai_turns ORDER BY id DESC LIMIT 1"))[0] == (1, None)


async def test_another_question_takes_the_place_of_one_that_is_being_answered(desk: Desk, chat: Chat) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await chat.say("No, next week.")
        return "This week: none."

    assert await chat.ask("Deals of this week?", interrupted, "Next week: two.") == ["Next week: two."]
    assert (await desk.turns())[1:] == ["superseded", "answered"]


async def test_a_burst_is_one_answer(desk: Desk, team: Team, chat: Chat) -> None:
    await team.configure(
        enable_message_burst_handling=True, advanced_options={"burst": {"window_seconds": 6, "max_seconds": 15}}
    )
    for text in ("Hi", "I need", "Ana's number"):
        await chat.say(text)
        await desk.pass_time(3)
    assert await chat.answers() == []
    desk.script.say("5550002")
    await desk.pass_time(3)
    assert await chat.answers() == ["5550002"]


async def test_a_worker_that_is_gone_loses_nothing(desk: Desk, chat: Chat) -> None:
    async def killed(_: list[ModelMessage]) -> Reply:
        raise Crash

    desk.script.say(call("add_note", text="Called Ana.", contact_id=2), killed)  # type: ignore[arg-type]
    await chat.say("Note that I called Ana.")
    with pytest.raises(Crash):
        await desk.settle()
    desk.script.say("Noted.")
    await desk.clock.advance(10)
    await desk.settle(desk.another_flow())
    assert await chat.answers() == ["Noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1


async def test_two_sessions_at_once_are_two_answers(desk: Desk, team: Team, chat: Chat) -> None:
    other = await team.session(Role.admin)
    await chat.say("One?")
    await other.say("Two?")
    desk.script.say("First.", "Second.")
    await desk.settle()
    assert sorted([*await chat.answers(), *await other.answers()]) == ["First.", "Second."]


async def test_the_same_key_again_is_the_same_message(desk: Desk, team: Team, chat: Chat) -> None:
    first, again = await chat.say("Hello?", "k1"), await chat.say("Hello?", "k1")
    assert first == again
    elsewhere = await (await team.session()).say("Hello?", "k1")
    assert elsewhere["id"] != first["id"]


async def test_a_model_that_fails_is_told_and_asked_again_by_the_next_question(desk: Desk, chat: Chat) -> None:
    said = await chat.ask("Hello?", ModelRateLimitError("m", "slow down", retry_after=600))
    assert said == ["I can't answer right now: the model could not be reached. Please ask again in a moment."]
    desk.script.is_missing = True
    assert await chat.ask("And now?") == ["No answer: no model is configured."]
    desk.script.is_missing = False
    assert await chat.ask("And now?", "Now I can.") == ["Now I can."]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"disable_reply": True}, "No answer: the assistant's replies are switched off."),
        ({"instructions_language": "ESP", "disable_reply": True}, "Sin respuesta: las respuestas del asistente están"
         " desactivadas."),
    ],
    ids=["english", "spanish"],
)  # fmt: skip
async def test_silence_is_explained(desk: Desk, team: Team, chat: Chat, change: dict[str, object], why: str) -> None:
    await team.configure(**change)
    assert await chat.ask("Hello?") == [why]
    assert desk.script.requests == []
    assert (await desk.decisions())[-1] == ("silent", "staff_reply_disabled")


async def test_a_spent_budget_is_explained(desk: Desk, chat: Chat) -> None:
    await desk.fetch("UPDATE ai_daily_usage SET cost = 99 RETURNING day")
    assert "budget is spent" in (await chat.ask("Hello?"))[0]


async def test_the_hours_of_customers_are_not_those_of_the_team(desk: Desk, team: Team, chat: Chat) -> None:
    closed = {"enabled": True, "weekly": [], "out_of_schedule": {"action": "message", "message": "Closed."}}
    await team.configure(schedule_config=closed)
    assert await chat.ask("Hello?", "Hello.") == ["Hello."]


async def test_its_turns_leave_no_event(desk: Desk, team: Team, chat: Chat) -> None:
    await chat.ask("Hello?", "Hello.")
    turn = (await desk.fetch("SELECT max(id) FROM ai_turns"))[0][0]
    call_of = UnknownCall(desk.organization_id, chat.id, turn, team.assistant_id, "book_visit", "c1")
    async with desk.database.transaction(desk.organization_id) as connection:
        await tell_unknown(connection, call_of, "ENG", desk.clock.now())
    assert await desk.fetch("SELECT name FROM events WHERE resource = 'ai-turns' AND row_id = $1", turn) == []
    note = (await chat.messages())[-1]
    assert (note["sender"], note["message_type"], note["created_by_user_id"]) == ("system", "note", chat.caller.user_id)


async def test_a_deleted_session_is_answered_no_more(desk: Desk, chat: Chat) -> None:
    async def deleted(_: list[ModelMessage]) -> Reply:
        await desk.door.call(chat.caller, "ai-chat-sessions", "remove", id=chat.id)
        return "Too late."

    desk.script.say(deleted)
    await chat.say("Hello?")
    await desk.settle()
    assert (await desk.turns())[-1] == "conversation_deleted"
    with pytest.raises(NotFound):
        await desk.door.call(chat.caller, "ai-chat-sessions", "get", id=chat.id)
