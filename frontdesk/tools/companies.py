"""Companies. Every function is one call of the door; scope and rights are decided there."""

from __future__ import annotations

from .arguments import Ctx, Custom, Limit, filters, given, needs_one
from .results import Result, page, row

COMPANY = (
    "id", "name", "description", "website", "industry", "size", "owned_by_user_id", "custom_fields_by_name",
)  # fmt: skip
SHORT = ("id", "name", "industry", "website")


async def find_company(ctx: Ctx, search: str, industry: str | None = None, limit: Limit = 10) -> Result:
    """Find companies by name. Gives the total and the matching companies.

    Args:
        search: Words that must all occur in the name or description.
        industry: Only this industry, exactly as stored.
        limit: Most companies to give.
    """
    query = filters(search=search, industry=industry) | {"$limit": limit, "$select": [*SHORT]}
    return page(await ctx.deps.call("companies", "find", query=query), SHORT)


async def get_company(ctx: Ctx, company_id: int) -> Result:
    """Read one company.

    Args:
        company_id: Company id.
    """
    return row(await ctx.deps.call("companies", "get", id=company_id), COMPANY)


async def create_company(
    ctx: Ctx,
    name: str,
    description: str | None = None,
    website: str | None = None,
    industry: str | None = None,
    size: str | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Add a company.

    Args:
        name: Name of the company.
        description: What it does.
        website: Address of its site.
        industry: Its industry.
        size: Its size, e.g. "Medium".
        custom_fields: Custom values by display name, see get_custom_fields.
    """
    data = given(
        name=name, description=description, website=website, industry=industry, size=size,
        custom_fields_by_name=custom_fields,
    )  # fmt: skip
    return row(await ctx.deps.call("companies", "create", data=data), COMPANY)


async def update_company(
    ctx: Ctx,
    company_id: int,
    name: str | None = None,
    description: str | None = None,
    website: str | None = None,
    industry: str | None = None,
    size: str | None = None,
    custom_fields: Custom | None = None,
) -> Result:
    """Change a company. Give only what changes; "" empties a field.

    Args:
        company_id: Company id.
        name: New name.
        description: New description.
        website: New address of its site.
        industry: New industry.
        size: New size.
        custom_fields: Custom values by display name; only those named change.
    """
    data = given(
        name=name, description=description, website=website, industry=industry, size=size,
        custom_fields_by_name=custom_fields,
    )  # fmt: skip
    needs_one(data, "name, description, website, industry, size, custom_fields")
    return row(await ctx.deps.call("companies", "patch", id=company_id, data=data), COMPANY)


TOOLS = (find_company, get_company, create_company, update_company)
