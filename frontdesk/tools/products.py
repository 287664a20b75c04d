"""The catalogue of products and services."""

from __future__ import annotations

from typing import Literal

from .arguments import Ctx, Limit, filters
from .results import Result, page, row

PRODUCT = ("id", "name", "description", "sku", "type", "status", "price", "stock_quantity", "is_variant", "parent_id")


async def search_products(
    ctx: Ctx,
    search: str | None = None,
    type: Literal["service", "product"] | None = None,
    product_category_id: int | None = None,
    limit: Limit = 10,
) -> Result:
    """Find products and services with their prices. Without search: all of them.

    Args:
        search: Words of name, description or article number; a misspelt name is found too.
        type: Only services, or only products.
        product_category_id: Only of this category.
        limit: Most rows to give.
    """
    query = filters(search=search, type=type, product_category_id=product_category_id)
    # What was searched comes best hit first; a list without search goes by name.
    query |= {"$limit": limit, "$select": [*PRODUCT]} | ({} if search else {"$sort": {"name": 1}})
    return page(await ctx.deps.call("products", "find", query=query), PRODUCT)


async def get_product(ctx: Ctx, product_id: int) -> Result:
    """Read one product or service with its price and full description.

    Args:
        product_id: Id of the product, from search_products.
    """
    return row(await ctx.deps.call("products", "get", id=product_id), PRODUCT)


TOOLS = (get_product, search_products)
