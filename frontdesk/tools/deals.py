"""Deals and their products. Amounts are exact: numbers of the model become decimals before they are reckoned with."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .arguments import Amount, Ctx, Custom, Limit, filters, given, needs_one
from .results import Result, page, row

DEAL = (
    "id", "name", "amount", "currency", "status", "pipeline", "pipelineStage", "contact_id", "company_id",
    "owned_by_user_id", "expected_close_date", "won_date", "lost_date", "lost_reason", "dealProducts",
    "products_total_with_tax", "custom_fields_by_name",
)  # fmt: skip
SHORT = ("id", "name", "amount", "currency", "status", "pipeline_stage_id", "contact_id", "company_id")
LINE = (
    "id", "deal_id", "product_id", "name", "quantity", "price", "discount_type", "total_amount_without_tax",
    "total_amount_with_tax",
)  # fmt: skip
Status = Literal["open", "won", "lost"]


class Line(BaseModel):
    """One product of a deal."""

    model_config = ConfigDict(extra="forbid")

    product_id: Annotated[int, Field(description="Product id.")]
    quantity: Annotated[float, Field(gt=0, description="How many.")]
    price: Annotated[float, Field(ge=0, description="Price of one.")]
    description: Annotated[str | None, Field(description="What is special about it.")] = None
    discount_type: Annotated[Literal["none", "fixed", "percentage"], Field(description="Kind of discount.")] = "none"
    discount_amount: Annotated[float | None, Field(ge=0, description="For fixed: off the whole line.")] = None
    discount_percentage: Annotated[float | None, Field(ge=0, le=100, description="For percentage.")] = None
    tax_percentage: Annotated[float, Field(ge=0, description="Tax in percent.")] = 0


async def find_deals(
    ctx: Ctx,
    search: str | None = None,
    status: Status | None = None,
    contact_id: int | None = None,
    company_id: int | None = None,
    pipeline_stage_id: int | None = None,
    limit: Limit = 10,
) -> Result:
    """Find deals, the newest first. Gives the total and the matching deals.

    Args:
        search: Words that must all occur in the name.
        status: Only deals of this status.
        contact_id: Only deals of this contact.
        company_id: Only deals of this company.
        pipeline_stage_id: Only deals in this stage.
        limit: Most deals to give.
    """
    query = filters(
        search=search, status=status, contact_id=contact_id, company_id=company_id, pipeline_stage_id=pipeline_stage_id
    )
    query |= {"$limit": limit, "$sort": {"created_at": -1}, "$select": [*SHORT]}
    return page(await ctx.deps.call("deals", "find", query=query), SHORT)


async def get_deal(ctx: Ctx, deal_id: int) -> Result:
    """Read one deal with its products and totals.

    Args:
        deal_id: Deal id.
    """
    return row(await ctx.deps.call("deals", "get", id=deal_id), DEAL)


async def create_deal(
    ctx: Ctx,
    name: str,
    amount: Amount | None = None,
    currency: str | None = None,
    contact_id: int | None = None,
    company_id: int | None = None,
    pipeline_id: int | None = None,
    pipeline_stage_id: int | None = None,
    expected_close_date: date | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Open a deal. Without a stage it begins in the first one.

    Args:
        name: What it is about.
        amount: Its worth.
        currency: ISO code, see get_currencies; left out: the organization's.
        contact_id: With whom; left out: the person in this conversation.
        company_id: With which company.
        pipeline_id: Pipeline, see get_pipelines.
        pipeline_stage_id: Stage, see get_pipelines.
        expected_close_date: When it should be closed.
        custom_fields: Custom values by display name, see get_custom_fields.
    """
    data = given(
        name=name, amount=amount, currency=currency, company_id=company_id, pipeline_id=pipeline_id,
        pipeline_stage_id=pipeline_stage_id, expected_close_date=expected_close_date,
        custom_fields_by_name=custom_fields,
    )  # fmt: skip
    chosen = ctx.deps.contact_id if contact_id is None else contact_id
    data |= {} if chosen is None else {"contact_id": chosen}
    return row(await ctx.deps.call("deals", "create", data=data), DEAL)


async def update_deal(
    ctx: Ctx,
    deal_id: int,
    name: str | None = None,
    amount: Amount | None = None,
    status: Status | None = None,
    lost_reason: str | None = None,
    pipeline_stage_id: int | None = None,
    contact_id: int | None = None,
    company_id: int | None = None,
    owned_by_user_id: int | None = None,
    expected_close_date: date | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Change a deal: move it, win or lose it, give it to somebody. Give only what changes.

    Args:
        deal_id: Deal id.
        name: New name.
        amount: New worth.
        status: New status.
        lost_reason: Why it was lost.
        pipeline_stage_id: New stage, see get_pipelines.
        contact_id: New contact.
        company_id: New company.
        owned_by_user_id: New owner, see find_organization_members.
        expected_close_date: New expected date.
        custom_fields: Custom values by display name; only those named change.
    """
    data = given(
        name=name, amount=amount, status=status, lost_reason=lost_reason, pipeline_stage_id=pipeline_stage_id,
        contact_id=contact_id, company_id=company_id, owned_by_user_id=owned_by_user_id,
        expected_close_date=expected_close_date, custom_fields_by_name=custom_fields,
    )  # fmt: skip
    needs_one(data, "name, amount, status, pipeline_stage_id, expected_close_date")
    return row(await ctx.deps.call("deals", "patch", id=deal_id, data=data), DEAL)


async def add_deal_products(
    ctx: Ctx, deal_id: int, lines: Annotated[list[Line], Field(min_length=1, max_length=50)]
) -> Result:
    """Add products to a deal: all of them or, if one is wrong, none. Discount comes first, then tax.

    Args:
        deal_id: Deal id.
        lines: The products.
    """
    made = []
    for line in lines:
        data = given(**line.model_dump()) | {"deal_id": deal_id}
        made.append(row(await ctx.deps.call("deal-products", "create", data=data), LINE))
    return {"total": len(made), "data": made}


TOOLS = (find_deals, get_deal, create_deal, update_deal, add_deal_products)
