"""Organizations: the tenants. A key sees its own; a login sees those it is a member of, one at a time."""

from __future__ import annotations

from decimal import Decimal

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_currency, check_timezone
from frontdesk.core.quota import PATTERN
from frontdesk.core.resource import Resource, Rights

CURRENCY_ROW = "SELECT id, is_default FROM currencies WHERE organization_id = $1 AND code = $2 AND deleted_at IS NULL"


async def _keep_currency(call: Call) -> None:
    """The organization's currency is the default one of its currencies, which is added if it is not there yet."""
    code = call.data.get("currency")
    if code is None:
        return
    found = await call.connection.fetchrow(CURRENCY_ROW, call.organization_id, code)
    if found is None:
        await call.call("currencies", "create", data={"code": code})
    elif not found["is_default"]:
        await call.call("currencies", "patch", id=found["id"], data={"is_default": True})


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
        Field(
            "rate_limit", max_length=20, write="never", example="1000/3600",
            description="Requests/seconds of its API keys, as the operator set it: null is the default, 0 no limit.",
        ),
    ),
    checks={"rate_limit": f"rate_limit ~ '^({PATTERN})$'"},
    finish=_keep_currency,
)  # fmt: skip
