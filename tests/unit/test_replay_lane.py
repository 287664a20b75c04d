"""One conversation under a draft, without a database: what the lane carries from message to message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import evaluate
from frontdesk.runtime.replay_lane import Before, Given, Heard, Lane
from frontdesk.runtime.replay_rows import Costs
from frontdesk.runtime.replay_tally import MOST_EXAMPLES, Tally, kind_of

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PLAIN = AssistantConfig(1, 1)
OURS = Facts(assigned_ai_assistant_id=1, epoch=1)
PERSONS = Facts(assigned_user_id=4, is_auto_assignment_disabled=True, epoch=2)
WORD = {"id": "w", "type": "keywords", "keywords": ["lawyer"]}


def hands(*rules: dict[str, Any], **members: Any) -> AssistantConfig:
    return replace(PLAIN, human_handoff=HumanHandoffConfig.model_validate(
        {"enabled": True, "rules": list(rules), **members}
    ))  # fmt: skip


def heard(minute: int, text: str = "Hello", **fields: Any) -> Heard:
    """An answered message, unless the fields say otherwise."""
    usual: dict[str, Any] = {
        "outcome": "answered",
        "reason": "answered",
        "facts": OURS,
        "turn_id": minute,
        "version": 1,
    }
    return Heard(1, minute, NOON + timedelta(minutes=minute), text=text, **{**usual, **fields})


def stopped(minute: int, reason: str, gate: str, **fields: Any) -> Heard:
    return heard(minute, reason=reason, gate=gate, **{"outcome": "silent", "turn_id": None, **fields})


def results(
    draft: AssistantConfig, *messages: Heard, then: AssistantConfig = PLAIN, before: Before | None = None
) -> list[str]:
    lane = Lane(1, lambda _: then, lambda _: draft, before or Before())
    found = [(lane.hear([message]), message) for message in messages]
    return [predicted.result or message.result for predicted, message in found]


def test_after_a_hand_off_of_the_draft_a_person_has_it_until_the_episode_ends() -> None:
    later = replace(OURS, epoch=2, context_cut=NOON)
    talk = [heard(1, "my lawyer"), heard(2), heard(3, facts=later)]
    assert results(hands(WORD), *talk) == ["handed_over", "silent", "silent"]
    assert results(hands(WORD, **{"return": {"mode": "on_close"}}), *talk) == ["handed_over", "silent", "answered"]


def test_it_comes_back_after_the_drafts_own_while() -> None:
    back = {"return": {"mode": "after_inactivity", "after_minutes": 30}}
    talk = [heard(1, "my lawyer"), heard(2), heard(40)]
    assert results(hands(WORD, **back), *talk) == ["handed_over", "silent", "answered"]


def test_another_change_of_owner_in_the_record_is_followed() -> None:
    talk = [heard(1, "my lawyer"), heard(2), heard(3, facts=replace(OURS, epoch=3))]
    assert results(hands(WORD), *talk) == ["handed_over", "silent", "answered"]


def test_what_the_draft_would_not_have_given_away_stays() -> None:
    given_away = stopped(1, "handoff_keywords", "handoff", outcome="handed_off", text="my lawyer")
    talk = [
        given_away, stopped(2, "owner_is_person", "person", facts=PERSONS, version=None),
        stopped(3, "owner_is_person", "person", facts=replace(PERSONS, context_cut=NOON), version=None),
    ]  # fmt: skip
    assert results(PLAIN, *talk, then=hands(WORD)) == ["answered", "answered", "silent"]


def test_of_another_assistant_nothing_is_judged() -> None:
    assert results(hands(WORD), heard(1, "my lawyer", facts=replace(OURS, assigned_ai_assistant_id=2))) == ["answered"]


@pytest.mark.parametrize(
    ("draft", "given", "result"),
    [
        (hands({"id": "r", "type": "customer_request"}), Given("customer_request", "r"), "handed_over"),
        (hands(WORD), Given("customer_request", "r"), "answered"),
        (hands({"id": "r", "type": "condition", "description": "x"}), Given("customer_request", "r"), "answered"),
        (PLAIN, Given("customer_request", "r"), "answered"),
        (PLAIN, Given("model_failed"), "failed"),
        (hands(), Given("model_failed"), "handed_over"),
        (hands({"id": "n", "type": "no_answer", "after_turns": 3}), Given("no_answer", "n", "2"), "answered"),
        (hands({"id": "n", "type": "no_answer", "after_turns": 2}), Given("no_answer", "n", "2"), "handed_over"),
        (replace(PLAIN, disable_reply=True), Given("customer_request", "r"), "silent"),
    ],
    ids=["same", "gone", "another-type", "off", "failure-off", "failure", "stricter", "as-strict", "mute"],
)  # fmt: skip
def test_a_turns_own_hand_off_needs_its_rule(draft: AssistantConfig, given: Given, result: str) -> None:
    assert results(draft, heard(1, outcome="handed_off", reason="handed_off", given=given)) == [result]


def test_a_muted_turn_would_have_been_sent() -> None:
    muted = heard(1, outcome="muted", reason="reply_disabled", gate="disable_reply")
    assert results(PLAIN, muted) == ["answered"]
    assert results(replace(PLAIN, disable_reply=True), muted) == ["silent"]


def test_the_schedules_message_is_told_once_on_the_simulated_clock() -> None:
    rule = {"action": "message", "message": "Closed.", "once_per_hours": 1}
    shut = ScheduleConfig.model_validate({"enabled": True, "weekly": [], "out_of_schedule": rule})
    lane = Lane(1, lambda _: PLAIN, lambda _: replace(PLAIN, schedule=shut))
    reasons = [lane.hear([heard(minute)]).reason for minute in (1, 30, 61, 62)]
    told = "out_of_schedule_message"
    assert reasons == [told, "out_of_schedule_told", told, "out_of_schedule_told"]


def test_a_conversations_costs_are_less_by_what_was_not_run() -> None:
    budget = {"budget": {"max_cost_per_conversation": 0.03, "on_exceeded": "stop"}}
    draft = replace(hands(), options=AdvancedOptions.model_validate(budget))
    costs = Costs()
    for minute in range(1, 6):
        costs.add(NOON + timedelta(minutes=minute, seconds=1), Decimal("0.02"))
    before = Before(conversation_cost=lambda at, cut: costs.between(cut, at))
    talk = [heard(minute, cost=Decimal("0.02")) for minute in range(1, 6)]
    assert results(draft, *talk, before=before) == ["answered", "answered", "silent", "silent", "silent"]
    new = [*talk[:3], *(replace(each, facts=replace(OURS, context_cut=each.at)) for each in talk[3:])]
    assert results(draft, *new, before=before)[3:] == ["answered", "answered"]


def test_messages_of_a_burst_are_judged_together() -> None:
    burst = [heard(1, "I call"), replace(heard(1, "my lawyer"), message_id=2)]
    tally = Tally()
    tally.replay(Lane(1, lambda _: PLAIN, lambda _: hands(WORD)), burst)
    assert tally.changes["handed_over_gained"].inbounds == 2
    assert tally.changes["handed_over_gained"].conversations == 1


def test_examples_are_bounded_and_show_nothing_private() -> None:
    tally, mute = Tally(viewer_id=7), replace(PLAIN, disable_reply=True)
    for number in range(MOST_EXAMPLES + 5):
        tally.replay(Lane(1, lambda _: PLAIN, lambda _: mute), [heard(number)])
    assert len(tally.changes["answered_to_silent"].examples) == MOST_EXAMPLES
    private = Tally(viewer_id=7)
    private.replay(Lane(1, lambda _: PLAIN, lambda _: mute), [heard(1, private_to=7), heard(2, private_to=8)])
    change = private.changes["answered_to_silent"]
    assert (change.inbounds, len(change.examples)) == (2, 1)


@pytest.mark.parametrize(
    ("recorded", "predicted", "kind"),
    [("answered", "answered", None), ("answered", "silent", "answered_to_silent"),
     ("failed", "silent", "answered_to_silent"), ("silent", "answered", "silent_to_answered"),
     ("silent", "handed_over", "handed_over_gained"), ("handed_over", "silent", "handed_over_lost")],
    ids=str,
)  # fmt: skip
def test_kinds_of_change(recorded: Any, predicted: Any, kind: str | None) -> None:
    assert kind_of(recorded, predicted) == kind


def test_a_days_costs_begin_at_the_local_midnight() -> None:
    costs = Costs()
    for hour in (3, 6, 9):
        costs.add(datetime(2026, 3, 8, hour, tzinfo=UTC), Decimal(hour))
    assert costs.of_day(datetime(2026, 3, 8, 10, tzinfo=UTC), "America/Bogota") == 15
    assert costs.of_day(datetime(2026, 3, 8, 10, tzinfo=UTC), "UTC") == 18


texts = st.sampled_from(["Hello", "my lawyer", "", "And?"])
configs = st.sampled_from([
    PLAIN, hands(WORD), replace(PLAIN, disable_reply=True),
    hands({"id": "m", "type": "message_count", "count": 2}),
    replace(PLAIN, schedule=ScheduleConfig.model_validate({"enabled": True, "weekly": []})),
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(configs, st.lists(st.tuples(texts, st.booleans(), st.integers(0, 4)), max_size=8))
def test_the_configuration_of_then_never_differs(
    config: AssistantConfig, said: Sequence[tuple[str, bool, int]]
) -> None:
    talk: list[Heard] = []
    for minute, (text, is_persons, count) in enumerate(said, 1):
        facts = PERSONS if is_persons else replace(OURS, inbound_texts=(text,) if text else (), message_count=count)
        decision = evaluate(None if is_persons else config, facts, NOON + timedelta(minutes=minute))
        runs = decision.outcome in ("answer", "analyse")
        outcome = {"answer": "answered", "analyse": "muted", "handoff": "handed_off"}.get(decision.outcome, "silent")
        talk.append(heard(
            minute, text, outcome=outcome, reason="answered" if outcome == "answered" else decision.reason,
            gate=decision.gate, turn_id=minute if runs else None, facts=replace(facts, inbound_texts=()),
        ))  # fmt: skip
    tally = Tally()
    tally.replay(Lane(1, lambda _: config, lambda _: config), talk)
    assert all(change.inbounds == 0 for change in tally.changes.values())
