"""How a conversation comes back to its assistant: by a person, by time, at the close; and what is answered then."""

from datetime import timedelta

from frontdesk.core.errors import Json
from frontdesk.runtime.returns import Returns
from tests.flow.harness import Desk
from tests.flow.test_handoff import ASK, LINE, handoffs, hands_over, transfer
from tests.flow.test_handoff_targets import people

HOUR: Json = {"mode": "after_inactivity", "after_minutes": 60}


async def given_away(desk: Desk, **back: Json) -> None:
    await hands_over(desk, ASK, **{"return": back})
    assert await desk.ask("Marta!", transfer()) == [LINE]


async def write(desk: Desk, text: str, kind: str = "text") -> None:
    """The person writes, as the playground has no service for people: by the table."""
    await desk.fetch(
        """WITH moved AS (UPDATE conversations SET last_position = last_position + 1 WHERE id = $1 RETURNING *)
        INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, direction, sender,
            message_type, message_text, status, kind, created_by_user_id, created_at, updated_at)
        SELECT organization_id, id, last_position, channel, 'outbound', 'user', $3, $2, 'sent', 'conversation', $4, $5,
            $5 FROM moved RETURNING id""",
        desk.conversation_id, text, kind, desk.user_id, desk.clock.now(),
    )  # fmt: skip


async def owners(desk: Desk) -> tuple[Json, Json]:
    talk = await desk.conversation()
    return talk["assigned_user_id"], talk["assigned_ai_assistant_id"]


async def test_after_an_hour_without_a_word_it_comes_back_and_answers_what_waits(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    assert await desk.ask("Anybody there?") == []
    await desk.pass_time(59 * 60)
    assert await owners(desk) == (desk.user_id, None)
    desk.script.say("Marta is out; can I help?")
    await desk.pass_time(60)
    assert await owners(desk) == (None, desk.assistant_id)
    assert (await desk.replies())[-1] == "Marta is out; can I help?"
    assert (await desk.decisions())[-1] == ("answered", "answered")
    (row,) = await handoffs(desk)
    assert (row["return_reason"], row["returned_at"]) == ("after_inactivity", "2026-01-05T13:00:00.000Z")
    told = await desk.fetch("SELECT row_id FROM events WHERE name = 'ai-handoffs.updated'")
    assert [event["row_id"] for event in told] == [row["id"]]


async def test_what_made_the_hand_off_is_not_asked_again(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await desk.pass_time(3600)
    assert await owners(desk) == (None, desk.assistant_id)
    assert len(await handoffs(desk)) == 1
    assert await desk.ask("Hello?", "Yes?") == ["Yes?"]


async def test_a_message_or_a_note_of_the_person_moves_the_time(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await desk.pass_time(30 * 60)
    await write(desk, "I am on it.")
    await desk.pass_time(45 * 60)
    await write(desk, "Asked the doctor.", "note")
    await desk.pass_time(45 * 60)
    assert await owners(desk) == (desk.user_id, None)
    await desk.pass_time(16 * 60)
    assert await owners(desk) == (None, desk.assistant_id)


async def test_what_a_person_has_answered_is_not_answered_again(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await desk.ask("Anybody there?")
    await write(desk, "Yes, me.")
    await desk.pass_time(3600)
    assert await owners(desk) == (None, desk.assistant_id)
    assert len(desk.script.requests) == 1


async def test_the_record_of_the_moment_counts(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await hands_over(desk, ASK)
    await desk.pass_time(7200)
    assert await owners(desk) == (desk.user_id, None)
    assert (await desk.conversation())["handoff_return_at"] is None


async def test_two_bells_give_it_back_once(desk: Desk) -> None:
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await desk.clock.advance(3600)
    for _ in range(2):
        await Returns(desk.door).look(desk.organization_id, desk.conversation_id)
    epoch = (await desk.conversation())["epoch"]
    await desk.settle()
    assert (await desk.conversation())["epoch"] == epoch == 3


async def test_a_takeover_comes_back_as_well(desk: Desk) -> None:
    await hands_over(desk, ASK, **{"return": HOUR})
    await desk.change(assigned_user_id=desk.user_id)
    talk = await desk.conversation()
    due = (desk.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert (talk["handoff_return_at"], talk["handed_off_by_ai_assistant_id"]) == (due, desk.assistant_id)
    await desk.pass_time(3600)
    assert await owners(desk) == (None, desk.assistant_id)


async def test_whoever_gets_it_from_somebody_has_the_whole_time(desk: Desk) -> None:
    (ana,) = await people(desk, 1)
    await given_away(desk, **HOUR)  # type: ignore[arg-type]
    await desk.pass_time(50 * 60)
    await desk.change(assigned_user_id=ana)
    await desk.pass_time(59 * 60)
    assert await owners(desk) == (ana, None)
    await desk.pass_time(60)
    assert await owners(desk) == (None, desk.assistant_id)


async def test_at_the_close_the_assistant_takes_what_comes_next(desk: Desk) -> None:
    await given_away(desk, mode="on_close")
    await desk.ask("Anybody there?")
    await desk.change(status="closed")
    assert await owners(desk) == (None, desk.assistant_id)
    assert len(desk.script.requests) == 1
    assert (await handoffs(desk))[0]["return_reason"] == "on_close"
    assert await desk.ask("A new question", "Yes?") == ["Yes?"]


async def test_by_hand_it_stays_with_the_person(desk: Desk) -> None:
    await given_away(desk, mode="manual")
    await desk.change(status="closed")
    await desk.pass_time(86_400)
    assert await owners(desk) == (desk.user_id, None)


async def test_a_hand_back_answers_what_waits_if_it_is_asked_to(desk: Desk) -> None:
    await given_away(desk, mode="manual")
    await desk.ask("Anybody there?")
    desk.script.say("I am.")
    await desk.change(assigned_ai_assistant_id=desk.assistant_id, answer_waiting=True)
    await desk.settle()
    assert (await desk.replies())[-1] == "I am."
    assert (await handoffs(desk))[0]["return_reason"] == "assigned"


async def test_without_it_the_next_message_is_the_first(desk: Desk) -> None:
    await given_away(desk, mode="manual")
    await desk.ask("Anybody there?")
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    await desk.settle()
    assert (await desk.replies())[-1] == LINE
