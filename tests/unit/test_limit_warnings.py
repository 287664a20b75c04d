"""Limits that are stored and cannot work are told when they are saved; what has been spent is told with decisions."""

from decimal import Decimal

import pytest

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.limit_warnings import Priced, limit_warnings
from frontdesk.assistants.spending import Budget
from frontdesk.runtime.budget import AssistantSpent, local_day
from frontdesk.runtime.facts import Facts
from frontdesk.runtime.gates import assistant_budget
from tests.unit.test_gates import MONDAY_NIGHT, MONDAY_NOON

PRICED = Priced("Ours", "openai_compatible", "ours", Decimal(1), None)
FREE = Priced("Ours", "openai_compatible", "ours", None, None)
LISTED = Priced("GPT", "openai", "gpt-4o-mini", None, None)
UNLISTED = Priced("New", "openai", "no-such-model", None, None)
DEFAULT = Priced("Installation default", "installation", "default", None, None)
LIMITED = {"budget": {"max_cost_per_day": 1}}


def codes(options, *models, has_search_engine=True):
    config = AssistantConfig(1, 1, options=AdvancedOptions.model_validate(options))
    found = limit_warnings(config, models, has_search_engine=has_search_engine)
    return [(warning["field"], warning["code"]) for warning in found]


@pytest.mark.parametrize(
    ("model", "is_warned"), [(PRICED, False), (FREE, True), (LISTED, False), (UNLISTED, True), (DEFAULT, True)]
)
def test_a_limit_that_no_price_can_reach_is_told(model, is_warned) -> None:
    told = [("advanced_options.budget", "budget_not_counted")]
    assert codes(LIMITED, model) == (told if is_warned else [])
    assert codes({}, model) == []


def test_each_model_without_a_price_is_told_of() -> None:
    assert len(codes(LIMITED, FREE, PRICED, UNLISTED)) == 2


def test_a_search_without_an_engine_is_told() -> None:
    wanted = {"web_search": {"enabled": True}}
    assert codes(wanted, has_search_engine=False) == [("advanced_options.web_search", "web_search_not_available")]
    assert codes(wanted) == []


def test_a_summary_that_comes_after_the_history_has_ended_is_told() -> None:
    assert codes({"history_messages": 20}) == [("advanced_options.summary.after_messages", "summary_above_history")]
    assert codes({"history_messages": 20, "summary": {"enabled": False}}) == []


@pytest.mark.parametrize(
    ("conversation", "today", "member"),
    [("0.49", "4.99", None), ("0.5", "0", "max_cost_per_conversation"), ("0", "5", "max_cost_per_day"),
     ("1", "9", "max_cost_per_conversation")],
)  # fmt: skip
def test_a_limit_is_reached_and_not_only_passed(conversation, today, member) -> None:
    limits = Budget(max_cost_per_conversation=0.5, max_cost_per_day=5)
    assert AssistantSpent(Decimal(conversation), Decimal(today)).passed(limits) == member


def test_a_tenth_is_a_tenth() -> None:
    assert AssistantSpent(today=Decimal("0.1")).passed(Budget(max_cost_per_day=0.1)) == "max_cost_per_day"
    assert AssistantSpent().passed(Budget()) is None


def test_the_day_is_the_assistants() -> None:
    assert local_day(MONDAY_NIGHT, "UTC") != local_day(MONDAY_NIGHT, "America/Bogota") == local_day(MONDAY_NOON, "UTC")


def test_what_was_spent_is_told_without_noise() -> None:
    facts = AssistantSpent(Decimal("0.123456789"), Decimal("100")).facts(Budget(max_cost_per_day=0.5), "UTC")
    assert (facts["conversation_cost"], facts["assistant_cost_today"]) == ("0.1235", "100")
    assert (facts["max_cost_per_day"], facts["max_cost_per_conversation"]) == ("0.5", None)


SPENT = Facts(assigned_ai_assistant_id=1, assistant_cost_today=Decimal(2))


def verdict(facts=SPENT, *, on_exceeded="stop", now=MONDAY_NOON, **fields):
    options = AdvancedOptions.model_validate({"budget": {"max_cost_per_day": 1, "on_exceeded": on_exceeded}})
    return assistant_budget(AssistantConfig(1, 1, timezone="America/Bogota", options=options, **fields), facts, now)


def test_a_stop_says_its_line_once_a_day() -> None:
    first = verdict()
    assert (first.effect, first.code) == ("stop", "assistant_budget_spent")
    assert first.line is not None
    told = Facts(assigned_ai_assistant_id=1, assistant_cost_today=Decimal(2), budget_line_at=MONDAY_NOON)
    assert verdict(told, now=MONDAY_NIGHT).line is None


def test_a_hand_off_leaves_nobody_silent() -> None:
    found = verdict(on_exceeded="handoff")
    assert (found.code, found.leaves, found.line is None) == ("assistant_budget_handoff", True, False)


@pytest.mark.parametrize("on_exceeded", ["stop", "handoff"])
def test_silent_mode_says_nothing_and_keeps_its_conversation(on_exceeded) -> None:
    found = verdict(on_exceeded=on_exceeded, disable_reply=True)
    assert (found.code, found.line, found.leaves) == ("assistant_budget_spent", None, False)
