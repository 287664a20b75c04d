"""Which contact has which tag: rows of their own, and a member of contacts for reading and writing all at once."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Table, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.fields import Field, Plain, Wrong, check_integer
from frontdesk.core.joins import joined
from frontdesk.core.resource import Filter, Resource
from frontdesk.core.schema import metadata

MOST_TAGS = 50
LIVE = "SELECT id FROM tags WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL"
HELD = "SELECT id, tag_id FROM contact_tags WHERE organization_id = $1 AND contact_id = $2"

contact_tags = Resource(
    path="contact-tags",
    singular="contact tag",
    area="crm",
    description="One tag of one contact.",
    verbs=("find", "get", "create", "remove"),
    is_soft_deleted=False,
    fields=(
        Field(
            "contact_id", "integer", is_required=True, is_nullable=False, references="contacts", on_remove="remove",
            write="create", example=1,
        ),
        Field(
            "tag_id", "integer", is_required=True, is_nullable=False, references="tags", on_remove="remove",
            write="create", example=1,
        ),
    ),
    joins={"tag": joined("tags", "tag_id", "id", "name", "color")},
    unique=(("contact_id", "tag_id"),),
)  # fmt: skip


def check_ids(value: Plain) -> Plain:
    """Ids of tags, each once: sent twice is meant once."""
    if not isinstance(value, list) or len(value) > MOST_TAGS:
        raise Wrong("maxItems", f"must be an array of at most {MOST_TAGS} ids of tags", limit=MOST_TAGS)
    return list(dict.fromkeys(check_integer(one) for one in value))  # type: ignore[return-value]


TAG_IDS = Field(
    "tag_ids", "json", is_nullable=False, check=check_ids,
    schema={"type": "array", "items": {"type": "integer"}, "maxItems": MOST_TAGS},
    description="The tags that the contact has from now on; leave out to keep those that it has.",
)  # fmt: skip


def tags_of(source: FromClause) -> ScalarSelect[object]:
    """The tags of a contact, by name."""
    held, tags = metadata.tables["contact_tags"].alias(), metadata.tables["tags"].alias()
    row = func.json_build_object(
        literal_column("'id'"),
        tags.c.id,
        literal_column("'name'"),
        tags.c.name,
        literal_column("'color'"),
        tags.c.color,
    )
    query = (
        select(
            func.coalesce(
                func.json_agg(aggregate_order_by(row, func.lower(tags.c.name), tags.c.id)), text("'[]'::json")
            )
        )
        .select_from(held)
        .join(tags, tags.c.id == held.c.tag_id)
        .where(held.c.organization_id == source.c.organization_id, held.c.contact_id == source.c.id)
        .where(tags.c.organization_id == source.c.organization_id)
    )
    return query.correlate(source).scalar_subquery()


def _has_tag(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    held = metadata.tables["contact_tags"].alias()
    found = select(held.c.id).where(
        held.c.organization_id == table.c.organization_id, held.c.contact_id == table.c.id, held.c.tag_id == value
    )
    return found.correlate(table).exists()


BY_TAG = Filter("integer", _has_tag, "Contacts that have the tag with this id.")


async def check_tags(call: Call) -> None:
    """Before a contact is written: each of `tag_ids` is a live tag of the organization."""
    wanted = call.data.get("tag_ids")
    if not isinstance(wanted, list):
        return
    live = {row["id"] for row in await call.connection.fetch(LIVE, call.organization_id, wanted)}
    missing: list[Json] = [one for one in wanted if one not in live]
    if missing:
        raise Invalid([Fault("tag_ids", "reference", f"names no row of tags ({missing[0]})", id=missing[0])])
    # Who reads a contact reads its tags, so they are part of its version.
    call.data["updated_at"] = call.door.clock.now()


async def put_tags(call: Call) -> None:
    """After a contact was written: give it the tags of `tag_ids`, and no others."""
    wanted = call.data.get("tag_ids")
    if not isinstance(wanted, list) or call.answer is None or call.answer.id is None:
        return
    contact_id = call.answer.id
    held = {row["tag_id"]: row["id"] for row in await call.connection.fetch(HELD, call.organization_id, contact_id)}
    for tag_id in held.keys() - set(wanted):
        await call.call("contact-tags", "remove", id=held[tag_id])
    for tag_id in wanted:
        if tag_id not in held:
            await call.call("contact-tags", "create", data={"contact_id": contact_id, "tag_id": tag_id})
    if "tags" in call.answer.value:
        shown = await call.call("contacts", "get", id=contact_id, query={"$select": ["tags"]})
        call.extra["tags"] = shown.value["tags"]
