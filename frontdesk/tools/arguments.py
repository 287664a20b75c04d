"""What the tools' arguments have in common: types with their limits, and how they become a body or a query."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from pydantic_ai import RunContext

from frontdesk.runtime.tooling import ToolDeps

from .failures import WrongCall

Ctx = RunContext[ToolDeps]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Limit = Annotated[int, Field(ge=1, le=50)]
Amount = Annotated[float, Field(ge=0)]
# Custom values by display name; the definitions say which type each has.
Custom = dict[str, str | float | bool | list[str]]


def given(**values: object) -> dict[str, object]:
    """A body of what was given. An empty text empties its field; dates and times become text, numbers stay exact."""
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, date | time):
        return value.isoformat()
    # Through its shortest text, so that 19.99 is 19.99 and not its binary neighbour.
    return str(Decimal(repr(value))) if isinstance(value, float) else value


def filters(**values: object) -> dict[str, object]:
    """A query of the filters that were given; `search` is the API's searchTerm."""
    query = {name: _plain(value) for name, value in values.items() if value is not None}
    if (search := query.pop("search", None)) is not None:
        query["searchTerm"] = search
    return query


def contact_of(ctx: Ctx, contact_id: int | None) -> int:
    """The contact that was named, else the person in this conversation. Raises `WrongCall` where there is none."""
    chosen = ctx.deps.contact_id if contact_id is None else contact_id
    if chosen is None:
        raise WrongCall("contact_id is needed, because this conversation has no contact yet.")
    return chosen


def needs_one(data: dict[str, object], names: str) -> dict[str, object]:
    """A change of nothing is a call that went wrong."""
    if not data:
        raise WrongCall(f"Say what changes: give at least one of {names}.")
    return data
