"""Tags: short labels for contacts. Which contact has which is in `contact_tags.py`."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.formats import check_color
from frontdesk.core.resource import Resource

from .names import check_name

tags = Resource(
    path="tags",
    singular="tag",
    area="crm",
    description="Labels for contacts, each with a colour.",
    fields=(
        Field(
            "name", is_required=True, is_nullable=False, max_length=60, check=check_name, is_searched=True,
            example="VIP", description="Unique in the organization, whatever the case of its letters.",
        ),
        Field("color", is_nullable=False, default="#6B7280", check=check_color, example="#F59E0B"),
    ),
    # Whoever types "vip" means the tag "VIP": two of them would each find half of the contacts.
    constraints=(
        Index(
            "uq_tags_name", "organization_id", text("lower(name)"), unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    ),
    default_sort=(("name", 1),),
)  # fmt: skip
