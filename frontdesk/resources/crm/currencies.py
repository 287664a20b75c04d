"""The organization's currencies. One of them is the default, and is `currency` of the organization too."""

from __future__ import annotations

from babel.numbers import get_currency_name, get_currency_symbol
from sqlalchemy import Index, text

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict
from frontdesk.core.events import emit
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_currency
from frontdesk.core.resource import Own, Resource, Rights

# The organization's row is the lock: of two that make a default at once, the second sees the first one's.
LOCK = "SELECT currency FROM organizations WHERE id = $1 FOR NO KEY UPDATE"
NO_DEFAULT = """
    UPDATE currencies SET is_default = false, version = version + 1, updated_at = $2
    WHERE organization_id = $1 AND is_default AND deleted_at IS NULL RETURNING id
"""
SET_CURRENCY = """
    UPDATE organizations SET currency = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND currency <> $2
"""


async def _prepare(call: Call) -> None:
    data, before = call.data, call.before or {}
    if before.get("is_default") and (call.verb == "remove" or data.get("is_default") is False):
        message = "is the default; make another currency the default first"
        raise Conflict(f"{before['code']} {message}.", errors={"is_default": message})
    if call.verb == "create":
        code = str(data["code"])
        data["name"] = data.get("name") or get_currency_name(code, locale="en")
        data["symbol"] = data.get("symbol") or get_currency_symbol(code, locale="en")
        if code == await call.connection.fetchval(LOCK, call.organization_id):
            data["is_default"] = True
    if data.get("is_default") and not before.get("is_default"):
        await _make_default(call, str(data.get("code") or before["code"]))


async def _make_default(call: Call, code: str) -> None:
    now, organization_id = call.door.clock.now(), call.organization_id
    await call.connection.fetchval(LOCK, organization_id)
    former = await call.connection.fetchval(NO_DEFAULT, organization_id, now)
    if former is not None:
        await emit(call.connection, organization_id, "currencies", "updated", former)
    await call.connection.execute(SET_CURRENCY, organization_id, code, now)


currencies = Resource(
    path="currencies",
    singular="currency",
    area="crm",
    description="The organization's currencies; one is the default.",
    rights=Rights(write=Role.admin),
    own=Own(is_public=True),
    fields=(
        Field(
            "code", is_required=True, is_nullable=False, max_length=3, check=check_currency, write="create",
            example="EUR",
        ),
        Field("name", is_nullable=False, max_length=120, description="The English name, unless given."),
        Field("symbol", is_nullable=False, max_length=12, description="The usual symbol, unless given."),
        Field("is_default", "boolean", is_nullable=False, default=False),
    ),
    unique=(("code",),),
    constraints=(
        Index(
            "uq_currencies_is_default", "organization_id", unique=True,
            postgresql_where=text("is_default AND deleted_at IS NULL"),
        ),
    ),
    prepare=_prepare,
)  # fmt: skip
