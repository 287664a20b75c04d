"""Where the values of `additional_json_keys` are kept: looked up when the assistant is saved, warned about, no more."""

from __future__ import annotations

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.json_saving import PATHS, saving_warnings
from frontdesk.core.custom_values import definitions_of
from frontdesk.core.door import Call
from frontdesk.core.errors import Json


async def look_at_saving(call: Call, config: AssistantConfig) -> list[Json]:
    """Warnings about custom fields that are not there, cannot keep the value, or are out of the assistant's reach."""
    entities = {one.save_to.entity for one in config.json_keys.root if one.save_to is not None}
    found = {
        entity: await definitions_of(call.connection, call.organization_id, PATHS[entity])
        for entity in sorted(entities)
    }  # fmt: skip
    return list(saving_warnings(config, found))
