"""`/ai-assistants/:id/permissions`: what an assistant may do, by which rule; with a draft, what a change would give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from sqlalchemy import ColumnElement, FromClause, true

from frontdesk.assistants.config import AssistantConfig, config_of
from frontdesk.assistants.permission_table import ApiToolFacts, Surroundings, permission_table
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Fault, Invalid, Json, NotFound
from frontdesk.core.fields import Field
from frontdesk.core.resource import Filter, Resource, Rights

from .ai_assistants import ai_assistants

PATH = "ai-assistants-permissions"
VERSION = "version"
_CURRENT = """
    SELECT a.*, (SELECT json_agg(json_build_object('id', s.id, 'name', s.name, 'when_to_use', s.when_to_use)
        ORDER BY s.id) FROM ai_assistant_skills s
        WHERE s.organization_id = a.organization_id AND s.assistant_id = a.id AND s.deleted_at IS NULL) AS skills
    FROM ai_assistants a WHERE a.organization_id = $1 AND a.id = $2 AND a.deleted_at IS NULL
"""
_SNAPSHOT = """
    SELECT snapshot::text FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version = $3
"""
_API_TOOLS = """
    SELECT id, function_name, method, deleted_at IS NOT NULL AS is_deleted FROM api_tools
    WHERE organization_id = $1 AND id = ANY($2)
"""
_TAKES_TOOLS = """
    SELECT supports_tools FROM ai_models WHERE (organization_id = $1 OR organization_id IS NULL) AND id = $2
"""


class _Undone(Exception):
    """Takes a draft back: it was made only to be looked at."""


async def _get(call: Call) -> Json:
    config = await _current(call)
    if call.query.where == (("$filter", VERSION),):
        config = await _earlier(call, cast(int, call.query.values[0]))
    elif call.query.where:
        raise BadRequest(f"The table takes {VERSION} and $select only.")
    table = await _table(call, config)
    names = call.query.select
    return {name: value for name, value in table.items() if names is None or name in names}


async def _draft(call: Call) -> Json:
    """The table as it would be after a PATCH with this body, which is made with all its checks and taken back."""
    await _current(call)
    given = {name: call.body[name] for name in call.data if name in call.body}
    answer: dict[str, Json] = {}
    try:
        async with call.connection.transaction():
            done = await call.call("ai-assistants", "patch", id=call.id, data=given)
            table = await _table(call, await _current(call))
            answer = {**table, "is_draft": True, "warnings": done.value.get("warnings", [])}
            raise _Undone
    except _Undone:
        return answer


async def _current(call: Call) -> AssistantConfig:
    row = await call.connection.fetchrow(_CURRENT, call.organization_id, call.id)
    if row is None:
        raise NotFound(f"No record found for id '{call.id}' in 'ai-assistants'.")
    return config_of(dict(row))


async def _earlier(call: Call, version: int) -> AssistantConfig:
    text = await call.connection.fetchval(_SNAPSHOT, call.organization_id, call.id, version)
    if text is None:
        raise Invalid([Fault(VERSION, "reference", "names no version of this assistant", version=version)])
    return config_of({**json.loads(text), "deleted_at": None})


async def _table(call: Call, config: AssistantConfig) -> dict[str, Json]:
    ids = [use.api_tool_id for use in config.api_tools.root]
    rows = await call.connection.fetch(_API_TOOLS, call.organization_id, ids) if ids else []
    tools = {row["id"]: ApiToolFacts(row["function_name"], row["method"], row["is_deleted"]) for row in rows}
    takes_tools = await call.connection.fetchval(_TAKES_TOOLS, call.organization_id, config.ai_model_id)
    config = replace(config, model_takes_tools=takes_tools is not False)
    table = permission_table(config, Surroundings(tools, call.door.search_engine is not None))
    return {
        "ai_assistant_id": config.id, "version": config.version, "assistant_type": config.assistant_type,
        "language": config.instructions_language, "is_draft": False,
        "offered": [row["tool"] for row in table if row["allowed"]], "tools": cast(Json, table), "warnings": [],
    }  # fmt: skip


def _is_asked(table: FromClause, value: ColumnElement[object]) -> ColumnElement[bool]:
    return true()


def _out(name: str, kind: str, description: str = "", **schema: Json) -> Field:
    return Field(name, kind, write="never", is_nullable=False, description=description, schema=schema)


_TEXTS: Mapping[str, Json] = {"type": "array", "items": {"type": "string"}}
ROW_SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "tool": {"type": "string", "description": "The name that the model calls."},
        "kind": {"type": "string", "enum": ["internal", "system", "api", "mcp"]},
        "id": {"type": ["integer", "string", "null"], "description": "Of an API tool, or of an MCP server."},
        "area": {"type": "string"},
        "entities": dict(_TEXTS),
        "verb": {"type": "string", "enum": ["find", "get", "create", "update", "send", "run"]},
        "effect": {"type": "string", "enum": ["reads", "changes", "sends"]},
        "access": {"type": ["object", "null"], "description": "The field that rules the entity, and its value."},
        "scope": {"type": ["string", "null"], "enum": ["own", "organization", None]},
        "approval": {"type": "string", "enum": ["never", "always"]},
        "allowed": {"type": "boolean"},
        "rule": {"type": "string"},
        "config_path": {"type": "string", "description": "Where the rule that decided stands."},
        "sentence": {"type": "string"},
    },
}

ai_assistants_permissions = Resource(
    path=PATH,
    singular="permission table",
    area="assistants",
    description="What an assistant may do: every tool, whether the model is offered it, and the rule that decided. "
    "A POST takes what a PATCH takes and answers with the table as it would be; nothing is stored.",
    under="ai-assistants",
    verbs=("get", "create"),
    rights=Rights(write=Role.admin),
    is_stored=False,
    is_told=False,
    fields=(
        _out("ai_assistant_id", "integer"),
        _out(VERSION, "small", "The version that the table is of; of a draft, the one that it would be."),
        _out("assistant_type", "text"),
        _out("language", "text", "That of the sentences: the assistant's `instructions_language`."),
        _out("is_draft", "boolean"),
        _out("offered", "json", "The names of all tools that are allowed.", **_TEXTS),
        _out("tools", "json", "One row for each tool.", type="array", items=ROW_SCHEMA),
        _out("warnings", "json", "Of a draft: those that saving it would give.", type="array"),
    ),
    extra_input=tuple(
        replace(f, is_required=False, default=None, example=None, references=None, on_remove="keep", is_searched=False)
        for f in ai_assistants.fields
        if f.write == "always"
    ),
    filters={VERSION: Filter("integer", _is_asked, "A version that the assistant had, in place of the current one.")},
    handlers={"get": _get, "create": _draft},
)  # fmt: skip
