"""Which tools an assistant may use, and the rule that said so. Asked when tools are offered and at every call.

The lower of switch and entity access always wins; `disable_reply` takes away what would reach the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from frontdesk.assistants.assistant_handoff_config import TRANSFER_TO_ASSISTANT
from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_config import TRANSFER_TO_HUMAN
from frontdesk.assistants.image_sending import SEND_IMAGE
from frontdesk.assistants.internal_tools import Reach
from frontdesk.assistants.skills import LOAD_SKILL
from frontdesk.assistants.tool_keys import READING, TOOL_KEYS, ToolKey, Verb
from frontdesk.assistants.web_search import WEB_SEARCH
from frontdesk.core.errors import Json

Rule = Literal[
    "allowed", "unknown", "no_skills", "not_configured", "off", "api_off", "mcp_off", "not_installed", "access_none",
    "access_read", "disable_reply", "needs_approval", "deleted", "no_tool_support", "follow_up_reads",
]  # fmt: skip

ALLOWED: Rule = "allowed"
NEEDS_APPROVAL: Rule = "needs_approval"
RUNS = (ALLOWED, NEEDS_APPROVAL)  # the rules of a tool that is offered
SENTENCES: dict[Rule, str] = {
    "allowed": "allowed",
    "unknown": "there is no tool of this name",
    "no_skills": "the assistant has no skills",
    "not_configured": "the part of the configuration that brings this tool along is switched off",
    "off": "the tool is switched off in internal_tools",
    "api_off": "the assistant does not have this API tool, or it is switched off (api_tools)",
    "mcp_off": "the tool or its server is switched off or has been removed (mcp_tools)",
    "not_installed": "the tool is not available in this version",
    "access_none": "the assistant has no access to {entity} (access_permissions_{entity} is none)",
    "access_read": "the assistant may only read {entity} (access_permissions_{entity} is read)",
    "disable_reply": "replies are switched off, so nothing may be sent to the customer",
    "needs_approval": "allowed, and a person approves each call before it is made",
    "deleted": "the assistant has been deleted",
    "follow_up_reads": "a follow-up only reads: nobody has asked for anything",
    "no_tool_support": "the model that answers cannot use tools (supports_tools of the AI model is false)",
}


@dataclass(frozen=True, slots=True)
class SystemTool:
    """A tool that no key switches on: another part of the configuration brings it along, where `is_on` says so.

    `config_path` is that part; `rule` tells that it is off. `verb` says what a call does, as with the keys.
    """

    name: str
    config_path: str
    is_on: Callable[[AssistantConfig], bool]
    verb: Verb = "get"
    rule: Rule = "not_configured"


# One line for each; the toolset that runs one must offer it under the same condition.
_SYSTEM = (
    SystemTool(LOAD_SKILL, "ai-assistant-skills", lambda config: bool(config.skills), rule="no_skills"),
    SystemTool(SEND_IMAGE, "can_send_images", lambda config: config.can_send_images, "send"),
    SystemTool(WEB_SEARCH, "advanced_options.web_search", lambda config: config.options.web_search.enabled, "find"),
    SystemTool(
        TRANSFER_TO_HUMAN, "human_handoff_config.rules", lambda c: c.hands_over and bool(c.human_handoff.judged),
        "update",
    ),
    SystemTool(
        TRANSFER_TO_ASSISTANT, "ai_assistant_handoff_config.targets",
        lambda c: c.hands_over and bool(c.assistant_handoff.open_targets), "update",
    ),
)  # fmt: skip
SYSTEM_TOOLS: dict[str, SystemTool] = {tool.name: tool for tool in _SYSTEM}


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether one tool may be used now, by which rule, and how far it reaches."""

    key: str
    is_allowed: bool
    rule: Rule
    scope: Reach
    config_path: str
    changes: bool

    @property
    def needs_approval(self) -> bool:
        """It is offered, and each call waits for a person (rule 11 of a turn)."""
        return self.rule == NEEDS_APPROVAL

    @property
    def sentence(self) -> str:
        """The rule in words, for the model and for the trace."""
        key = TOOL_KEYS.get(self.key)
        return SENTENCES[self.rule].format(entity=key.entity if key else "")

    def as_json(self) -> dict[str, Json]:
        """The entry of `ai_turns.tools`."""
        return {"key": self.key, "allowed": self.is_allowed, "rule": self.rule, "scope": self.scope,
                "config_path": self.config_path}  # fmt: skip


def _by_model(config: AssistantConfig, ruling: Permission) -> Permission:
    """The last word is the model's: what the configuration allows, it must be able to use. A follow-up only reads."""
    if ruling.is_allowed and config.only_reads and (ruling.changes or ruling.needs_approval):
        return replace(ruling, is_allowed=False, rule="follow_up_reads", config_path="follow_up_config")
    if not ruling.is_allowed or config.model_takes_tools:
        return ruling
    return replace(ruling, is_allowed=False, rule="no_tool_support", config_path="ai_model_id")


def _rule(config: AssistantConfig, key: ToolKey) -> Rule:
    switch, access = config.switch(key.key), config.access(key.entity)
    # The order is the order of explanation: what to switch on first comes first.
    if config.deleted_at is not None:
        return "deleted"
    if not switch.enabled:
        return "off"
    if not key.is_built:
        return "not_installed"
    if access == "none":
        return "access_none"
    if access == "read" and key.verb not in READING:
        return "access_read"
    if config.disable_reply and key.sends:
        return "disable_reply"
    return NEEDS_APPROVAL if switch.approval == "always" else ALLOWED


def permission(config: AssistantConfig, name: str) -> Permission:
    """The permission of one tool key, or of a system tool, under the configuration as it stands."""
    if name in SYSTEM_TOOLS:
        return _system_permission(config, SYSTEM_TOOLS[name])
    key = TOOL_KEYS.get(name)
    if key is None:
        return Permission(name, False, "unknown", "own", "internal_tools.tools", True)
    known = cast("Permission | None", config.rulings.get(name))
    if known is None:
        known = config.rulings[name] = _ruled(config, key)
    return known


def _ruled(config: AssistantConfig, key: ToolKey) -> Permission:
    name, rule = key.key, _rule(config, key)
    paths: Mapping[Rule, str] = {
        "access_none": f"access_permissions_{key.entity}",
        "access_read": f"access_permissions_{key.entity}",
        "disable_reply": "disable_reply",
        "deleted": "deleted_at",
        "needs_approval": f"internal_tools.tools.{name}.approval",
    }
    path = paths.get(rule, f"internal_tools.tools.{name}")
    return _by_model(config, Permission(name, rule in RUNS, rule, config.switch(name).scope, path, key.changes))


def api_tool_permission(config: AssistantConfig, api_tool_id: int, name: str) -> Permission:
    """The permission of one API tool, which is the assistant's entry for it and nothing else."""
    use, rule = config.api_tool(api_tool_id), ALLOWED
    if config.deleted_at is not None:
        rule = "deleted"
    elif use is None or not use.enabled:
        rule = "api_off"
    elif use.approval == "always":
        rule = NEEDS_APPROVAL
    path = "deleted_at" if rule == "deleted" else "api_tools"
    # It reaches nothing of ours, so it has no scope to speak of; whether it changes anything is said by its method.
    return _by_model(config, Permission(name, rule in RUNS, rule, "own", path, True))


def mcp_tool_permission(config: AssistantConfig, server_id: str, tool: str, name: str) -> Permission:
    """The permission of one tool of an MCP server, which is what the assistant's entry for it says."""
    use, rule = config.mcp_tool(server_id, tool), ALLOWED
    if config.deleted_at is not None:
        rule = "deleted"
    elif use is None or not use.enabled:
        rule = "mcp_off"
    elif use.approval == "always":
        rule = NEEDS_APPROVAL
    path = "deleted_at" if rule == "deleted" else "mcp_tools"
    return _by_model(config, Permission(name, rule in RUNS, rule, "own", path, True))


def _system_permission(config: AssistantConfig, tool: SystemTool) -> Permission:
    """What the configuration itself brings along has no switch and no scope of its own."""
    rule, path = ALLOWED, tool.config_path
    if config.deleted_at is not None:
        rule, path = "deleted", "deleted_at"
    elif not tool.is_on(config):
        rule = tool.rule
    elif config.disable_reply and tool.verb == "send":
        rule, path = "disable_reply", "disable_reply"
    return _by_model(config, Permission(tool.name, rule == "allowed", rule, "own", path, tool.verb not in READING))


def permissions(config: AssistantConfig) -> tuple[Permission, ...]:
    """All 94 keys in the order of the table: what is offered is what is allowed."""
    return tuple(permission(config, name) for name in TOOL_KEYS)


def offered(config: AssistantConfig) -> tuple[str, ...]:
    """The keys that the model gets to see."""
    return tuple(entry.key for entry in permissions(config) if entry.is_allowed)
