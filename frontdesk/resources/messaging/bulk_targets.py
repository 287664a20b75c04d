"""Which conversations a bulk action is for: frozen at its begin, one row each.

Who joins a view later is not touched, and a worker that was killed goes on behind the last batch that was committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Table

from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Fault, Invalid, Json
from frontdesk.core.query import QueryReader
from frontdesk.core.schema import metadata, organization_column
from frontdesk.core.statements import ids_statement

from .conversation_query import INDEXED, narrowed, no_view, with_view

bulk_targets = Table(
    "conversations_bulk_targets",
    metadata,
    organization_column(),
    Column("bulk_action_id", BigInteger, nullable=False),
    Column("conversation_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "bulk_action_id", "conversation_id"),
    ForeignKeyConstraint(
        ["organization_id", "bulk_action_id"],
        ["conversations_bulk_actions.organization_id", "conversations_bulk_actions.id"],
        ondelete="CASCADE", use_alter=True, name="fk_conversations_bulk_targets_bulk_action_id",
    ),
)  # fmt: skip

INSERT = "INSERT INTO conversations_bulk_targets (organization_id, bulk_action_id, conversation_id)"
FREEZE = f"""
    {INSERT} SELECT $1, $2, id FROM conversations
    WHERE organization_id = $1 AND kind = 'conversation' AND deleted_at IS NULL AND id = ANY($3::bigint[])
"""
LIVE = """
    SELECT id FROM conversations
    WHERE organization_id = $1 AND kind = 'conversation' AND deleted_at IS NULL AND id = ANY($2::bigint[])
"""
MISSING = """
    SELECT id FROM unnest($3::bigint[]) AS id
    EXCEPT SELECT conversation_id FROM conversations_bulk_targets WHERE organization_id = $1 AND bulk_action_id = $2
    ORDER BY id LIMIT 10
"""
NOT_A_FILTER = ("$limit", "$skip", "$sort", "$select", "view_id")

Parameters = Mapping[str, object]


async def ids_of(call: Call, target: str) -> list[int]:
    """The ids that `freeze` would store, without storing them. Raises as it does."""
    given = call.data[target]
    if target == "conversation_ids":
        wanted = cast("list[int]", given)
        rows = await call.connection.fetch(LIVE, call.organization_id, wanted)
        found = [row["id"] for row in rows]
        if missing := sorted(set(wanted) - set(found))[:10]:
            raise _missing(missing)
        return found
    query = await _read_view(call, given) if target == "view_id" else _read_filter(call, given)  # type: ignore[arg-type]
    statement, arguments = await _found(call, query)
    return [row["id"] for row in await call.connection.fetch(statement, *arguments)]


async def freeze(call: Call, id: int, target: str) -> int:
    """Store the ids that `target` of the body means, for the bulk action `id`. Gives how many they are.

    Raises `BadRequest` that names the target: for ids that are not conversations of the organization, a view that the
    caller cannot see, a filter that cannot be read.
    """
    given = call.data[target]
    if target == "conversation_ids":
        return await _freeze_ids(call, id, given)  # type: ignore[arg-type]
    query = await _read_view(call, given) if target == "view_id" else _read_filter(call, given)  # type: ignore[arg-type]
    return await _freeze_found(call, id, query)


async def _freeze_ids(call: Call, id: int, ids: list[int]) -> int:
    status = await call.connection.execute(FREEZE, call.organization_id, id, ids)
    if (count := _count(status)) < len(ids):
        raise _missing([row["id"] for row in await call.connection.fetch(MISSING, call.organization_id, id, ids)])
    return count


def _missing(ids: list[int]) -> Invalid:
    message = f"names no conversation: {', '.join(map(str, ids))}"
    return Invalid([Fault("conversation_ids", "reference", message, ids=list[Json](ids))])


async def _freeze_found(call: Call, id: int, query: Parameters) -> int:
    sql, arguments = await _found(call, query)
    place = len(arguments) + 1
    status = await call.connection.execute(
        f"{INSERT} SELECT ${place}::int, ${place + 1}::bigint, found.id FROM ({sql}) AS found",
        *arguments, call.organization_id, id,
    )  # fmt: skip
    return _count(status)


async def _found(call: Call, query: Parameters) -> tuple[str, list[object]]:
    """The statement that finds the ids, with its arguments."""
    resource = call.door.registry["conversations"]
    read = QueryReader(resource).read(await narrowed(call.connection, query, *INDEXED))
    statement = ids_statement(resource, read.where)
    values = {"org": call.organization_id, **{f"p{i}": value for i, value in enumerate(read.values)}}
    return statement.sql, list(statement.arguments(values))


async def _read_view(call: Call, id: int) -> Parameters:
    view = await call.call("views", "find", query={"id": id})
    rows = view.value["data"]
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        raise no_view()
    query = with_view(call.door, {}, rows[0])
    return {name: value for name, value in query.items() if name != "$sort"}


def _read_filter(call: Call, given: Parameters) -> Parameters:
    """The conditions of the list; `organization_id`, which the published filter has, may only be the caller's own."""
    query = dict(given)
    if query.pop("organization_id", call.organization_id) not in (call.organization_id, str(call.organization_id)):
        raise Invalid([Fault("filter.organization_id", "const", "is not your organization")])
    if wrong := [name for name in NOT_A_FILTER if name in query]:
        raise Invalid([Fault(f"filter.{name}", "not", "is no condition") for name in wrong])
    try:
        QueryReader(call.door.registry["conversations"]).read(query)
    except BadRequest as error:
        faults = [Fault(f"filter.{name}", "query", message) for name, message in error.errors.items()]
        raise Invalid(faults or [Fault("filter", "query", error.message)]) from None
    return query


def _count(status: str) -> int:
    return int(status.split()[-1])
