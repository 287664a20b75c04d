"""The templates that follow-ups name: what never was is refused, what is gone is told."""

from __future__ import annotations

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.follow_up_warnings import (
    approval_warnings,
    template_faults,
    template_warnings,
    value_warnings,
)
from frontdesk.core.door import Call
from frontdesk.core.errors import Invalid, Json

TEMPLATES = """
    SELECT id, deleted_at IS NOT NULL AS is_deleted, status, variables FROM whatsapp_templates
    WHERE organization_id = $1 AND id = ANY($2)
"""


async def look_at_follow_ups(call: Call, config: AssistantConfig) -> list[Json]:
    """Warnings about the templates. Raises `Invalid` for one that is not the organization's."""
    ids = [rule.template_id for rule in config.follow_up.rules if rule.template_id is not None]
    if not ids:
        return []
    rows = await call.connection.fetch(TEMPLATES, call.organization_id, ids)
    known = {row["id"]: row["is_deleted"] for row in rows}
    if wrong := [*template_faults(config, known)]:
        raise Invalid(wrong)
    live = {row["id"]: row for row in rows if not row["is_deleted"]}
    needs = {id: row["variables"] or [] for id, row in live.items()}
    return [
        *template_warnings(config, known),
        *value_warnings(config, needs),
        *approval_warnings(config, {id: row["status"] for id, row in live.items()}),
    ]
