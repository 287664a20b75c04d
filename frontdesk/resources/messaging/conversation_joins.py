"""What an inbox shows of a conversation beside its own members: the last message, and the tags of its contact."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from frontdesk.core.fields import KINDS
from frontdesk.core.schema import metadata

MESSAGE = ("id", "message_text", "message_type", "direction", "sender", "status")
TAG = ("id", "name", "color")


def _pairs(table: FromClause, names: tuple[str, ...]) -> list[ColumnElement[Any]]:
    return [part for name in names for part in (literal_column(f"'{name}'"), table.c[name])]


def last_message(source: FromClause) -> ScalarSelect[object]:
    """What was last said, a note among it; a reaction says nothing new."""
    messages = metadata.tables["conversation_messages"].alias()
    created = [literal_column("'created_at'"), KINDS["moment"].show(messages.c.created_at)]
    return (
        select(func.json_build_object(*_pairs(messages, MESSAGE), *created))
        .where(
            messages.c.organization_id == source.c.organization_id,
            messages.c.conversation_id == source.c.id,
            messages.c.message_type != literal_column("'reaction'"),
            messages.c.deleted_at.is_(None),
        )
        .order_by(messages.c.position.desc())
        .limit(literal_column("1"))
        .correlate(source)
        .scalar_subquery()
    )


def tags_of_contact(source: FromClause) -> ScalarSelect[object]:
    """By name; what `tag_id` filters by."""
    held, tags = metadata.tables["contact_tags"].alias(), metadata.tables["tags"].alias()
    row = func.json_build_object(*_pairs(tags, TAG))
    return (
        select(func.coalesce(func.json_agg(aggregate_order_by(row, tags.c.name, tags.c.id)), text("'[]'::json")))
        .select_from(held.join(tags, tags.c.id == held.c.tag_id))
        .where(
            held.c.organization_id == source.c.organization_id,
            held.c.contact_id == source.c.contact_id,
            tags.c.organization_id == source.c.organization_id,
            tags.c.deleted_at.is_(None),
        )
        .correlate(source)
        .scalar_subquery()
    )
