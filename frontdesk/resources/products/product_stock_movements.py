"""Stock movements: what came in or went out, and how much was there then. Two at once lose nothing.

A movement changes the product's `stock_quantity` by its own quantity, in its own transaction, under the product's row
lock. Setting `stock_quantity` on the product says instead what was counted.
"""

from __future__ import annotations

from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict, Fault, Invalid
from frontdesk.core.events import emit
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Resource

REASONS = ("purchase", "sale", "return", "loss", "correction")
MOVE = """
    UPDATE products SET stock_quantity = stock_quantity + $3, version = version + 1, updated_at = $4
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND stock_quantity + $3 BETWEEN 0 AND $5
    RETURNING stock_quantity
"""
STOCK = "SELECT stock_quantity FROM products WHERE organization_id = $1 AND id = $2"
MOST = 1_000_000_000_000  # pieces; the sum of two quantities stays far from the column's end


def _some(value: Plain) -> Plain:
    if not isinstance(value, int) or value == 0 or abs(value) > MOST:
        raise Wrong("minimum", f"must be a number of pieces up to {MOST}, negative where they go out, and not 0")
    return value


async def _move(call: Call) -> None:
    product_id, quantity = int(str(call.data["product_id"])), int(str(call.data["quantity"]))
    connection, organization_id = call.connection, call.organization_id
    left = await connection.fetchval(MOVE, organization_id, product_id, quantity, call.door.clock.now(), MOST)
    if left is None:
        there = await connection.fetchval(STOCK, organization_id, product_id)
        if there is None:
            raise Invalid([Fault("product_id", "reference", "names a product without stock: set its stock_quantity")])
        raise Conflict(
            f"There are {there} in stock.", data={"stock_quantity": there}, errors={"quantity": "is more than there is"}
        )
    call.data["resulting_quantity"] = left
    await emit(connection, organization_id, "products", "updated", product_id)


product_stock_movements = Resource(
    path="product-stock-movements",
    singular="stock movement",
    area="products",
    description="Changes of stock, each with what was left. A movement is never changed; another one corrects it.",
    verbs=("find", "get", "create"),
    fields=(
        Field("product_id", "integer", is_required=True, is_nullable=False, references="products", write="create"),
        Field(
            "quantity", "integer", is_required=True, is_nullable=False, write="create", check=_some, example=5,
            description="Pieces that came in; negative for those that went out.",
        ),
        Field("reason", is_nullable=False, default="correction", choices=REASONS, write="create"),
        Field("note", max_length=1000, write="create"),
        Field("resulting_quantity", "integer", is_nullable=False, write="never"),
    ),
    prepare=_move,
)  # fmt: skip
