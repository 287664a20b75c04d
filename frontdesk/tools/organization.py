"""What an organization has set up: its people, pipelines, currencies and custom fields."""

from __future__ import annotations

from typing import Literal, cast

from frontdesk.core.errors import Json

from .arguments import Ctx, Limit
from .results import Result, page, row

Rows = list[dict[str, Json]]
FIELD = ("key", "name", "type", "options", "is_required")


async def get_pipelines(ctx: Ctx, entity: Literal["deals", "conversations"] = "deals") -> Result:
    """Read the pipelines with their stages in order.

    Args:
        entity: Pipelines of deals, or of conversations.
    """
    found = await ctx.deps.call("pipelines", "find", query={"entity": entity, "$limit": 50})
    stages = ("id", "name")
    rows = [
        row(one, ("id", "name")) | {"stages": [row(stage, stages) for stage in cast(Rows, one["stages"])]}
        for one in cast(Rows, found["data"])
    ]
    return {"total": found["total"], "data": rows}


async def get_currencies(ctx: Ctx) -> Result:
    """Read the currencies that the organization uses; the default one is marked."""
    names = ("id", "code", "name", "is_default")
    return page(await ctx.deps.call("currencies", "find", query={"$limit": 50}), names)


async def get_custom_fields(ctx: Ctx, entity: Literal["contact", "company", "deal"]) -> Result:
    """Read which custom fields a kind of record has, with type and options.

    Args:
        entity: Kind of record.
    """
    query = {"entity": entity, "$limit": 50, "$sort": {"position": 1}}
    return page(await ctx.deps.call("custom-fields", "find", query=query), FIELD)


async def find_organization_members(ctx: Ctx, search: str | None = None, limit: Limit = 10) -> Result:
    """Find the people of the organization: id, name, e-mail and role.

    Args:
        search: Words that must all occur in name or e-mail.
        limit: Most people to give.
    """
    query: dict[str, object] = {"$limit": limit} | ({"searchTerm": search} if search else {})
    found = await ctx.deps.call("members", "find", query=query)
    return {"total": found["total"], "data": [_person(one) for one in cast(Rows, found["data"])]}


def _person(member: dict[str, Json]) -> Result:
    user = cast("dict[str, Json]", member["user"] or {})
    names = (str(user[part]) for part in ("first_name", "last_name") if user.get(part))
    return {"id": member["user_id"], "name": " ".join(names), "email": user.get("email"), "role": member["role"]}


TOOLS = (get_pipelines, get_currencies, get_custom_fields, find_organization_members)
