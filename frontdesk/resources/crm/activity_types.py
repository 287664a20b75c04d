"""Activity types: the kinds of activity that an organization plans. An activity names one by its key."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_color
from frontdesk.core.resource import Own, Resource, Rights

from .names import check_key, check_name, key_from

TAKEN = "SELECT key FROM activity_types WHERE organization_id = $1 AND deleted_at IS NULL"
LOCK = "SELECT pg_advisory_xact_lock(hashtext('activity-types'), $1)"


async def _add_key(call: Call) -> None:
    if call.verb == "create" and call.data.get("key") is None:
        # Two made at once would read the same keys as taken.
        await call.connection.execute(LOCK, call.organization_id)
        rows = await call.connection.fetch(TAKEN, call.organization_id)
        call.data["key"] = key_from(str(call.data["name"]), {row["key"] for row in rows}, "type")


activity_types = Resource(
    path="activity-types",
    singular="activity type",
    area="crm",
    description="Kinds of activity. Those that have one of a deleted type keep its key.",
    rights=Rights(write=Role.admin),
    own=Own(is_public=True),
    fields=(
        Field(
            "name", is_required=True, is_nullable=False, max_length=60, check=check_name, is_searched=True,
            example="Customer Training",
        ),
        Field(
            "key", is_nullable=False, write="create", check=check_key,
            description="What `activity_type` of an activity says; fixed; made from the name when left out.",
        ),
        Field("color", is_nullable=False, default="#6B7280", check=check_color, example="#4F46E5"),
        Field("icon_key", max_length=60, example="graduation-cap", description="Name of an icon of Lucide."),
    ),
    unique=(("key",), ("name",)),
    default_sort=(("id", 1),),
    prepare=_add_key,
)  # fmt: skip
