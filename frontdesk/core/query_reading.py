"""Reading a call's query: what it may name depends on who calls, and on what the organization defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from .custom_values import definitions_of, mentions, rows_with
from .query import Query, QueryReader

if TYPE_CHECKING:
    from .database import Connection
    from .door import Call

Connected = Callable[[], AbstractAsyncContextManager["Connection"]]


async def read_query(call: Call, given: Mapping[str, object], connected: Connected) -> Query:
    """The checked query of a call. Under scope `own` the fields that its resource hides do not exist."""
    resource = call.resource
    hidden = resource.own.hidden if call.caller.scope is not None and resource.own is not None else ()
    query = Query()
    if resource.has_custom_fields and mentions(given):
        query = await _with_custom_values(call, given, hidden, connected)
    elif given or resource.fixed:
        query = QueryReader(resource, (), hidden).read(given)
    return replace(query, select=_left(call, query, hidden)) if hidden else query


async def _with_custom_values(
    call: Call, given: Mapping[str, object], hidden: tuple[str, ...], connected: Connected
) -> Query:
    """Read twice: once to know which values are asked for, and again with the rows that have them, if they are few."""
    resource = call.resource
    async with connected() as connection:
        definitions = await definitions_of(connection, call.organization_id, resource.path)
        reader = QueryReader(resource, definitions, hidden)
        first = reader.read(given)
        found = await rows_with(connection, resource.table_name, reader.asked)
    return QueryReader(resource, definitions, hidden, found).read(given) if found else first


def _left(call: Call, query: Query, hidden: tuple[str, ...]) -> tuple[str, ...]:
    """What a query shows without `hidden`: what it selects, or else all that it shows to others."""
    resource, shown = call.resource, query.select
    if shown is None:
        asked = {name for flag in query.flags for name in resource.flags[flag]}
        left_out = resource.flagged - asked if call.verb == "find" else frozenset[str]()
        plain = [f.name for f in (*resource.all_fields, *resource.derived) if f.is_readable]
        shown = (*plain, *(name for name in resource.joins if name not in left_out))
    return tuple(name for name in shown if name not in hidden)
