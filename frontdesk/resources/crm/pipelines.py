"""Pipelines: the ways that deals or conversations go, each through stages of its own."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.joins import listed
from frontdesk.core.resource import Own, Resource, Rights

LAST = "SELECT max(position) FROM pipelines WHERE organization_id = $1 AND entity = $2 AND deleted_at IS NULL"


async def _put_last(call: Call) -> None:
    if call.verb == "create" and "position" not in call.data:
        last = await call.connection.fetchval(LAST, call.organization_id, call.data["entity"])
        call.data["position"] = (last or 0) + 1


pipelines = Resource(
    path="pipelines",
    singular="pipeline",
    area="crm",
    description="Ways that deals or conversations go, each through stages of its own.",
    rights=Rights(write=Role.admin),
    own=Own(is_public=True),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=120, example="Sales"),
        Field("entity", is_nullable=False, default="deals", choices=("deals", "conversations"), write="create"),
        Field("position", "small", is_nullable=False, minimum=0, description="The order; a new one comes last."),
    ),
    joins={"stages": listed("pipeline-stages", "pipeline_id", "id", "name", "position", order="position")},
    unique=(("entity", "name"),),
    default_sort=(("entity", -1), ("position", 1)),
    prepare=_put_last,
)
