"""What every organization begins with: a pipeline for deals, its currency, and the usual kinds of activity."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.caller import Caller
from frontdesk.core.database import Connection
from frontdesk.core.door import Answer, Door
from frontdesk.core.errors import Json

CURRENCY = "SELECT currency FROM organizations WHERE id = $1"
PIPELINE = "Sales"
STAGES = ("New", "Qualified", "Proposal", "Negotiation")  # won and lost are a deal's status, not stages
ACTIVITY_TYPES: tuple[Mapping[str, Json], ...] = (
    {"name": "Call", "color": "#10B981", "icon_key": "phone"},
    {"name": "Email", "color": "#3B82F6", "icon_key": "mail"},
    {"name": "Meeting", "color": "#F59E0B", "icon_key": "users"},
    {"name": "Task", "color": "#8B5CF6", "icon_key": "square-check"},
)


async def add_starting_rows(door: Door, caller: Caller, tx: Connection) -> None:
    """Furnish a new organization, in the transaction that makes it. `caller` is at least an admin of it."""

    async def create(path: str, data: Mapping[str, Json]) -> Answer:
        return await door.call(caller, path, "create", data=data, tx=tx)

    pipeline = await create("pipelines", {"name": PIPELINE, "entity": "deals"})
    for name in STAGES:
        await create("pipeline-stages", {"name": name, "pipeline_id": pipeline.id})
    # The organization's own currency becomes the default by being added.
    await create("currencies", {"code": await tx.fetchval(CURRENCY, caller.organization_id)})
    if "activity-types" in {resource.path for resource in door.registry}:
        for row in ACTIVITY_TYPES:
            await create("activity-types", row)
