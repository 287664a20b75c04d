"""Who may speak: each gate, their order, and the record of what was tried."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import HumanHandoffConfig
from frontdesk.assistants.schedule_config import ScheduleConfig
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import GATES, evaluate, facts_json
from frontdesk.runtime.sentences import SENTENCES, explain

MONDAY_NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 12:00 in Bogotá
MONDAY_NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)  # 22:00 in Bogotá
OWNED = Facts(assigned_ai_assistant_id=1)


def made(**fields):
    return AssistantConfig(1, 1, version=7, timezone="America/Bogota", **fields)


def office(**rule):
    weekly = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}]
    value = {"enabled": True, "weekly": weekly, "out_of_schedule": rule}
    return made(schedule=ScheduleConfig.model_validate(value))


def decide(config=None, facts=OWNED, now=MONDAY_NOON):
    return evaluate(config or made(), facts, now)


def test_with_nothing_against_it_the_answer_is_due() -> None:
    decision = decide()
    assert (decision.outcome, decision.reason, decision.gate, decision.config_version) == (
        "answer", "all_gates_passed", None, 7,
    )  # fmt: skip
    assert [tried.gate for tried in decision.tried] == [name for name, _ in GATES]


SPENT = Facts(cost_today=Decimal(5), daily_cost_limit=Decimal(5), assigned_ai_assistant_id=1)
STOPS = [
    (made(), Facts(is_blocked=True), "blocked", "contact_blocked", None),
    (made(), Facts(assigned_user_id=4), "person", "owner_is_person", None),
    (None, Facts(is_auto_assignment_disabled=True), "auto_assignment", "auto_assignment_disabled", None),
    (None, Facts(), "assistant", "no_assistant", None),
    (made(deleted_at=MONDAY_NOON), OWNED, "assistant", "assistant_deleted", "deleted_at"),
    (made(disable_reply=True), SPENT, "budget", "budget_cost_spent", None),
    (made(), replace(SPENT, is_staff_chat=True), "budget", "budget_cost_spent", None),
    (made(disable_reply=True), Facts(tokens_today=9, daily_token_limit=8), "budget", "budget_tokens_spent", None),
]
HANDS = HumanHandoffConfig.model_validate({"enabled": True})
STOPPING = AdvancedOptions.model_validate({"budget": {"on_exceeded": "stop"}})
TOLD = replace(SPENT, budget_line_at=MONDAY_NOON)


@pytest.mark.parametrize(
    ("config", "facts", "outcome", "reason", "leaves"),
    [
        (made(human_handoff=HANDS), SPENT, "handoff", "budget_cost_handoff", False),
        (made(), SPENT, "message", "budget_cost_handoff", True),
        (made(), TOLD, "silence", "budget_cost_handoff", True),
        (made(options=STOPPING), SPENT, "message", "budget_cost_spent", False),
        (made(options=STOPPING, human_handoff=HANDS), TOLD, "silence", "budget_cost_spent", False),
    ],
    ids=["to a person", "nobody", "told", "stops", "stops and told"],
)
def test_the_budget_of_the_day_leaves_a_person_or_one_line(config, facts, outcome, reason, leaves) -> None:
    decision = evaluate(config, facts, MONDAY_NOON)
    assert (decision.outcome, decision.reason, decision.leaves) == (outcome, reason, leaves)


@pytest.mark.parametrize(("config", "facts", "gate", "reason", "path"), STOPS)
def test_the_first_stop_ends_it(config, facts, gate, reason, path) -> None:
    decision = evaluate(config, facts, MONDAY_NOON)
    assert (decision.outcome, decision.gate, decision.reason, decision.config_path) == ("silence", gate, reason, path)
    assert decision.tried[-1] == decision.decisive


def test_auto_assignment_switched_off_does_not_stop_an_owned_conversation() -> None:
    facts = Facts(is_auto_assignment_disabled=True, assigned_ai_assistant_id=1)
    assert decide(facts=facts).outcome == "answer"


def test_silent_mode_runs_muted() -> None:
    decision = decide(made(disable_reply=True))
    assert (decision.outcome, decision.reason, decision.config_path) == ("analyse", "reply_disabled", "disable_reply")


def test_in_the_hours_it_answers() -> None:
    assert decide(office()).outcome == "answer"


@pytest.mark.parametrize(
    ("rule", "outcome", "line"),
    [
        ({"action": "silent"}, "silence", None),
        ({"action": "message", "message": "We open at nine."}, "message", "We open at nine."),
        ({"action": "handoff", "message": "A colleague will write."}, "message", "A colleague will write."),
        ({"action": "handoff"}, "silence", None),
        ({"action": "reply"}, "answer", None),
    ],
)
def test_outside_the_hours_the_action_decides(rule, outcome, line) -> None:
    decision = decide(office(**rule), now=MONDAY_NIGHT)
    assert (decision.outcome, decision.line) == (outcome, line)
    assert (decision.reason == "out_of_schedule_message") is (line is not None)


@pytest.mark.parametrize(("hours", "outcome"), [(11, "silence"), (12, "message"), (40, "message")])
def test_the_message_goes_out_once_in_its_hours(hours, outcome) -> None:
    config = office(action="message", message="Closed.", once_per_hours=12)
    facts = Facts(assigned_ai_assistant_id=1, schedule_message_at=MONDAY_NIGHT - timedelta(hours=hours))
    assert decide(config, facts, MONDAY_NIGHT).outcome == outcome


def test_silent_mode_keeps_the_message_back() -> None:
    config = office(action="message", message="Closed.")
    muted = made(schedule=config.schedule, disable_reply=True)
    decision = decide(muted, now=MONDAY_NIGHT)
    assert (decision.outcome, decision.line, decision.reason) == ("silence", None, "out_of_schedule_muted")


def test_the_schedule_is_told_in_both_languages() -> None:
    decision = decide(office(), now=MONDAY_NIGHT)
    assert decision.explain("ENG").why == "No answer: outside the schedule (Mon 09:00–18:00 America/Bogota)."
    assert decision.explain("ENG").would_change == (
        "It would answer from Tue 2026-03-03 09:00 on, or now if out_of_schedule.action were reply."
    )
    assert decision.explain("ESP").why == "Sin respuesta: fuera del horario (lun 09:00–18:00 America/Bogota)."


def test_a_closed_day_is_told_as_closed() -> None:
    sunday = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)
    assert "(Sun closed America/Bogota)" in decide(office(), now=sunday).explain().why


@pytest.mark.parametrize("code", SENTENCES)
@pytest.mark.parametrize("language", ["ENG", "ESP"])
def test_every_reason_has_its_sentences_even_without_facts(code, language) -> None:
    found = explain(code, {}, language)
    assert found.why.endswith(".")
    assert found.would_change.endswith(".")
    assert "{" not in found.why + found.would_change


def test_every_stop_and_mute_has_a_sentence() -> None:
    reasons = {evaluate(config, facts, MONDAY_NOON).reason for config, facts, *_ in STOPS}
    assert SENTENCES.keys() >= reasons


def test_a_reason_of_the_conversation_is_told() -> None:
    facts = Facts(is_auto_assignment_disabled=True, auto_assignment_disabled_reason="takeover")
    assert "switched off (a person took it)." in evaluate(None, facts, MONDAY_NOON).explain().why


def test_what_was_tried_is_plain_json() -> None:
    gates = decide(office(), now=MONDAY_NIGHT).gates_json()
    assert gates[0] == {
        "gate": "blocked", "effect": "pass", "reason": "not_blocked", "facts": {"blocked": False}, "config_path": None,
    }  # fmt: skip
    assert gates[-1]["facts"]["next_opening"] == "2026-03-03T14:00:00+00:00"
    assert facts_json(Facts(cost_today=Decimal("1.5"), inbound_texts=("Hi",))) == {"cost_today": "1.5"}


facts = st.builds(
    Facts,
    is_blocked=st.booleans(),
    assigned_user_id=st.none() | st.just(4),
    assigned_ai_assistant_id=st.none() | st.just(1),
    is_auto_assignment_disabled=st.booleans(),
    tokens_today=st.integers(0, 3),
    daily_token_limit=st.none() | st.just(2),
)


@settings(max_examples=80, deadline=None)
@given(facts, st.booleans(), st.booleans(), st.integers(0, 48))
def test_a_decision_can_be_replayed_and_a_muted_one_never_speaks(facts, is_mute, has_config, hours) -> None:
    config = office(action="message", message="Closed.") if has_config else None
    if config is not None and is_mute:
        config = made(schedule=config.schedule, disable_reply=True)
    now = MONDAY_NOON + timedelta(hours=hours)
    decision = evaluate(config, facts, now)
    assert decision == evaluate(config, facts, now)
    assert not (is_mute and config and (decision.line or decision.outcome == "answer"))
    assert sum(tried.verdict.effect == "stop" for tried in decision.tried) == (
        decision.outcome in ("silence", "message")
    )
