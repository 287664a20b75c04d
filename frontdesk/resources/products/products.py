"""Products and services that the business sells: a public catalogue.

A variant (a size, a colour) is a product with a parent; the parent is no variant itself, so a family has two levels.
"""

from __future__ import annotations

from sqlalchemy import FromClause, ScalarSelect, select

from frontdesk.core.amounts import check_money
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.joins import joined, listed
from frontdesk.core.resource import Own, Resource
from frontdesk.core.schema import metadata

# The row of the parent stays as it is until the variant is stored: two requests cannot make two levels into three.
PARENT = "SELECT parent_id, is_variant FROM products WHERE organization_id = $1 AND id = $2 FOR SHARE"
HAS_VARIANTS = "SELECT true FROM products WHERE organization_id = $1 AND parent_id = $2 AND deleted_at IS NULL LIMIT 1"

FAMILY = "SELECT id FROM products WHERE organization_id = $1 AND (id = $2 OR parent_id = $2) AND deleted_at IS NULL"
# The door deletes a product's variants with it; what hangs on those is ours to delete, as no hook sees them.
RELEASE_MEDIA = f"""
    UPDATE file_uploads u SET claims = u.claims - m.uses, updated_at = $3
    FROM (SELECT s3_key, count(*) AS uses FROM product_media
        WHERE organization_id = $1 AND deleted_at IS NULL AND product_id IN ({FAMILY}) GROUP BY s3_key) m
    WHERE u.organization_id = $1 AND u.s3_key = m.s3_key
"""
REMOVE_MEDIA = f"""
    UPDATE product_media SET deleted_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND deleted_at IS NULL AND product_id IN ({FAMILY})
"""


def _currency(source: FromClause) -> ScalarSelect[object]:
    """Prices are in the organization's currency."""
    organizations = metadata.tables["organizations"].alias()
    query = select(organizations.c.currency).where(organizations.c.id == source.c.organization_id)
    return query.correlate(source).scalar_subquery()


def _main_media(source: FromClause) -> ScalarSelect[object]:
    media = metadata.tables["product_media"].alias()
    query = select(media.c.media_path).where(
        media.c.organization_id == source.c.organization_id,
        media.c.product_id == source.c.id,
        media.c.deleted_at.is_(None),
    )
    return query.order_by(media.c.position, media.c.id).limit(1).correlate(source).scalar_subquery()


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        now = call.door.clock.now()
        for statement in (RELEASE_MEDIA, REMOVE_MEDIA):
            await call.connection.execute(statement, call.organization_id, call.id, now)
    else:
        await _keep_family(call)


async def _keep_family(call: Call) -> None:
    """Keep `is_variant` and `parent_id` in step. A variant may still lack its parent, but nothing else has one."""
    data, before = call.data, call.before or {}
    if "parent_id" not in data and "is_variant" not in data:
        return
    parent_id = data.get("parent_id", before.get("parent_id"))
    if parent_id is None:
        if "parent_id" in data and before.get("parent_id") is not None:
            data.setdefault("is_variant", False)
        return
    if "is_variant" in call.body and data.get("is_variant") is not True:
        raise Invalid([Fault("is_variant", "const", "must be true: the product has a parent")])
    data["is_variant"] = True
    if data.get("parent_id") is not None and parent_id != before.get("parent_id"):
        await _check_parent(call, int(str(parent_id)))


async def _check_parent(call: Call, parent_id: int) -> None:
    if parent_id == call.id:
        raise Invalid([Fault("parent_id", "reference", "is the product itself")])
    parent = await call.connection.fetchrow(PARENT, call.organization_id, parent_id)
    if parent is None or parent["parent_id"] is not None or parent["is_variant"]:
        raise Invalid([Fault("parent_id", "reference", "names a variant; only what is none can have variants")])
    if call.id is not None and await call.connection.fetchval(HAS_VARIANTS, call.organization_id, call.id):
        raise Invalid([Fault("parent_id", "reference", "cannot be set: this product has variants itself")])


products = Resource(
    path="products",
    singular="product",
    area="products",
    description="Products and services, with their prices in the organization's currency.",
    own=Own(is_public=True, where={"status": "active"}),
    fuzzy=("name",),
    has_custom_fields=True,
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Dental cleaning"),
        Field("description", max_length=10_000, is_searched=True),
        Field("sku", max_length=80, is_searched=True, example="CLEAN-01"),
        Field("status", is_nullable=False, default="active", choices=("active", "inactive")),
        Field("type", is_nullable=False, default="service", choices=("service", "product")),
        Field("product_category_id", "integer", references="product-categories", on_remove="clear"),
        Field("price", "number", minimum=0, check=check_money, example=999.99, description="Rounded to two decimals."),
        Field("stock_quantity", "integer", minimum=0, example=12, description="Null where no stock is kept."),
        Field("is_variant", "boolean", default=False),
        Field("parent_id", "integer", references="products", on_remove="remove", description="Of a variant."),
    ),
    checks={
        "stock_quantity_from_zero": "stock_quantity >= 0",
        "parent_of_variant": "parent_id IS NULL OR is_variant IS TRUE",
    },
    indexes=(("name",), ("status",)),
    joins={
        "currency": _currency,
        "category": joined("product-categories", "product_category_id", "id", "name"),
        "main_media_path": _main_media,
        "media": listed("product-media", "product_id", "id", "media_path", "file_type", "alt", "position",
                        order="position"),
    },
    prepare=_prepare,
)  # fmt: skip
