"""`POST /ai-assistants-restore-from-changes-history`: an assistant as it was, as a new version of what it is.

It goes through the PATCH of the assistant, so that everything that holds for a change holds for it: rights, checks,
warnings, `If-Match`, history and events. Secrets are in no snapshot; those of today stay where they still belong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from frontdesk.assistants.model_key import FIELD, ModelFacts
from frontdesk.assistants.modes import MODE_FIELDS
from frontdesk.assistants.record import DEFAULTS
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json, NotFound
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

from .ai_assistant_versions import write_skill_version
from .ai_assistants import ai_assistants
from .mcp_servers import restored_mcp
from .model_references import restored_fallbacks
from .skill_restoring import restore_skills
from .voice_settings import restore_warnings, restored_settings

_ENTRY = """
    SELECT ai_assistant_id, snapshot::text AS snapshot FROM ai_assistant_versions WHERE organization_id = $1 AND id = $2
"""
# First of all, so that of two restores at once one waits, and then sees what the other one made.
_LOCK = """
    SELECT version, ai_model_id, specific_key_origin FROM ai_assistants
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
"""
_MODEL = """
    SELECT provider, base_url, organization_id IS NULL AS is_installation FROM ai_models
    WHERE (organization_id = $1 OR organization_id IS NULL) AND id = $2 AND deleted_at IS NULL
"""
_MARK = """
    UPDATE ai_assistant_versions SET restored_from_id = $4, changed_fields = ARRAY(
        SELECT DISTINCT unnest(changed_fields || $5::text[]) ORDER BY 1)
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version = $3
"""
PARTS = ("all", "instructions")


@dataclass(frozen=True, slots=True)
class Plan:
    """The body of the PATCH, and what could not be as it was."""

    fields: dict[str, Json]
    warnings: list[Json]


async def _restore(call: Call) -> Json:
    entry_id, is_whole = cast(int, call.data["change_history_id"]), call.data["restore"] == "all"
    entry = await call.connection.fetchrow(_ENTRY, call.organization_id, entry_id)
    if entry is None:
        raise Invalid([Fault("change_history_id", "reference", "names no entry of the history", id=entry_id)])
    assistant_id, snapshot = entry["ai_assistant_id"], cast("dict[str, Json]", json.loads(entry["snapshot"]))
    if call.data.get("ai_assistant_id") not in (None, assistant_id):
        raise Invalid([Fault("ai_assistant_id", "reference", "is not the assistant of that entry")])
    now = await call.connection.fetchrow(_LOCK, call.organization_id, assistant_id)
    if now is None:
        raise NotFound(f"No record found for id '{assistant_id}' in 'ai-assistants'.")
    plan = await _plan(call, snapshot, dict(now)) if is_whole else Plan(_texts(snapshot), [])
    if is_whole:
        servers = await restored_mcp(call, assistant_id, snapshot.get("mcp_tools"))
        plan.fields.update(servers.columns)
        plan.warnings.extend(servers.warnings)
        spoken = await restored_settings(call, assistant_id, snapshot)
        plan.fields.update(spoken.columns)
        plan.warnings.extend(restore_warnings(spoken, snapshot))
    skills = cast("list[dict[str, Json]] | None", snapshot.get("skills")) if is_whole else None
    has_other_skills = skills is not None and await restore_skills(call, assistant_id, skills)
    done = await call.call("ai-assistants", "patch", id=assistant_id, data=plan.fields, if_match=call.if_match)
    if has_other_skills and done.version == now["version"]:
        await write_skill_version(call, assistant_id)
    record = (await call.call("ai-assistants", "get", id=assistant_id)).value
    if record["version"] != now["version"]:
        also = ["skills"] if has_other_skills else []
        await call.connection.execute(_MARK, call.organization_id, assistant_id, record["version"], entry_id, also)
    return {**record, "warnings": [*plan.warnings, *cast("list[Json]", done.value.get("warnings", []))]}


def _texts(snapshot: Mapping[str, Json]) -> dict[str, Json]:
    """The text in force, with the mode and the form that it came from: without them it would not stay."""
    return {name: snapshot[name] for name in MODE_FIELDS if name in snapshot}


async def _plan(call: Call, snapshot: Mapping[str, Json], now: Mapping[str, object]) -> Plan:
    """All fields as they were; one that there was not yet gets its default."""
    names = [
        f.name for f in ai_assistants.fields if f.write == "always" and f.name != FIELD and f.name != "assistant_type"
    ]
    fields = {name: snapshot.get(name, DEFAULTS.get(name)) for name in names if name in snapshot or name in DEFAULTS}
    warnings: list[Json] = []
    model = await _model(call, fields.get("ai_model_id"))
    if model is None:
        # The connection fits a model, so both stay as they are.
        fields.pop("ai_model_id", None)
        fields.pop("connection", None)
        if "ai_model_id" in snapshot:
            warnings.append(
                _warning("ai_model_id", "model_deleted", "The model of then is gone; the model stays as it is.")
            )
        model = await _model(call, now["ai_model_id"])
    own = fields.get("ai_model_id", now["ai_model_id"])
    fields["advanced_options"], gone = await restored_fallbacks(call, fields.get("advanced_options"), own)
    warnings += gone
    stored_for = now["specific_key_origin"]
    if stored_for is not None and (model is None or model.origin != stored_for):
        fields[FIELD] = None
        message = "The stored key belongs to another address than the restored model's and was removed; enter it again."
        warnings.append(_warning(FIELD, "secret_dropped", message))
    return Plan(fields, warnings)


async def _model(call: Call, id: object) -> ModelFacts | None:
    row = None if id is None else await call.connection.fetchrow(_MODEL, call.organization_id, id)
    return None if row is None else ModelFacts(row["provider"], row["base_url"], row["is_installation"])


def _warning(field: str, code: str, message: str) -> Json:
    return {"field": field, "code": code, "message": message}


ai_assistants_restore = Resource(
    path="ai-assistants-restore-from-changes-history",
    singular="restore",
    area="assistants",
    description="Brings an assistant back to an entry of its history, as a new version; answers with the record. "
    "`If-Match` may carry the version that the assistant has now. Secrets stay as they are today; one that belongs to "
    "another address than what is restored is removed, with a warning.",
    of="ai-assistants",
    verbs=("create",),
    rights=Rights(write=Role.admin),
    fields=tuple(replace(f, write="never", is_required=False, default=None) for f in ai_assistants.fields),
    is_told=False,
    extra_input=(
        Field(
            "change_history_id", "integer", is_required=True, is_nullable=False, example=1,
            references="ai-assistants-change-history", description="The entry to go back to.",
        ),
        Field("ai_assistant_id", "integer", description="If sent, it must be the assistant of that entry."),
        Field(
            "restore", is_nullable=False, default="all", choices=PARTS,
            description="`all`: every field and the skills. `instructions`: the text, with mode, form and language.",
        ),
    ),
    handlers={"create": _restore},
)  # fmt: skip
