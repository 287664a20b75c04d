"""Telling what happened: the events of statements that do not go through the door, and events of more than one row.

The door tells of each of its own writes, in the statement that writes (`statements.py`); `event_log.py` is the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json

from .database import Connection
from .errors import Json
from .resource import DECLARED
from .statements import Happening, rows_statement

NAMED = """
    INSERT INTO events (organization_id, name, resource, row_id, data, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""


async def emit(
    connection: Connection, organization_id: int, path: str, happening: Happening, *ids: int, also: Sequence[str] = ()
) -> None:
    """Tell that rows of the resource `path` were written by a statement of the caller's own, in its transaction.

    `also` are further events of the same rows, behind the first: the resource declares them in `tells`.
    """
    await _tell(connection, organization_id, path, (happening, *also), ids)


async def emit_also(connection: Connection, organization_id: int, path: str, names: Sequence[str], *ids: int) -> None:
    """Further events of rows that the door has told of already."""
    if names:
        await _tell(connection, organization_id, path, tuple(names), ids)


async def _tell(
    connection: Connection, organization_id: int, path: str, names: tuple[str, ...], ids: Sequence[int]
) -> None:
    statement = rows_statement(DECLARED[path], names)
    await connection.execute(statement.sql, *statement.arguments({"org": organization_id, "ids": list(ids)}))


async def emit_named(
    connection: Connection, organization_id: int, name: str, row_id: int, data: dict[str, Json], now: datetime
) -> None:
    """Tell of more than a written row, with data of its own: the resource's path stands before the dot."""
    path = name.split(".")[0]
    await connection.execute(NAMED, organization_id, name, path, row_id, to_json(data).decode(), now)
