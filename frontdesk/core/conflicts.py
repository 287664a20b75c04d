"""Why a write did not happen: nothing there, a stale version, a rule of the table."""

from __future__ import annotations

import asyncpg

from .call import Call
from .errors import ApiError, Conflict, Fault, Invalid, Json, NotFound, Unprocessable
from .resource import Resource


def missing(call: Call) -> NotFound:
    """The same words for what does not exist and for what is another organization's."""
    return NotFound(f"No record found for id '{call.id if call.id != -1 else '?'}' in '{call.resource.path}'.")


async def match_version(call: Call, if_match: int | None) -> None:
    """Raises `Conflict` where the locked row has another version than the client has read."""
    if if_match is None or call.before is None or call.before["version"] == if_match:
        return
    conflict = stale(call.before["version"], if_match)
    if call.resource.stale is not None and isinstance(conflict.data, dict):
        conflict.data |= await call.resource.stale(call, if_match)
    raise conflict


def stale(stored: Json, expected: int) -> Conflict:
    return Conflict(
        f"The record was changed: its version is {stored}, not {expected}. Read it again and repeat the change.",
        data={"version": stored, "expected": expected},
    )


def constraint_error(resource: Resource, error: asyncpg.IntegrityConstraintViolationError) -> ApiError:
    """The sentence of a broken constraint; its name tells the field (see `resource.py`)."""
    name = error.constraint_name or ""
    # The last column of a constraint is the one that tells rows apart: `uq_…_entity_name` is about the name.
    matches = [(name.rfind(f.name) + len(f.name), len(f.name), f.name) for f in resource.fields if f.name in name]
    path = max(matches, default=(0, 0, ""))[2]
    if isinstance(error, asyncpg.UniqueViolationError):
        return Conflict(
            f"Another row of '{resource.path}' has this {path or 'value'} already.", errors={path: "is taken"}
        )
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return Invalid([Fault(path, "reference", "names no row that exists")])
    return Unprocessable(
        f"The change would break the rule '{name}' of '{resource.path}'.", errors={path: "breaks a rule"}
    )
