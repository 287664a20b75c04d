"""Saved views: a query of the inbox under a name, shared with the organization or private to who made it."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import BadRequest, Fault, Forbidden, Invalid, Json
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.query import QueryReader
from frontdesk.core.resource import Resource

LAST = "SELECT max(position) FROM views WHERE organization_id = $1 AND deleted_at IS NULL"
# What a page is like belongs to who reads it; a view in a view could lead round in a circle.
NOT_SAVED = ("$limit", "$skip", "$select")


def _check_object(value: Plain) -> Plain:
    if not isinstance(value, dict):
        raise Wrong("type", "must be an object of conditions", type="object")
    for name in NOT_SAVED:
        if name in value:
            raise Wrong("not", f"must not hold {name}")
    if _names_view(value):
        raise Wrong("not", "must not hold view_id")
    return value


def _names_view(value: object) -> bool:
    """At any depth: the list takes a view beside its other conditions only."""
    if isinstance(value, dict):
        return "view_id" in value or any(map(_names_view, value.values()))
    return isinstance(value, list) and any(map(_names_view, value))


async def _visible(
    door: Door, caller: Caller, query: Mapping[str, object], tx: Connection | None
) -> Mapping[str, object]:
    """A private view exists for its user alone: for others it is 404, as another organization's would be."""
    mine = {"$or": [{"is_shared": True}, {"created_by_user_id": caller.user_id}]}
    given = query.get("$and", [])
    return {**query, "$and": [*given, mine]} if isinstance(given, list) else query


def _viewer(row: Mapping[str, Json]) -> int | None:
    """Whose view it is, for its events: nobody's alone where it is shared."""
    author = row.get("created_by_user_id")
    return None if row.get("is_shared") or not isinstance(author, int) else author


async def _prepare(call: Call) -> None:
    if call.before is not None:
        _check_author(call, call.before["created_by_user_id"])
    if "query" in call.data:
        _check_query(call)
    if call.verb == "create" and call.data.get("position") is None:
        last = await call.connection.fetchval(LAST, call.organization_id)
        call.data["position"] = (last or 0) + 1


def _check_author(call: Call, author: object) -> None:
    if author is not None and author != call.caller.user_id and call.caller.role < Role.admin:
        raise Forbidden("This view is somebody else's; only who made it or an admin may change it.")


def _check_query(call: Call) -> None:
    """The same reader as the list's own, so that a view that can be saved can be used."""
    query = call.data["query"]
    assert isinstance(query, dict)
    try:
        QueryReader(call.door.registry["conversations"]).read(query)
    except BadRequest as error:
        raise Invalid(
            [Fault(f"query.{name}", "query", message) for name, message in error.errors.items()]
            or [Fault("query", "query", error.message)]
        ) from None


views = Resource(
    path="views",
    singular="view",
    area="messaging",
    description="Saved queries of the conversations list; `view_id` there uses one.",
    fields=(
        Field("name", is_required=True, is_nullable=False, max_length=120, example="Waiting for us"),
        Field(
            "query", "json", is_required=True, is_nullable=False, check=_check_object,
            description="Conditions and `$sort` as on `/conversations`; given ones are added to them.",
            example={"status": "open", "waitingResponseOnly": True},
        ),
        Field("is_shared", "boolean", is_nullable=False, default=True, description="False: only its author sees it."),
        Field("position", "small", is_nullable=False, minimum=0, description="The order; a new one comes last."),
    ),
    default_sort=(("position", 1),),
    rewrite=_visible,
    private_to=_viewer,
    prepare=_prepare,
)  # fmt: skip
