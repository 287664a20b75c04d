"""Assistants: the record that says how the next answer comes. A change is one version with one snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from frontdesk.assistants import voice_key
from frontdesk.assistants.api_tools import api_tool_warnings, reference_faults
from frontdesk.assistants.config import (
    ACCESS,
    ASSISTANT_TYPES,
    CONNECTIONS,
    LANGUAGES,
    MAX_INSTRUCTIONS,
    SECTIONS,
    AssistantConfig,
    config_of,
)
from frontdesk.assistants.config_warnings import warnings_of
from frontdesk.assistants.model_key import FIELD, KeyChange, ModelFacts, change_key, check_connection, unchanged_key
from frontdesk.assistants.modes import MODE_FIELDS, change_mode, mode_of
from frontdesk.assistants.record import DEFAULTS, changed_fields, changes, difference, settled
from frontdesk.assistants.section import json_schema
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

from . import voice_settings as voice
from .ai_assistant_versions import snapshots, write_version
from .follow_up_references import look_at_follow_ups
from .handoff_references import look_at_handoffs
from .limits import look_at_limits
from .mcp_servers import SEALED, settle_mcp
from .model_references import look_at_models
from .saved_values import look_at_saving

_KEPT = """
    SELECT kept_instructions, kept_easy_mode_config::text AS kept_easy_mode_config, specific_key_origin,
        mcp_secrets_sealed::text AS mcp_secrets_sealed, voice_key_sealed
    FROM ai_assistants WHERE organization_id = $1 AND id = $2
"""
_MODEL = """
    SELECT provider, base_url, organization_id IS NULL AS is_installation
    FROM ai_models WHERE (organization_id = $1 OR organization_id IS NULL) AND id = $2
"""
_API_TOOLS = "SELECT id, name, deleted_at IS NOT NULL FROM api_tools WHERE organization_id = $1 AND id = ANY($2)"

_IDENTITY: dict[str, Json] = {"id": 0, "version": 1, "deleted_at": None}


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        return
    before = await _stored(call) if call.before is not None else None
    given = {name: value for name, value in call.data.items() if name in call.body}
    sent = settled(cast("Mapping[str, Json]", given), before)
    values = {name: value for name, value in sent.items() if name != FIELD}
    if before is None or any(name in sent for name in MODE_FIELDS):
        values |= change_mode(sent, mode_of(before) if before else None).columns
    # The secrets of servers end here: what goes on has their masks.
    servers = settle_mcp(call, sent, before)
    values |= servers.columns
    spoken = voice.settle(call, sent, before)
    values |= spoken.columns
    merged = {**(before or DEFAULTS), **values}
    key = await _settle_key(call, sent, before, merged)
    merged |= key.columns
    config = config_of({**_IDENTITY, "organization_id": call.organization_id, **merged})
    has_key = merged.get(FIELD) is not None
    call.extra["warnings"] = [
        *warnings_of(config, key, has_key=has_key, now=call.door.clock.now()),
        *await _look_at_api_tools(call, config),
        *await look_at_limits(call, config),
        *await look_at_models(call, config, sent, merged),
        *await look_at_handoffs(call, config),
        *await look_at_follow_ups(call, config),
        *await look_at_saving(call, config),
        *servers.warnings,
        *await voice.voice_record_warnings(call, spoken, merged.get(voice.ACTING)),
    ]
    # What is sent as it is stored changes nothing: no version, no snapshot.
    call.data = dict(changes(values | key.columns, before) if before else merged)


async def _look_at_api_tools(call: Call, config: AssistantConfig) -> list[Json]:
    """Warnings about the API tools that are named. Raises `Invalid` for one that never was."""
    ids = [use.api_tool_id for use in config.api_tools.root]
    if not ids:
        return []
    rows = await call.connection.fetch(_API_TOOLS, call.organization_id, ids)
    if wrong := reference_faults(config.api_tools, {row[0]: row[1] for row in rows}):
        raise Invalid(wrong)
    return list(api_tool_warnings(config.api_tools, {row[0]: row[1] for row in rows if row[2]}))


async def _stored(call: Call) -> dict[str, Json]:
    """The row as a client reads it, and the columns that no client reads."""
    row = await call.connection.fetchrow(_KEPT, call.organization_id, call.id)
    assert call.before is not None
    assert row is not None
    parsed = {name: json.loads(row[name]) if row[name] else None for name in ("kept_easy_mode_config", SEALED)}
    return {**call.before, **dict(row), **parsed}


async def _settle_key(
    call: Call, sent: Mapping[str, Json], before: Mapping[str, Json] | None, merged: Mapping[str, Json]
) -> KeyChange:
    row = await call.connection.fetchrow(_MODEL, call.organization_id, merged["ai_model_id"])
    if row is None:
        raise Invalid([Fault("ai_model_id", "reference", "names no model that exists")])
    model = ModelFacts(row["provider"], row["base_url"], row["is_installation"])
    if "connection" in sent or "ai_model_id" in sent:
        check_connection(merged["connection"], model)
    stored = None
    if before is not None and before[FIELD] is not None:
        stored = (str(before[FIELD]), str(before["specific_key_origin"]))
    if FIELD not in sent:
        return unchanged_key(stored, model)

    def seal(secret: str, origin: str) -> str:
        return call.door.vault.seal(secret, origin)

    return change_key(cast("str | None", sent[FIELD]), stored, model, seal, is_new=before is None)


async def _finish(call: Call) -> None:
    if call.answer is None or not (call.data or call.verb == "remove"):
        return
    names = ["deleted_at"] if call.verb == "remove" else changed_fields(cast("Mapping[str, Json]", call.data))
    assert call.answer.id is not None
    await write_version(call, call.answer.id, names)


async def _stale(call: Call, expected: int) -> dict[str, Json]:
    """What somebody else changed since the version that the client knows, with both values."""
    pair = await snapshots(call, expected)
    differing = difference(*pair) if pair else {}
    return {"changed_fields": list(differing), "changes": differing}


def _section(name: str, description: str) -> Field:
    return Field(name, "json", default=DEFAULTS.get(name), schema=json_schema(SECTIONS[name]), description=description)


def _choice(name: str, choices: tuple[str, ...], description: str = "") -> Field:
    return Field(name, default=str(DEFAULTS[name]), choices=choices, description=description)


def _flag(name: str, description: str) -> Field:
    return Field(name, "boolean", default=False, description=description)


ai_assistants = Resource(
    path="ai-assistants",
    singular="assistant",
    area="assistants",
    description="Assistants and how they answer. A PATCH replaces each field that it names; null is the default.",
    rights=Rights(write=Role.admin),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Reception"),
        Field("assistant_type", is_required=True, is_nullable=False, choices=ASSISTANT_TYPES, example="conversation"),
        Field(
            "ai_model_id", "integer", is_required=True, is_nullable=False, references="ai-models",
            is_global_reference=True, on_remove="refuse", example=1,
        ),
        _choice("connection", CONNECTIONS, "Whose provider key: the installation's, the organization's, or its own."),
        Field(FIELD, max_length=1000, description="Stored encrypted, read as a mask; for connection specific."),
        Field("timezone", default="UTC", max_length=64, description="IANA name.", example="America/Bogota"),
        Field("instructions", default="", max_length=MAX_INSTRUCTIONS, example="You are the receptionist of …"),
        _choice("instructions_language", LANGUAGES),
        _flag("is_easy_mode", "Guided mode: the server writes `instructions` from `easy_mode_config`."),
        _section("easy_mode_config", "The form of guided mode; null in advanced mode."),
        _section("internal_tools", "Which tools the assistant may use."),
        _section("api_tools", "Which API tools (`/api-tools`) the assistant may call, and when."),
        _section(
            "mcp_tools", "MCP servers, and which of their tools the assistant may call. Secrets are read as masks."
        ),
        _choice("access_permissions_contact", ACCESS),
        _choice("access_permissions_deals", ACCESS),
        _choice("access_permissions_customer_support", ACCESS),
        _section("access_permissions_automations", "Which automations the assistant may start, and when."),
        _section("human_handoff_config", "When a conversation goes to a person, to whom, and how it comes back."),
        _section("ai_assistant_handoff_config", "To which other assistants a conversation may be passed on, and when."),
        _section("follow_up_config", "When the assistant writes once more to a customer who does not answer."),
        _section("schedule_config", "Working hours in `timezone`, and what happens outside of them."),
        _flag("disable_reply", "Silent mode: analysis goes on, nothing is sent."),
        _section("response_config", "The answer in one message or in several."),
        _flag("enable_message_burst_handling", "Messages in quick succession are answered together."),
        _flag("analyze_images", "The model sees the customer's latest images, if it is one that can."),
        _flag("can_send_images", "The assistant may send pictures of products, files and images that its tools found."),
        _section("additional_json_keys", "Values that the model gives beside its reply, and where each is kept."),
        _section("advanced_options", "Model, memory, limits of the tool loop, burst window, web search, spending."),
        _section("external_handoff_targets", "Voice: numbers and SIP addresses to which a call may be passed on."),
        _section(voice_key.FIELD, "Voice: runtime, provider and voice. `voice_api_key` is read as a mask."),
        Field(
            voice.ACTING, "integer", references="users", is_global_reference=True,
            description="Voice: the member in whose name calls write; null is the assistant's creator.",
        ),
        Field("kept_instructions", write="never", is_shown=False, max_length=MAX_INSTRUCTIONS),
        Field("kept_easy_mode_config", "json", write="never", is_shown=False),
        Field("specific_key_sealed", write="never", is_shown=False),
        Field("specific_key_origin", write="never", is_shown=False),
        Field(SEALED, "json", write="never", is_shown=False),
        Field(voice_key.SEALED, write="never", is_shown=False),
    ),
    prepare=_prepare,
    finish=_finish,
    stale=_stale,
)  # fmt: skip
