"""What has no effect, or another one than elsewhere, on an assistant that only the team talks with."""

from __future__ import annotations

from collections.abc import Iterator

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.errors import Json


def ai_chat_warnings(config: AssistantConfig) -> Iterator[dict[str, Json]]:
    """Of an assistant of the type ai-chat; none of any other."""
    if config.assistant_type != "ai-chat":
        return
    if config.schedule.enabled:
        message = "The hours are those of customers: an assistant of the type ai-chat answers the team at any time."
        yield {"field": "schedule_config", "code": "schedule_not_for_type", "message": message}
    if config.disable_reply:
        message = "It answers nobody: who asks in a chat of the team is told that its replies are switched off."
        yield {"field": "disable_reply", "code": "team_not_answered", "message": message}
    if config.assistant_handoff.enabled:
        message = "A chat of the team stays with its assistant; it is never passed on to another one."
        yield {"field": "ai_assistant_handoff_config", "code": "handoff_not_for_type", "message": message}
    for place, one in enumerate(config.json_keys.root):
        if one.save_to is not None:
            message = f"{one.key} is never saved to a custom field: a chat of the team has no {one.save_to.entity}."
            yield {"field": f"additional_json_keys.{place}.save_to", "code": "saved_nowhere", "message": message}
    for name, switch in config.internal_tools.tools.items():
        if switch.enabled and switch.scope == "own" and TOOL_KEYS[name].is_built:
            message = f"With scope own, {name} reaches only what was made in the same chat, which has no customer."
            yield {"field": f"internal_tools.tools.{name}.scope", "code": "scope_without_customer", "message": message}
