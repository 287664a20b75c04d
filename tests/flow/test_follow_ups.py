"""Follow-ups: what a customer who does not answer reads, when, and what keeps it back."""

import pytest

from frontdesk.runtime.follow_ups import FOLLOW_UP_DOORBELL
from frontdesk.runtime.sweeper import sweep
from frontdesk.runtime.thread import DOORBELL
from tests.flow.follow_ups import DAY, FIXED, HOUR, MINUTE, REMINDER, WRITTEN, ended, remind, rows
from tests.flow.harness import Desk

ASKED = ("Have you a place on Friday?", "At ten.")


async def test_a_fixed_one_is_sent_after_its_time_and_once(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR - 1)
    assert (await desk.replies())[-1] == "At ten."
    await desk.pass_time(1)
    assert (await desk.replies())[-2:] == ["At ten.", REMINDER]
    await desk.pass_time(30 * DAY)
    assert len(await desk.replies()) == 3
    assert await ended(desk) == [("sent", None)]


async def test_it_is_the_assistants_message_and_shown_with_its_answer(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    (row,) = await rows(desk)
    (message,) = await desk.fetch("SELECT * FROM conversation_messages WHERE message_text = $1", REMINDER)
    assert (message["sender"], message["created_by_ai_assistant_id"]) == ("assistant", desk.assistant_id)
    assert (row["message_id"], row["due_at"]) == (message["id"], "2026-01-05T13:00:00.000Z")
    assert (row["answered_at"], row["ended_at"]) == ("2026-01-05T12:00:00.000Z", "2026-01-05T13:00:00.000Z")


async def test_a_reply_cancels_it_at_once_and_the_next_answer_starts_anew(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(59 * MINUTE)
    await desk.say("Ten is fine.")
    assert await ended(desk) == [("cancelled", "replied")]
    desk.script.say("Noted.")
    await desk.settle()
    await desk.pass_time(59 * MINUTE)
    assert (await desk.replies())[-1] == "Noted."
    await desk.pass_time(MINUTE)
    assert (await desk.replies())[-1] == REMINDER
    assert await ended(desk) == [("cancelled", "replied"), ("sent", None)]


async def test_a_reaction_is_no_reply(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.say("👍", message_type="reaction")
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("sent", None)]


async def test_a_close_cancels_it_at_once(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.change(status="closed")
    assert await ended(desk) == [("cancelled", "closed")]
    await desk.change(status="open")
    await desk.pass_time(DAY)
    assert (await desk.replies())[-1] == "At ten."


async def test_a_person_cancels_it_at_once(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.change(assigned_user_id=desk.user_id)
    assert await ended(desk) == [("cancelled", "human")]
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)
    await desk.pass_time(DAY)
    assert (await desk.replies())[-1] == "At ten."


async def test_a_hand_off_cancels_it_at_once(desk: Desk) -> None:
    rules = {"enabled": True, "rules": [{"id": "r1", "type": "keywords", "keywords": ["lawyer"]}]}
    await remind(desk, FIXED, stop_on=[])
    await desk.configure(human_handoff_config=rules)
    await desk.ask(*ASKED)
    await desk.ask("My lawyer will call.")
    assert await ended(desk) == [("cancelled", "human")]


@pytest.mark.parametrize("stop_on", [[], ["reply", "close", "human", "opt_out"]])
async def test_opting_out_cancels_it_whatever_stop_on_says(desk: Desk, stop_on: list[str]) -> None:
    await remind(desk, FIXED, stop_on=list(stop_on))
    await desk.ask(*ASKED)
    await desk.call("contacts", "patch", desk.contact_id, opted_out_at="2026-01-05T12:30:00Z")
    assert await ended(desk) == [("cancelled", "opted_out")]
    await desk.ask("And Saturday?", "Closed.")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Closed."


@pytest.mark.parametrize("change", [{"status": "closed"}, {"assigned_user_id": 1}])
async def test_close_and_person_stop_it_where_stop_on_leaves_them_out(desk: Desk, change: dict[str, str | int]) -> None:
    await remind(desk, FIXED, stop_on=[])
    await desk.ask(*ASKED)
    await desk.change(**{name: desk.user_id if value == 1 else value for name, value in change.items()})
    await desk.pass_time(DAY)
    assert [status for status, _ in await ended(desk)] == ["cancelled"]


async def test_without_reply_in_stop_on_only_an_answer_moves_it(desk: Desk) -> None:
    """The assistant keeps silent out of hours, so the customer's message has no answer that would start anew."""
    hours = {"enabled": True, "weekly": [{"days": ["tue"], "from": "09:00", "to": "18:00"}],
             "out_of_schedule": {"action": "silent"}}  # fmt: skip
    await remind(desk, {**FIXED, "only_in_schedule": False}, stop_on=["close"])
    await desk.ask(*ASKED)
    await desk.configure(schedule_config=hours)
    await desk.ask("Hm.")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == REMINDER


async def test_a_newer_answer_takes_the_place_of_the_timer(desk: Desk) -> None:
    await remind(desk, FIXED, stop_on=[])
    await desk.ask(*ASKED)
    await desk.pass_time(50 * MINUTE)
    await desk.ask("And Saturday?", "Closed.")
    await desk.pass_time(50 * MINUTE)
    assert (await desk.replies())[-1] == "Closed."
    await desk.pass_time(10 * MINUTE)
    assert await ended(desk) == [("cancelled", "newer_answer"), ("sent", None)]


async def test_each_rule_once_per_answer_and_the_timer_is_the_answers(desk: Desk) -> None:
    second = {**FIXED, "id": "f2", "after_minutes": 90, "message": "Last call."}
    await remind(desk, second, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == REMINDER
    await desk.pass_time(30 * MINUTE)
    assert (await desk.replies())[-1] == "Last call."
    await desk.pass_time(30 * DAY)
    assert await ended(desk) == [("sent", None), ("sent", None)]


async def test_of_several_that_fall_on_one_moment_the_last_is_sent(desk: Desk) -> None:
    """The worker was away for a day."""
    await remind(desk, FIXED, {**FIXED, "id": "f2", "after_minutes": 90, "message": "Last call."})
    await desk.ask(*ASKED)
    await desk.pass_time(DAY)
    assert (await desk.replies())[1:] == ["At ten.", "Last call."]
    assert await ended(desk) == [("cancelled", "overtaken"), ("sent", None)]


async def test_max_per_conversation_counts_per_episode(desk: Desk) -> None:
    await remind(desk, FIXED, max_per_conversation=1)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    await desk.ask("Hm.", "Yes?")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Yes?"
    await desk.change(status="closed")
    await desk.ask("A new thing.", "Tell me.")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == REMINDER


async def test_a_lower_maximum_counts_at_the_due_time(desk: Desk) -> None:
    rules = (FIXED, {**FIXED, "id": "f2", "after_minutes": 90})
    await remind(desk, *rules)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    await remind(desk, *rules, max_per_conversation=1)
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("sent", None), ("cancelled", "max_reached")]
    assert "1 of 1 follow-ups" in str((await rows(desk))[1]["sentence"])


async def test_switching_it_on_reaches_back_to_nothing(desk: Desk) -> None:
    await desk.ask(*ASKED)
    await remind(desk, FIXED)
    await desk.pass_time(DAY)
    assert await rows(desk) == []


async def test_a_rule_that_is_gone_at_the_due_time_sends_nothing(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await remind(desk, {**FIXED, "id": "other"})
    await desk.pass_time(DAY)
    assert await ended(desk) == [("cancelled", "rule_removed")]


async def test_the_rules_words_of_the_due_time_are_sent(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await remind(desk, {**FIXED, "message": "Still there?"})
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Still there?"


async def test_a_deleted_assistant_reminds_nobody(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.call("ai-assistants", "remove", desk.assistant_id)
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("cancelled", "assistant_deleted")]


async def test_a_deleted_conversation_keeps_nothing_waiting(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.call("conversations", "remove", desk.conversation_id)
    await desk.settle()
    rows = await desk.fetch("SELECT status, reason FROM ai_follow_ups")
    assert [tuple(row) for row in rows] == [("cancelled", "conversation_deleted")]


@pytest.mark.parametrize("rule", [FIXED, WRITTEN], ids=["fixed", "ai"])
async def test_silent_mode_and_a_blocked_contact_send_nothing(desk: Desk, rule: dict[str, object]) -> None:
    await remind(desk, rule)  # type: ignore[arg-type]
    await desk.ask(*ASKED)
    await desk.configure(disable_reply=True)
    await desk.pass_time(HOUR)
    await desk.configure(disable_reply=False)
    await desk.ask("Hm.", "Yes?")
    await desk.change(blocked=True)
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("cancelled", "reply_disabled"), ("cancelled", "contact_blocked")]
    assert (await desk.replies())[-1] == "Yes?"


async def test_a_muted_answer_schedules_nothing(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.configure(disable_reply=True)
    await desk.ask(*ASKED)
    assert await rows(desk) == []


async def test_a_rule_for_other_channels_schedules_nothing(desk: Desk) -> None:
    await remind(desk, {**FIXED, "channels": ["whatsapp"]})
    await desk.ask(*ASKED)
    assert await rows(desk) == []


async def test_outside_the_hours_it_waits_for_the_next_opening(desk: Desk) -> None:
    office = {"enabled": True, "weekly": [{"days": ["mon", "tue"], "from": "09:00", "to": "12:30"}]}
    await desk.configure(schedule_config=office)
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    (row,) = await rows(desk)
    assert (row["status"], row["due_at"]) == ("scheduled", "2026-01-06T09:00:00.000Z")
    assert (await desk.replies())[-1] == "At ten."
    await desk.pass_time(20 * HOUR)
    assert (await desk.replies())[-1] == REMINDER


async def test_at_any_time_where_the_rule_says_so(desk: Desk) -> None:
    office = {"enabled": True, "weekly": [{"days": ["mon"], "from": "09:00", "to": "12:30"}]}
    await desk.configure(schedule_config=office)
    await remind(desk, {**FIXED, "only_in_schedule": False})
    await desk.ask(*ASKED)
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == REMINDER


async def test_a_schedule_that_never_opens_sends_nothing(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask(*ASKED)
    await desk.configure(schedule_config={"enabled": True, "weekly": []})
    await desk.pass_time(HOUR)
    assert await ended(desk) == [("cancelled", "never_open")]


async def test_its_bell_waits_behind_those_of_customers(desk: Desk) -> None:
    await remind(desk, FIXED)
    await desk.ask("Hello?", "Hello.")
    await desk.clock.advance(HOUR)
    async with desk.database.system() as connection:
        await sweep(connection, desk.clock)
    await desk.say("Are you there?")
    bells = await desk.fetch("SELECT entrypoint FROM pgqueuer ORDER BY priority DESC, id")
    assert [row[0] for row in bells] == [DOORBELL, FOLLOW_UP_DOORBELL]
