"""Deal products: the lines of a deal. Totals are the server's (docs/reference/deals.md)."""

from __future__ import annotations

from decimal import Decimal

from frontdesk.core.amounts import check_money, check_percentage, check_quantity, show_money, show_short
from frontdesk.core.changes import changed
from frontdesk.core.door import Call
from frontdesk.core.fields import Field
from frontdesk.core.joins import member
from frontdesk.core.resource import Own, Resource, Through

from .line_totals import discount, totals

DISCOUNT = ("discount_type", "discount_amount", "discount_percentage")


async def _compute(call: Call) -> None:
    if call.verb == "remove":
        return
    stored: dict[str, object] = {**(call.before or {})}
    call.data |= discount(changed(call, DISCOUNT), stored)
    call.data |= totals(stored | call.data)


def _total(name: str) -> Field:
    return Field(name, "decimal", is_nullable=False, write="never", show=show_money)


deal_products = Resource(
    path="deal-products",
    singular="deal product",
    area="crm",
    description="The lines of a deal: which product, how many, for how much.",
    own=Own(column="deal_id", through=Through("deals", "id", contact="contact_id")),
    fields=(
        Field(
            "deal_id", "integer", is_required=True, is_nullable=False, references="deals", on_remove="remove",
            write="create",
        ),
        Field("product_id", "integer", is_required=True, is_nullable=False, references="products", write="create"),
        Field(
            "quantity", "decimal", is_required=True, is_nullable=False, check=check_quantity, show=show_short,
            schema={"exclusiveMinimum": 0}, example=2,
        ),
        Field(
            "price", "decimal", is_required=True, is_nullable=False, minimum=0, check=check_money, show=show_money,
            example=10000, description="Of one unit, in the deal's currency.",
        ),
        Field("description", max_length=2000),
        Field(
            "discount_type", is_nullable=False, default="none", choices=("fixed", "percentage", "none"),
            example="percentage",
        ),
        Field(
            "discount_amount", "decimal", minimum=0, check=check_money, show=show_money,
            description="Of the whole line; required where discount_type is fixed.",
        ),
        Field(
            "discount_percentage", "decimal", minimum=0, check=check_percentage, show=show_short,
            schema={"maximum": 100}, example=10,
            description="Required where discount_type is percentage.",
        ),
        Field(
            "tax_percentage", "decimal", is_nullable=False, default=Decimal(0), minimum=0, check=check_percentage,
            show=show_short, schema={"maximum": 100}, example=7,
        ),
        _total("total_amount_without_tax"),
        _total("total_amount_with_tax"),
    ),
    joins={
        "name": member("products", "product_id", "name"),
        "sku": member("products", "product_id", "sku"),
        "main_media_path": member("products", "product_id", "main_media_path"),
    },
    # The published object has the image on a single line, not in lists.
    flags={"fastJoinForDealProductList": ("main_media_path",)},
    prepare=_compute,
)  # fmt: skip
