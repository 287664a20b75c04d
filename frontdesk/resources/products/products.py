"""Products and services that the business sells: a public catalogue."""

from __future__ import annotations

from frontdesk.core.fields import Field
from frontdesk.core.resource import Own, Resource

products = Resource(
    path="products",
    singular="product",
    area="products",
    description="Products and services, with their prices in the organization's currency.",
    own=Own(is_public=True, where={"status": "active"}),
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=200, is_searched=True, example="Dental cleaning"),
        Field("description", max_length=10_000, is_searched=True),
        Field("sku", max_length=80, is_searched=True, example="CLEAN-01"),
        Field("status", is_nullable=False, default="active", choices=("active", "inactive")),
        Field("type", is_nullable=False, default="service", choices=("service", "product")),
        Field("price", "number", minimum=0, example=999.99),
        Field("stock_quantity", "integer", example=12),
        Field("is_variant", "boolean", default=False),
        Field("parent_id", "integer", references="products"),
    ),
)
