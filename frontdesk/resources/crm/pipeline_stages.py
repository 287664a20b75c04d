"""Stages of a pipeline, in their order. One that live deals or conversations stand in cannot be deleted."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.resource import Own, Resource, Rights

LAST = """
    SELECT max(position) FROM pipeline_stages WHERE organization_id = $1 AND pipeline_id = $2 AND deleted_at IS NULL
"""


async def _put_last(call: Call) -> None:
    if call.verb == "create" and "position" not in call.data:
        last = await call.connection.fetchval(LAST, call.organization_id, call.data["pipeline_id"])
        call.data["position"] = (last or 0) + 1


pipeline_stages = Resource(
    path="pipeline-stages",
    singular="pipeline stage",
    area="crm",
    description="Stages of a pipeline, in their order.",
    rights=Rights(write=Role.admin),
    own=Own(is_public=True),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=120, example="Proposal"),
        Field(
            "pipeline_id", "integer", is_required=True, is_nullable=False, references="pipelines", on_remove="remove",
            write="create",
        ),
        Field("position", "small", is_nullable=False, minimum=0, description="The order; a new one comes last."),
    ),
    unique=(("pipeline_id", "name"),),
    default_sort=(("pipeline_id", 1), ("position", 1)),
    prepare=_put_last,
)  # fmt: skip
