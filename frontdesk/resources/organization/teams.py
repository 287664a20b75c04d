"""Teams: groups of the organization's users. Who is in which is in `team_members.py`."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.joins import listed
from frontdesk.core.resource import Resource, Rights

teams = Resource(
    path="teams",
    singular="team",
    area="organization",
    description="Groups of users, for assigning work.",
    rights=Rights(write=Role.admin),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=120, is_searched=True, example="Front office"),
        Field("description", max_length=1000),
    ),
    joins={"members": listed("team-members", "team_id", "id", "user_id")},
    unique=(("name",),),
    default_sort=(("name", 1),),
)
