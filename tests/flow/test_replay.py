"""A change tried on the past: what a desk really did, replayed as it was and under drafts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from frontdesk.assistants.config import config_of
from frontdesk.runtime.replay import CURRENT, Draft, Replay
from frontdesk.runtime.replay_rows import Period, decisions
from tests.flow.harness import Desk, Reply
from tests.flow.test_handoff import ASK, hands_over, transfer
from tests.flow.test_handoff_rules import KEYWORDS
from tests.flow.test_silence import CLOSED

KINDS = ("answered_to_silent", "silent_to_answered", "handed_over_gained", "handed_over_lost")
Replayed = dict[str, Any]
OFF: dict[str, Any] = {"enabled": False}
IN_THE_EVENING = {**CLOSED, "weekly": [{"days": ["mon"], "from": "18:00", "to": "20:00"}]}


async def replay(desk: Desk, **body: Any) -> Replayed:
    """The whole past under a draft."""
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    answer = await desk.call("ai-assistants-replay", "create", desk.assistant_id, period=period, **body)
    return dict(answer.value)


def changes(found: Replayed) -> dict[str, int]:
    return {kind: found["changes"][kind]["inbounds"] for kind in KINDS if found["changes"][kind]["inbounds"]}


async def say(desk: Desk, text: str, *script: Reply) -> None:
    """A message a minute later."""
    await desk.clock.advance(60)
    await desk.ask(text, *script)


async def give_back(desk: Desk) -> None:
    await desk.change(assigned_ai_assistant_id=desk.assistant_id)


async def a_long_day(desk: Desk) -> None:
    """A history of eight versions in which every gate has had its say."""
    await say(desk, "Hello?", "Yes.")
    await desk.configure(schedule_config=CLOSED)
    await say(desk, "Are you there?")
    await say(desk, "Really not?")
    await desk.pass_time(2 * 3600)
    await say(desk, "And now?", "Now we are.")
    await hands_over(desk, KEYWORDS, ASK, {"id": "m", "type": "message_count", "count": 3})
    await say(desk, "I will call my lawyer.")
    await say(desk, "Nobody answers.")
    await give_back(desk)
    await say(desk, "Marta, please", transfer())
    await give_back(desk)
    for text in ("One", "Two", "Three", "Four"):
        await say(desk, text)
    await desk.change(status="closed")
    await give_back(desk)
    await desk.configure(schedule_config=OFF, human_handoff_config=OFF)
    await say(desk, "Again", "Hello again.")
    await desk.configure(disable_reply=True)
    await say(desk, "Anyone?", "Nobody reads this.")
    await desk.configure(disable_reply=False, enable_message_burst_handling=True)
    await desk.say("First,")
    await say(desk, "second.", "Both.")
    await desk.pass_time(60)
    await desk.configure(advanced_options={"budget": {"max_cost_per_conversation": 0.000001, "on_exceeded": "stop"}})
    await say(desk, "Too dear?")
    await desk.pass_time(60)


async def test_what_was_in_force_gives_no_difference(desk: Desk) -> None:
    await a_long_day(desk)
    found = await replay(desk)
    assert changes(found) == {}
    assert found["inbounds"] == found["unchanged"] == len(await desk.decisions()) == 17
    assert (found["is_complete"], found["conversations"], found["not_judged"]) == (True, 1, 0)
    assert all(row["recorded"] == row["draft"] for row in found["reasons"])
    assert {row["reason"] for row in found["reasons"]} >= {
        "answered", "out_of_schedule_message", "out_of_schedule_told", "handoff_keywords", "handoff_message_count",
        "handed_off", "owner_is_person", "reply_disabled", "conversation_budget_spent",
    }  # fmt: skip


async def test_a_replay_says_the_same_again_and_leaves_nothing(desk: Desk) -> None:
    await a_long_day(desk)
    tables = ("ai_assistants", "ai_assistant_versions", "ai_decisions", "events", "outbox", "pgqueuer")
    counts = " UNION ALL ".join(f"SELECT count(*), max(id)::int FROM {table}" for table in tables)
    before = await desk.fetch(f"{counts} UNION ALL SELECT version, id FROM ai_assistants")
    assert await replay(desk, disable_reply=True) == await replay(desk, disable_reply=True)
    assert await desk.fetch(f"{counts} UNION ALL SELECT version, id FROM ai_assistants") == before


async def test_hours_would_have_silenced_it(desk: Desk) -> None:
    await say(desk, "Hello?", "Yes.")
    found = await replay(desk, schedule_config=IN_THE_EVENING)
    assert changes(found) == {"answered_to_silent": 2}
    example = found["changes"]["answered_to_silent"]["examples"][1]
    assert example["conversation"] == f"/conversations/{desk.conversation_id}"
    assert example["draft"]["reason"] == "out_of_schedule_told"
    assert "outside the schedule (Mon 18:00–20:00 UTC)" in example["sentence"]
    assert example["draft"]["config_path"] == "schedule_config.weekly"
    assert example["sentence_es"].startswith("Sin respuesta: fuera del horario (lun 18:00–20:00 UTC)")


async def test_longer_hours_would_have_answered(desk: Desk) -> None:
    await desk.configure(schedule_config=IN_THE_EVENING)
    await say(desk, "Hello?")
    await say(desk, "Nobody?")
    assert changes(await replay(desk, schedule_config=OFF)) == {"silent_to_answered": 2}


@pytest.mark.parametrize(("was", "kind"), [(False, "answered_to_silent"), (True, "silent_to_answered")])
async def test_silent_mode_would_have_made_the_difference(desk: Desk, was: bool, kind: str) -> None:
    await desk.configure(disable_reply=was)
    await say(desk, "Hello?", "Yes.")
    found = await replay(desk, disable_reply=not was)
    assert found["changes"][kind]["inbounds"] == (1 if was else 2)


async def test_a_new_keyword_hands_over_and_a_person_has_the_rest(desk: Desk) -> None:
    await say(desk, "I will call my lawyer.", "Do not.")
    await say(desk, "Why?", "It is dear.")
    rule = {"enabled": True, "rules": [KEYWORDS], "target": {"type": "user", "user_ids": [desk.user_id]}}
    found = await replay(desk, human_handoff_config=rule)
    assert changes(found) == {"answered_to_silent": 1, "handed_over_gained": 1}
    after = found["changes"]["answered_to_silent"]
    assert (after["after_handoff"], after["examples"][0]["draft"]["reason"]) == (1, "owner_is_person")


async def test_without_the_keyword_it_had_gone_on(desk: Desk) -> None:
    await hands_over(desk, KEYWORDS)
    await say(desk, "I will call my lawyer.")
    await say(desk, "Nobody answers.")
    await give_back(desk)
    await say(desk, "And now?", "Now, yes.")
    found = await replay(desk, human_handoff_config=OFF)
    assert changes(found) == {"silent_to_answered": 1, "handed_over_lost": 1}
    (example,) = found["changes"]["silent_to_answered"]["examples"]
    assert example["recorded"]["reason"] == "owner_is_person"


async def test_the_models_own_hand_off_needs_its_rule(desk: Desk) -> None:
    await hands_over(desk, ASK)
    await say(desk, "Marta, please", transfer())
    await say(desk, "Still there?")
    assert changes(await replay(desk, human_handoff_config=OFF)) == {"handed_over_lost": 1, "silent_to_answered": 1}


async def test_a_count_of_messages_is_counted_on_the_way(desk: Desk) -> None:
    for text in ("Two", "Three", "Four"):
        await say(desk, text, "Yes.")
    rules = {"enabled": True, "rules": [{"id": "m", "type": "message_count", "count": 3}]}
    found = await replay(desk, human_handoff_config=rules)
    assert changes(found) == {"answered_to_silent": 1, "handed_over_gained": 1}
    (example,) = found["changes"]["handed_over_gained"]["examples"]
    assert example["recorded"] == {"result": "answered", "reason": "answered", "config_version": 1}
    assert example["draft"]["reason"] == "handoff_message_count"


async def test_an_attachment_would_have_gone_to_a_person(desk: Desk) -> None:
    await desk.clock.advance(60)
    desk.script.say("Thank you.")
    await desk.say("", message_type="image", extras={"file_name": "x", "media_url": "https://example.com/x"})
    await desk.settle()
    rules = {"enabled": True, "rules": [{"id": "a", "type": "attachment", "kinds": ["image"]}]}
    assert changes(await replay(desk, human_handoff_config=rules)) == {"handed_over_gained": 1}


@pytest.mark.parametrize("limit", ["max_cost_per_conversation", "max_cost_per_day"])
async def test_a_limit_would_have_stopped_it_when_it_was_reached(desk: Desk, limit: str) -> None:
    for text in ("Two", "Three"):
        await desk.clock.advance(600)
        await desk.ask(text, "Yes.")
    spent = (await desk.fetch("SELECT sum(cost) FROM ai_turns WHERE id < 3"))[0][0]
    draft = {"budget": {limit: float(spent), "on_exceeded": "stop"}}
    found = await replay(desk, advanced_options=draft)
    assert changes(found) == {"answered_to_silent": 1}
    assert {note["code"] for note in found["notes"]} >= {"model", "costs"}


async def test_the_whole_configuration_of_now_can_be_tried(desk: Desk) -> None:
    await say(desk, "Hello?", "Yes.")
    await desk.configure(schedule_config=IN_THE_EVENING)
    assert changes(await replay(desk, name="Eva")) == {}
    assert changes(await replay(desk, name="Eva", base="now")) == {"answered_to_silent": 2}


async def test_the_tools_of_the_draft_are_compared(desk: Desk) -> None:
    found = await replay(desk, access_permissions_contact="read", internal_tools={"tools": {"find_company": True}})
    assert found["tools"]["gained"] == ["find_company"]
    assert "update_contact" in found["tools"]["lost"]


async def test_a_record_without_whole_facts_is_read_by_its_gates(desk: Desk) -> None:
    await desk.configure(schedule_config=IN_THE_EVENING)
    await say(desk, "Hello?")
    await desk.fetch("UPDATE ai_decisions SET facts = NULL, decided_at = NULL RETURNING id")
    assert changes(await replay(desk)) == {}
    assert changes(await replay(desk, schedule_config=OFF)) == {"silent_to_answered": 1}


async def another_talk(desk: Desk, text: str) -> int:
    """A second conversation of the same customer."""
    stored = await desk.say(text, conversation_id=None, contact_id=desk.contact_id, ai_assistant_id=desk.assistant_id)
    await desk.settle()
    return stored.conversation_id


async def test_conversations_can_be_chosen(desk: Desk) -> None:
    second = await another_talk(desk, "Me too")
    found = await replay(desk, disable_reply=True, conversation_ids=[second])
    assert (found["inbounds"], changes(found)) == (1, {"answered_to_silent": 1})
    found = await replay(desk, disable_reply=True, after_conversation_id=desk.conversation_id)
    assert found["changes"]["answered_to_silent"]["examples"][0]["conversation_id"] == second


@pytest.mark.parametrize("batch", [1, 100], ids=["between-batches", "within-a-batch"])
async def test_a_replay_that_takes_too_long_says_where_it_is(desk: Desk, batch: int) -> None:
    second = await another_talk(desk, "Me too")
    (row,) = await desk.fetch(CURRENT, desk.organization_id, desk.assistant_id)
    draft = Draft(config_of(dict(row)), dict(row), {}, {}, [])
    runs = []
    for after in (0, desk.conversation_id, second):
        start, end = desk.clock.now() - timedelta(days=1), desk.clock.now() + timedelta(days=1)
        period = Period(desk.organization_id, desk.assistant_id, start, end, after=after)
        run = Replay(desk.database, desk.clock, period, draft, patience=0, batch=batch)
        await run.run()
        runs.append((run.is_complete, run.done, run.tally.inbounds))
    assert runs == [(False, desk.conversation_id, 1), (True, second, 1), (True, second, 0)]


async def test_pages_that_come_too_late_are_left_to_the_next_replay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("Two", "Three"):
        await say(desk, text, "Yes.")
    second = await another_talk(desk, "Me too")
    monkeypatch.setattr("frontdesk.runtime.replay_rows.ROWS", 2)
    now, day = desk.clock.now(), timedelta(days=1)
    period = Period(desk.organization_id, desk.assistant_id, now - day, now + day)
    async with desk.database.reading(desk.organization_id) as connection:
        heard, places, is_whole = await decisions(connection, period, [desk.conversation_id, second], lambda: True)
    assert ({each.conversation_id for each in heard}, len(heard)) == ({desk.conversation_id}, 3)
    assert (list(places), is_whole) == ([desk.conversation_id], False)


async def test_a_deleted_conversation_is_left_out(desk: Desk) -> None:
    await another_talk(desk, "Me too")
    await desk.call("conversations", "remove", desk.conversation_id)
    assert (await replay(desk))["inbounds"] == 1


async def test_of_the_messages_before_the_period_only_the_count_is_known(desk: Desk) -> None:
    await say(desk, "Two", "Yes.")
    await desk.pass_time(3600)
    await say(desk, "Three", "Yes.")
    rules = {"enabled": True, "rules": [{"id": "m", "type": "message_count", "count": 3}]}
    period = {"from": "2026-01-05T12:30:00Z", "to": "2026-01-06T00:00:00Z"}
    found = await desk.call(
        "ai-assistants-replay", "create", desk.assistant_id, period=period, human_handoff_config=rules
    )
    assert changes(dict(found.value)) == {"handed_over_gained": 1}
