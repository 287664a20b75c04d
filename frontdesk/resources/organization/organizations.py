"""Organizations: the tenants. A key sees its own; a login sees those it is a member of, one at a time."""

from __future__ import annotations

from decimal import Decimal

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_currency, check_timezone
from frontdesk.core.resource import Resource, Rights

organizations = Resource(
    path="organizations",
    singular="organization",
    area="organization",
    description="The organization of the caller.",
    is_tenant=False,
    has_author=False,
    verbs=("find", "get", "patch"),
    rights=Rights(write=Role.owner),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Luna Dental"),
        Field(
            "subscription_status", is_nullable=False, default="active", choices=("active", "suspended"), write="never"
        ),
        Field("timezone", is_nullable=False, default="UTC", max_length=64, check=check_timezone),
        Field("currency", is_nullable=False, default="USD", max_length=3, check=check_currency, example="USD"),
        Field(
            "ai_daily_budget", "decimal", default=Decimal("10.00"), minimum=0, example="10.00",
            description="What the models of this organization may cost a day, in US dollars; null is no limit.",
        ),
    ),
)  # fmt: skip
