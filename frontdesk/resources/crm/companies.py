"""Companies: the businesses that contacts work for and deals are made with."""

from __future__ import annotations

from frontdesk.core.fields import Field
from frontdesk.core.formats import check_website
from frontdesk.core.joins import joined
from frontdesk.core.resource import Own, Resource, Through

companies = Resource(
    path="companies",
    singular="company",
    area="crm",
    description="Businesses that contacts work for and deals are made with.",
    own=Own(column="id", through=Through("contacts", "company_id", contact="id"), closed=("owned_by_user_id",)),
    has_custom_fields=True,
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Northwind"),
        Field("description", max_length=10_000),
        Field("website", max_length=2000, is_searched=True, check=check_website, example="https://northwind.example"),
        Field("industry", max_length=120, is_searched=True, example="Logistics"),
        Field("size", max_length=60, example="Medium", description="Free text: Medium, 11-50, …"),
        Field("owned_by_user_id", "integer", references="users", is_global_reference=True),
    ),
    joins={
        "creator": joined("users", "created_by_user_id", "id", "first_name", "last_name"),
        "owner": joined("users", "owned_by_user_id", "id", "first_name", "last_name"),
    },
    flags={"fastJoinForCompanyList": ("creator", "owner")},
    indexes=(("name",), ("created_at",)),
)
