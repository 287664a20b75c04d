"""What is saved and cannot work as it stands: one `{field, code, message}` for each, in the response of the change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from frontdesk.assistants.ai_chat_warnings import ai_chat_warnings
from frontdesk.assistants.automations import automation_warnings
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_warnings import follow_up_warnings
from frontdesk.assistants.handoff_warnings import handoff_warnings
from frontdesk.assistants.image_warnings import image_warnings
from frontdesk.assistants.model_key import FIELD, KeyChange
from frontdesk.assistants.schedule import next_opening
from frontdesk.assistants.tool_keys import READING, TOOL_KEYS, ToolKey
from frontdesk.assistants.voice_warnings import voice_warnings
from frontdesk.core.errors import Json

Warned = dict[str, Json]


def warnings_of(config: AssistantConfig, key: KeyChange, *, has_key: bool, now: datetime) -> list[Warned]:
    """All warnings for a configuration. `has_key` is whether a key of the assistant's own is stored."""
    return [
        *_of_key(config, key, has_key=has_key),
        *_of_instructions(config),
        *(warning for name in config.internal_tools.tools for warning in _of_tool(config, TOOL_KEYS[name])),
        *_of_schedule(config, now),
        *handoff_warnings(config),
        *follow_up_warnings(config, now),
        *ai_chat_warnings(config),
        *automation_warnings(config.automations),
        *voice_warnings(config),
        *image_warnings(config),
    ]


def _warning(field: str, code: str, message: str) -> Warned:
    return {"field": field, "code": code, "message": message}


def _of_key(config: AssistantConfig, key: KeyChange, *, has_key: bool) -> Iterator[Warned]:
    if key.is_missing or (config.connection == "specific" and not has_key):
        yield _warning(FIELD, "secret_missing", "No key is stored for this assistant; enter it to use it.")
    elif config.connection == "specific" and key.is_elsewhere:
        message = "The stored key belongs to another address than the model's and is not sent there; enter it again."
        yield _warning(FIELD, "secret_elsewhere", message)
    elif has_key and config.connection != "specific":
        yield _warning(
            "connection", "secret_unused", f"The stored key is not used while connection is {config.connection}."
        )


def _of_instructions(config: AssistantConfig) -> Iterator[Warned]:
    if not config.instructions.strip():
        message = "There are no instructions; the assistant knows nothing about the business."
        yield _warning("instructions", "instructions_empty", message)


def _of_tool(config: AssistantConfig, key: ToolKey) -> Iterator[Warned]:
    switch, field = config.switch(key.key), f"internal_tools.tools.{key.key}"
    if not switch.enabled:
        return
    access = config.access(key.entity)
    if not key.is_built:
        yield _warning(field, "tool_not_available", f"{key.key} is stored but not available in this version.")
        return
    if access == "none":
        message = f"{key.key} is on, but access_permissions_{key.entity} is none, so it is never offered."
        yield _warning(field, "tool_without_access", message)
    elif access == "read" and key.verb not in READING:
        message = f"{key.key} changes data, but access_permissions_{key.entity} is read, so it is never offered."
        yield _warning(field, "tool_access_read", message)
    if switch.scope == "organization" and config.assistant_type != "ai-chat" and key.entity:
        message = f"With scope organization, whoever writes to the assistant can reach all rows by {key.key}."
        yield _warning(f"{field}.scope", "scope_open", message)


def _of_schedule(config: AssistantConfig, now: datetime) -> Iterator[Warned]:
    schedule, rule = config.schedule, config.schedule.out_of_schedule
    if not schedule.enabled:
        return
    if next_opening(schedule, ZoneInfo(config.timezone), now.astimezone(UTC)) is None:
        yield _warning(
            "schedule_config", "schedule_never_open", "The schedule never opens; the assistant is never on duty."
        )
    if rule.action == "handoff" and not config.human_handoff.enabled:
        effect = "the message is sent instead" if rule.message else "the assistant stays silent instead"
        message = f"Nothing is handed over while human_handoff_config is not enabled; {effect}."
        yield _warning("schedule_config.out_of_schedule.action", "handoff_not_enabled", message)
    if rule.message and rule.action in ("silent", "reply"):
        message = f"The message is not sent while the action is {rule.action}."
        yield _warning("schedule_config.out_of_schedule.message", "message_unused", message)
