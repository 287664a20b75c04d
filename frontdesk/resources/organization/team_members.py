"""Team members: which user is in which team. A user must be a member of the organization."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.joins import joined
from frontdesk.core.resource import Resource, Rights

team_members = Resource(
    path="team-members",
    singular="team member",
    area="organization",
    description="One user of one team.",
    rights=Rights(write=Role.admin),
    verbs=("find", "get", "create", "remove"),
    is_soft_deleted=False,
    fields=(
        Field(
            "team_id", "integer", is_required=True, is_nullable=False, references="teams", on_remove="remove",
            write="create", example=1,
        ),
        Field(
            "user_id", "integer", is_required=True, is_nullable=False, references="users", is_global_reference=True,
            write="create", example=1,
        ),
    ),
    joins={"user": joined("users", "user_id", "id", "email", "first_name", "last_name")},
    unique=(("team_id", "user_id"),),
)  # fmt: skip
