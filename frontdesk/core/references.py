"""References between rows: what a body names must exist, and what is named by others does not just go away."""

from __future__ import annotations

from .call import Call, scoped_of, values_of
from .errors import Conflict, Fault, Invalid
from .fields import Field, Plain
from .statements import held_statement, reference_statement, release_statement

IS_MEMBER = "SELECT 1 FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"


async def check_references(call: Call) -> None:
    """Each id in the body names a live row that the caller can reach; else 400 with the field."""
    for f in call.resource.references:
        value = call.data.get(f.name)
        if value is None or (call.before is not None and call.before.get(f.name) == value):
            continue
        if not await _exists(call, f, value):
            message = f"names no row of {f.references}"
            raise Invalid([Fault(f.name, "reference", message, id=value)])  # type: ignore[arg-type]


async def _exists(call: Call, f: Field, value: Plain) -> bool:
    if f.references == "users":
        return await call.connection.fetchval(IS_MEMBER, call.organization_id, value) is not None
    target = call.door.registry[str(f.references)]
    scoped = scoped_of(call.caller)
    statement = reference_statement(target, "" if target.own and target.own.is_public else scoped)
    found = await call.connection.fetchrow(statement.sql, *statement.arguments(values_of(call) | {"ids": [value]}))
    return found is not None


async def let_go(call: Call) -> None:
    """What other rows do when the one that they refer to is deleted, as their fields declare it."""
    for other, f in call.door.registry.dependents(call.resource):
        if f.on_remove == "refuse":
            statement = held_statement(other, f.name)
            if await call.connection.fetchval(statement.sql, *statement.arguments(values_of(call))):
                message = f"is used by {other.path}; move or delete those first"
                raise Conflict(f"This {call.resource.singular} {message}.", errors={"id": message})
        else:
            statement = release_statement(other, f.name, f.on_remove == "remove")
            values = values_of(call) | {"now": call.door.clock.now()}
            await call.connection.execute(statement.sql, *statement.arguments(values))
