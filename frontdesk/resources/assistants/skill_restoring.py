"""The skills of an assistant as a snapshot has them, each under the id that it had."""

from __future__ import annotations

import json
from collections.abc import Sequence

from frontdesk.core.door import Call
from frontdesk.core.errors import Json
from frontdesk.core.events import emit

_WANTED = "jsonb_to_recordset($3::jsonb) AS w(id bigint, name text, when_to_use text, content text)"
# All that is not as it was goes first, so that two skills that have swapped their names do not meet.
_TAKE_AWAY = f"""
    UPDATE ai_assistant_skills s SET deleted_at = $4, updated_at = $4, version = version + 1
    WHERE s.organization_id = $1 AND s.assistant_id = $2 AND s.deleted_at IS NULL AND NOT EXISTS (
        SELECT FROM {_WANTED}
        WHERE w.id = s.id AND (w.name, w.when_to_use, w.content) = (s.name, s.when_to_use, s.content))
    RETURNING s.id
"""
_BRING_BACK = f"""
    UPDATE ai_assistant_skills s SET name = w.name, when_to_use = w.when_to_use, content = w.content,
        deleted_at = NULL, updated_at = $4, version = s.version + 1
    FROM {_WANTED}
    WHERE s.organization_id = $1 AND s.assistant_id = $2 AND s.id = w.id AND s.deleted_at IS NOT NULL
    RETURNING s.id
"""
PATH = "ai-assistant-skills"


async def restore_skills(call: Call, assistant_id: int, skills: Sequence[dict[str, Json]]) -> bool:
    """Whether anything had to change. The caller holds the assistant's row, as every change of a skill does."""
    connection, org = call.connection, call.organization_id
    values = (org, assistant_id, json.dumps(list(skills)), call.door.clock.now())
    taken = {row[0] for row in await connection.fetch(_TAKE_AWAY, *values)}
    back = {row[0] for row in await connection.fetch(_BRING_BACK, *values)}
    await emit(connection, org, PATH, "deleted", *sorted(taken - back))
    await emit(connection, org, PATH, "updated", *sorted(taken & back))
    await emit(connection, org, PATH, "created", *sorted(back - taken))
    return bool(taken or back)
