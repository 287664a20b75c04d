"""What is saved and cannot work is told."""

from datetime import UTC, datetime

import pytest

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.config_warnings import warnings_of
from frontdesk.assistants.internal_tools import InternalTools
from frontdesk.assistants.model_key import KeyChange
from frontdesk.assistants.schedule_config import ScheduleConfig

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SAME_KEY = KeyChange()
NEVER = ScheduleConfig.model_validate({"enabled": True})
WEEK = [{"days": ["mon"], "from": "09:00", "to": "18:00"}]


def codes(config, key=SAME_KEY, *, has_key=False):
    return {(warning["field"], warning["code"]) for warning in warnings_of(config, key, has_key=has_key, now=NOW)}


def made(**fields):
    return AssistantConfig(1, 1, instructions="Be kind.", **fields)


def tools(**switches):
    return InternalTools.model_validate({"tools": switches})


def schedule(**rule):
    return ScheduleConfig.model_validate({"enabled": True, "weekly": WEEK, "out_of_schedule": rule})


TOOL = "internal_tools.tools"
CASES = [
    (AssistantConfig(1, 1), ("instructions", "instructions_empty")),
    (made(connection="specific"), ("specific_openai_secret_key", "secret_missing")),
    (made(internal_tools=tools(create_project=True)), (f"{TOOL}.create_project", "tool_not_available")),
    (made(internal_tools=tools(find_contact=True)), (f"{TOOL}.find_contact", "tool_without_access")),
    (made(internal_tools=tools(add_note=True), access_contact="read"), (f"{TOOL}.add_note", "tool_access_read")),
    (
        made(internal_tools=tools(find_contact={"enabled": True, "scope": "organization"}), access_contact="read"),
        (f"{TOOL}.find_contact.scope", "scope_open"),
    ),
    (made(can_send_images=True), ("can_send_images", "images_without_source")),
    (made(can_send_images=True, disable_reply=True), ("can_send_images", "images_unused")),
    (made(schedule=NEVER), ("schedule_config", "schedule_never_open")),
    (made(schedule=schedule(action="handoff")), ("schedule_config.out_of_schedule.action", "handoff_not_enabled")),
    (
        made(schedule=schedule(action="silent", message="Closed.")),
        ("schedule_config.out_of_schedule.message", "message_unused"),
    ),
]


@pytest.mark.parametrize(("config", "expected"), CASES)
def test_each_contradiction_is_told_alone(config, expected) -> None:
    assert codes(config) == {expected}


@pytest.mark.parametrize(
    "config",
    [
        made(),
        made(internal_tools=tools(find_contact=True, create_deal=False), access_contact="read"),
        made(schedule=schedule(action="message", message="We open at nine.")),
        made(internal_tools=tools(find_contact={"enabled": True, "scope": "organization"}), access_contact="read",
             assistant_type="ai-chat"),
    ],
)  # fmt: skip
def test_a_sound_configuration_has_no_warning(config) -> None:
    assert codes(config) == set()


def test_keys_are_told_once() -> None:
    field = "specific_openai_secret_key"
    assert codes(made(), KeyChange(is_missing=True)) == {(field, "secret_missing")}
    assert codes(made(connection="specific"), KeyChange(is_elsewhere=True), has_key=True) == {
        (field, "secret_elsewhere")
    }
    assert codes(made(), has_key=True) == {("connection", "secret_unused")}
