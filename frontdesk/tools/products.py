"""The catalogue of products and services."""

from __future__ import annotations

from typing import Literal, cast

from frontdesk.core.errors import Json

from .arguments import Ctx, Limit, filters
from .images import is_picture
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
    names = (*PRODUCT, "media") if ctx.deps.config.can_send_images else PRODUCT
    query |= {"$limit": limit, "$select": [*names]} | ({} if search else {"$sort": {"name": 1}})
    found = await ctx.deps.call("products", "find", query=query)
    rows: list[Json] = [_with_images(ctx, one) for one in cast("list[dict[str, Json]]", found["data"])]
    return page({**found, "data": rows}, (*PRODUCT, "images"))


async def get_product(ctx: Ctx, product_id: int) -> Result:
    """Read one product or service with its price and full description.

    Args:
        product_id: Id of the product, from search_products.
    """
    return row(_with_images(ctx, await ctx.deps.call("products", "get", id=product_id)), (*PRODUCT, "images"))


def _with_images(ctx: Ctx, product: dict[str, Json]) -> dict[str, Json]:
    """With the pictures that `send_image` can send, for an assistant that has it."""
    if not ctx.deps.config.can_send_images:
        return product
    media = cast("list[dict[str, Json]]", product.get("media") or [])
    images: list[Json] = [row(one, ("id", "alt")) for one in media if is_picture(one)]  # type: ignore[misc]
    return {**product, "images": images}


TOOLS = (get_product, search_products)
