"""What is stored of follow-ups and cannot work is told, with the place."""

from datetime import UTC, datetime

import pytest

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_config import FollowUpConfig
from frontdesk.assistants.follow_up_warnings import follow_up_warnings, template_faults, template_warnings
from frontdesk.assistants.schedule_config import ScheduleConfig

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CLOSED = ScheduleConfig.model_validate({"enabled": True})


def made(*rules, enabled=True, stop_on=("reply", "close", "human", "opt_out"), **more):
    whole = [{"id": f"f{i}", "after_minutes": 60, "instructions": None, **rule} for i, rule in enumerate(rules)]
    section = {"enabled": enabled, "rules": whole, "stop_on": list(stop_on)}
    return AssistantConfig(1, 1, follow_up=FollowUpConfig.model_validate(section), **more)


def told(config):
    return {(warning["field"], warning["code"]) for warning in follow_up_warnings(config, NOW)}


RULE = "follow_up_config.rules.0"
AI = {"instructions": "ask"}
LATE = {**AI, "after_minutes": 1440}
CASES = [
    (made(AI), set()),
    (made({}), {(f"{RULE}.instructions", "follow_up_without_instructions")}),
    (made({"instructions": " "}), {(f"{RULE}.instructions", "follow_up_without_instructions")}),
    (made(), {("follow_up_config.rules", "follow_up_without_rules")}),
    (made(AI, disable_reply=True), {("follow_up_config.enabled", "follow_up_muted")}),
    (made(AI, stop_on=["reply", "close", "human"]), {("follow_up_config.stop_on", "follow_up_stops_anyway")}),
    (made(AI, stop_on=["close", "human", "opt_out"]), set()),
    (made(AI, schedule=CLOSED), {(RULE, "follow_up_never_due")}),
    (made({**AI, "only_in_schedule": False}, schedule=CLOSED), set()),
    (made({**AI, "message": "Hi."}), {(f"{RULE}.message", "follow_up_unused")}),
    (made({**AI, "channels": ["sms"], "template_id": 3}), {(f"{RULE}.template_id", "follow_up_unused")}),
    (made(LATE), {(f"{RULE}.after_minutes", "follow_up_after_window")}),
    (made({**LATE, "channels": ["whatsapp", "sms"], "template_id": 3}), set()),
    (made({**LATE, "channels": ["messenger"]}), {(f"{RULE}.after_minutes", "follow_up_after_window")}),
    (made({**LATE, "channels": ["webchat"]}), set()),
    (made({"mode": "template", "template_id": 3, "channels": ["whatsapp"]}), set()),
    (made({"mode": "template", "template_id": 3}), {("follow_up_config.rules.0.channels", "follow_up_channel_unfit")}),
    (made({"mode": "fixed", "message": "Hi.", "channels": ["sms"]}), set()),
]


@pytest.mark.parametrize(("config", "expected"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_a_contradiction_is_told_where_it_stands(config, expected) -> None:
    assert told(config) == expected


@pytest.mark.parametrize("kind", ["ai-chat", "voice"])
def test_only_who_writes_to_customers_reminds_them(kind) -> None:
    assert told(made({}, assistant_type=kind)) == {("follow_up_config", "follow_up_not_for_type")}


def test_what_is_switched_off_needs_no_warning() -> None:
    assert told(made(enabled=False)) == set()


def test_a_template_that_never_was_is_a_fault_and_one_that_is_gone_a_warning() -> None:
    config = made({"mode": "template", "template_id": 3}, {"mode": "template", "template_id": 4})
    assert [fault.path for fault in template_faults(config, {3: True})] == ["follow_up_config.rules.1.template_id"]
    warned = [warning["field"] for warning in template_warnings(config, {3: True, 4: False})]
    assert warned == ["follow_up_config.rules.0.template_id"]
