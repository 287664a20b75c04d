"""The permission table of an assistant: every tool, whether the model is offered it, and the rule that decided.

It asks `permissions.py`, as the offer and every call do, so that the three cannot tell different things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.mcp_offer import function_name
from frontdesk.assistants.mcp_secrets import places, with_values
from frontdesk.assistants.mcp_tools import McpServer
from frontdesk.assistants.permission_words import sentence_of
from frontdesk.assistants.permissions import (
    RUNS,
    SYSTEM_TOOLS,
    Permission,
    api_tool_permission,
    mcp_tool_permission,
    permission,
)
from frontdesk.assistants.tool_keys import READING, TOOL_KEYS, Verb
from frontdesk.assistants.web_search import WEB_SEARCH
from frontdesk.core.errors import Json

Row = dict[str, Json]


@dataclass(frozen=True, slots=True)
class ApiToolFacts:
    """What the table needs to know of an API tool that the assistant names."""

    function_name: str
    method: str
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides besides the record: the organization's API tools by id, and what the operator has set up."""

    api_tools: Mapping[int, ApiToolFacts] = field(default_factory=dict)
    has_search_engine: bool = True


def permission_table(config: AssistantConfig, around: Surroundings) -> list[Row]:
    """One row for each of the 94 keys, each system tool, each API tool and each MCP tool that the record names."""
    return [*_keys(config), *_system(config, around), *_api_tools(config, around), *_mcp_tools(config)]


def _keys(config: AssistantConfig) -> Iterator[Row]:
    for name, key in TOOL_KEYS.items():
        ruling = permission(config, name)
        entity = key.entity or key.area
        approval = config.switch(name).approval
        effect = _effect(key.verb)
        sentence = sentence_of(
            config.instructions_language, name, ruling.rule, effect=effect, reach=_reach(config, ruling.scope),
            entity=key.entity,
        )  # fmt: skip
        access: Json = {"field": f"access_permissions_{key.entity}", "value": config.access(key.entity)}
        yield _row(
            ruling, "internal", sentence, area=key.area, entities=[entity], verb=key.verb, effect=effect,
            access=access if key.entity else None, scope=ruling.scope, approval=approval,
        )  # fmt: skip


def _system(config: AssistantConfig, around: Surroundings) -> Iterator[Row]:
    for name, tool in SYSTEM_TOOLS.items():
        ruling, effect = permission(config, name), _effect(tool.verb)
        rule: str = ruling.rule
        if name == WEB_SEARCH and ruling.is_allowed and not around.has_search_engine:
            rule = "no_search_engine"
        sentence = sentence_of(config.instructions_language, name, rule, effect=effect, reach="none")
        yield _row(ruling, "system", sentence, rule=rule, area="system", verb=tool.verb, effect=effect)


def _api_tools(config: AssistantConfig, around: Surroundings) -> Iterator[Row]:
    for i, use in enumerate(config.api_tools.root):
        facts = around.api_tools.get(use.api_tool_id) or ApiToolFacts(f"api_{use.api_tool_id}", "POST", is_deleted=True)
        ruling = api_tool_permission(config, use.api_tool_id, facts.function_name)
        rule = "api_deleted" if facts.is_deleted else ruling.rule
        sentence = sentence_of(config.instructions_language, facts.function_name, rule, effect="api", reach="none")
        yield _row(
            ruling, "api", sentence, rule=rule, at=f"api_tools.{i}", verb="get" if facts.method == "GET" else "run",
            effect="reads" if facts.method == "GET" else "changes", approval=use.approval, id=use.api_tool_id,
        )  # fmt: skip


def _mcp_tools(config: AssistantConfig) -> Iterator[Row]:
    for i, server in enumerate(config.mcp_tools.root):
        for j, use in enumerate(server.tools):
            name = function_name(server, use.name)
            ruling = mcp_tool_permission(config, server.id, use.name, name)
            rule = "mcp_secret" if ruling.is_allowed and _lacks_secret(server) else ruling.rule
            sentence = sentence_of(
                config.instructions_language, name, rule, effect="mcp", reach="none", server=server.name
            )
            # What a tool of another server does is that server's to know, so it counts as a change.
            yield _row(
                ruling, "mcp", sentence, rule=rule, at=f"mcp_tools.{i}.tools.{j}", verb="run", effect="changes",
                approval=use.approval, id=server.id,
            )  # fmt: skip


def _lacks_secret(server: McpServer) -> bool:
    masks = {place.key: place.value for place in places(server.model_dump(mode="json")) if place.value is not None}
    return with_values(server, masks).missing is not None


def _row(
    ruling: Permission, kind: str, sentence: str, *, verb: Verb, effect: str, rule: str | None = None,
    area: str | None = None, entities: list[Json] | None = None, access: Json = None, scope: str | None = None,
    approval: str = "never", at: str | None = None, id: int | str | None = None,
) -> Row:  # fmt: skip
    """`at` is where the tool stands in a list of the record; a rule that names another field keeps that one."""
    path = ruling.config_path if at is None or ruling.config_path not in at.split(".") else at
    final = rule or ruling.rule
    return {
        "tool": ruling.key, "kind": kind, "id": id, "area": area or kind, "entities": entities or [],
        "verb": verb, "effect": effect, "access": access, "scope": scope, "approval": approval,
        "allowed": final in RUNS, "rule": final, "config_path": path, "sentence": sentence,
    }  # fmt: skip


def _effect(verb: Verb) -> str:
    return "reads" if verb in READING else "sends" if verb == "send" else "changes"


def _reach(config: AssistantConfig, scope: str) -> str:
    # In the chat of the team the rights of the person who asks bound what the assistant reaches.
    return "asker" if scope == "organization" and config.assistant_type == "ai-chat" else scope
