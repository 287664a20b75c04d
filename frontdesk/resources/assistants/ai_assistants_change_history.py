"""The history of assistants: who changed what and when, each entry with the whole configuration, without secrets."""

from __future__ import annotations

import json
from typing import cast

from sqlalchemy import ARRAY, ColumnElement, FromClause, Text, literal_column, select
from sqlalchemy import cast as sql_cast

from frontdesk.assistants.differences import differences
from frontdesk.assistants.record import KEPT
from frontdesk.core.conflicts import missing
from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Fault, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.joins import joined
from frontdesk.core.resource import Filter, Resource

from .ai_assistant_versions import ai_assistant_versions

PATH = "ai-assistants-change-history"
COMPARE = "compare_with"
_BEFORE = """
    SELECT snapshot::text FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version < $3 ORDER BY version DESC LIMIT 1
"""
_OTHER = """
    SELECT snapshot::text FROM ai_assistant_versions WHERE organization_id = $1 AND ai_assistant_id = $2 AND id = $3
"""


async def _get(call: Call) -> Json:
    """One entry with `changes`: what differs from the version before it, or from the entry `compare_with`."""
    page = (await call.call(PATH, "find", query={"id": call.id})).value
    rows = cast("list[dict[str, Json]]", page["data"])
    if not rows:
        raise missing(call)
    entry, names = rows[0], call.query.select
    other = await _other(call, entry)
    # The first version is told as a whole by its snapshot; there is nothing that it changed.
    entry["changes"] = cast(Json, differences(other, cast("dict[str, Json]", entry["snapshot"])) if other else [])
    return {name: value for name, value in entry.items() if names is None or name in names}


async def _other(call: Call, entry: dict[str, Json]) -> dict[str, Json] | None:
    query, fetch = call.query, call.connection.fetchval
    if not query.where:
        text = await fetch(_BEFORE, call.organization_id, entry["ai_assistant_id"], entry["version"])
        return None if text is None else json.loads(text)
    if query.where != (("$filter", COMPARE),):
        raise BadRequest(f"A single entry takes {COMPARE} and $select only.")
    text = await fetch(_OTHER, call.organization_id, entry["ai_assistant_id"], query.values[0])
    if text is None:
        raise Invalid([Fault(COMPARE, "reference", "names no entry of this assistant")])
    return cast("dict[str, Json]", json.loads(text))


def _of_same_assistant(table: FromClause, value: ColumnElement[object]) -> ColumnElement[bool]:
    """In a list: the entries that could be compared with this one."""
    other = ai_assistant_versions.alias()
    same = select(other.c.ai_assistant_id).where(
        other.c.organization_id == table.c.organization_id, other.c.id == value
    )
    return table.c.ai_assistant_id == same.correlate(table).scalar_subquery()


def _without_kept(snapshot: ColumnElement[object]) -> ColumnElement[object]:
    """The other mode's text is nothing that a client reads in the record either."""
    kept = sql_cast(literal_column(f"'{{{','.join(KEPT)}}}'"), ARRAY(Text))
    return snapshot.op("-")(kept)


ai_assistants_change_history = Resource(
    path=PATH,
    singular="history entry",
    area="assistants",
    description="Every change of an assistant or of one of its skills: who, when, which fields, and the configuration "
    "as it was from then on, without secrets. A single entry shows `changes` too.",
    of="ai-assistant-versions",
    verbs=("find", "get"),
    is_soft_deleted=False,
    is_told=False,
    has_author=False,
    fields=(
        Field("ai_assistant_id", "integer", is_nullable=False, references="ai-assistants", write="never"),
        Field("changed_fields", "texts", is_nullable=False, default=[], write="never"),
        Field(
            "snapshot", "json", is_nullable=False, default={}, write="never", show=_without_kept,
            description="The record with `skills`, as it was from `created_at` on. Secrets are masks.",
        ),
        Field("created_by_user_id", "integer", write="never", description="Null: the installation itself."),
        Field("restored_from_id", "integer", write="never", description="The entry that a restore went back to."),
    ),
    joins={"created_by_user": joined("users", "created_by_user_id", "id", "first_name", "last_name", "email")},
    derived=(
        Field(
            "changes", "json", is_nullable=False, write="never", schema={"type": "array"},
            description="`{field, old, new}` against the version before, or the entry `compare_with`; "
            "`diff` line by line where it is a text. Not in a list.",
        ),
    ),
    filters={COMPARE: Filter("integer", _of_same_assistant, "Of a single entry: the id of the entry to compare with.")},
    default_sort=(("created_at", -1), ("id", -1)),
    handlers={"get": _get},
)  # fmt: skip
