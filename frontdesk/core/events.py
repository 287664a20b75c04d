"""Telling what happened: the events of statements that do not go through the door, and events of more than one row.

The door tells of each of its own writes, in the statement that writes (`statements.py`); `event_log.py` is the table.
"""

from __future__ import annotations

from datetime import datetime

from pydantic_core import to_json

from .database import Connection
from .errors import Json
from .resource import DECLARED
from .statements import Happening, rows_statement

NAMED = """
    INSERT INTO events (organization_id, name, resource, row_id, data, created_at) VALUES ($1, $2, $3, $4, $5, $6)
"""


async def emit(connection: Connection, organization_id: int, path: str, happening: Happening, *ids: int) -> None:
    """Tell that rows of the resource `path` were written by a statement of the caller's own, in its transaction."""
    statement = rows_statement(DECLARED[path], happening)
    await connection.execute(statement.sql, *statement.arguments({"org": organization_id, "ids": list(ids)}))


async def emit_named(
    connection: Connection, organization_id: int, name: str, row_id: int, data: dict[str, Json], now: datetime
) -> None:
    """Tell of more than a written row, `conversations.handed_off` for one: its resource stands before the dot."""
    path = name.split(".")[0]
    await connection.execute(NAMED, organization_id, name, path, row_id, to_json(data).decode(), now)
