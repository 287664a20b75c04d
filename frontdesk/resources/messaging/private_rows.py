"""Rows that one user alone sees: for everybody else, admins and API keys too, they are not there (404)."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.caller import Caller
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import Json

Parameters = Mapping[str, object]
NOBODY = 0  # no user has this id


def _narrowed(query: Parameters, condition: Parameters) -> Parameters:
    """The query with one more condition. One whose `$and` is no list is refused by its reader, so it may stay."""
    given = query.get("$and", [])
    return {**query, "$and": [*given, condition]} if isinstance(given, list) else query


async def of_author(door: Door, caller: Caller, query: Parameters, tx: Connection | None) -> Parameters:
    """Only the rows of who asks."""
    return _narrowed(query, {"created_by_user_id": caller.user_id or NOBODY})


async def visible(door: Door, caller: Caller, query: Parameters, tx: Connection | None) -> Parameters:
    """Everybody's rows, and of the private ones those of who asks. A key is a program, so it has none."""
    everybodys: Parameters = {"private_to_user_id": None}
    if caller.via != "jwt" or caller.user_id is None:
        return _narrowed(query, everybodys)
    return _narrowed(query, {"$or": [everybodys, {"private_to_user_id": caller.user_id}]})


def viewer(row: Mapping[str, Json]) -> int:
    """The one user who hears of a row; nobody, where its user is gone."""
    author = row.get("created_by_user_id")
    return author if isinstance(author, int) else NOBODY
