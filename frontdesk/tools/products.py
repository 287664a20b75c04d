"""The catalogue of products and services."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_ai import RunContext

from frontdesk.runtime.tooling import ToolDeps

from .results import Result, page, row

Ctx = RunContext[ToolDeps]

PRODUCT = ("id", "name", "description", "sku", "type", "status", "price", "stock_quantity", "is_variant", "parent_id")


async def search_products(
    ctx: Ctx,
    search: str | None = None,
    type: Literal["service", "product"] | None = None,
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
) -> Result:
    """Find products and services with their prices. Without search: all of them.

    Args:
        search: Words that must all occur in name, description or article number.
        type: Only services, or only products.
        limit: Most rows to give.
    """
    query: dict[str, object] = {"$limit": limit, "$sort": {"name": 1}, "$select": [*PRODUCT]}
    query |= {"searchTerm": search} if search else {}
    query |= {"type": type} if type else {}
    return page(await ctx.deps.call("products", "find", query=query), PRODUCT)


async def get_product(ctx: Ctx, product_id: int) -> Result:
    """Read one product or service with its price and full description.

    Args:
        product_id: Id of the product, from search_products.
    """
    return row(await ctx.deps.call("products", "get", id=product_id), PRODUCT)


TOOLS = (get_product, search_products)
