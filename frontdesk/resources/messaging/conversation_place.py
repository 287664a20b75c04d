"""Where a conversation stands in a pipeline: a stage brings its pipeline, and neither stands without the other."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.database import Connection
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Plain

PLACE = ("pipeline_id", "pipeline_stage_id")
# The locks keep stage and pipeline alive until the conversation stands in them.
STAGES = """
    SELECT p.id AS pipeline_id, s.id AS pipeline_stage_id
    FROM pipelines p
    JOIN pipeline_stages s ON s.organization_id = p.organization_id AND s.pipeline_id = p.id AND s.deleted_at IS NULL
    WHERE p.organization_id = $1 AND p.entity = 'conversations' AND p.deleted_at IS NULL
        AND ($2::bigint IS NULL OR p.id = $2) AND ($3::bigint IS NULL OR s.id = $3)
    ORDER BY s.position, s.id LIMIT 1 FOR KEY SHARE OF p, s
"""


async def place(
    connection: Connection, organization_id: int, given: Mapping[str, Plain], before: Mapping[str, object] | None = None
) -> dict[str, Plain]:
    """Pipeline and stage that `given` leads to; nothing where it names neither.

    A pipeline alone means its first stage, unless the conversation stands in it already; one of them emptied empties
    both. Raises `Invalid` that names the field.
    """
    pipeline_id, stage_id = (given.get(name) for name in PLACE)
    if pipeline_id is None and stage_id is None:
        return dict.fromkeys(PLACE) if any(name in given for name in PLACE) else {}
    if None in (given.get(name, 0) for name in PLACE):
        raise Invalid([Fault("pipeline_stage_id", "reference", "and pipeline_id are emptied together")])
    if stage_id is None and before is not None and before["pipeline_id"] == pipeline_id:
        return {}
    found = await connection.fetchrow(STAGES, organization_id, pipeline_id, stage_id)
    if found is None:
        raise Invalid([_misplaced(pipeline_id, stage_id)])
    return dict(found)


def _misplaced(pipeline_id: object, stage_id: object) -> Fault:
    if stage_id is None:
        return Fault("pipeline_id", "reference", "names no pipeline with stages for conversations")
    message = f"is no stage of pipeline {pipeline_id}" if pipeline_id else "is no stage of a pipeline for conversations"
    return Fault("pipeline_stage_id", "reference", message)
