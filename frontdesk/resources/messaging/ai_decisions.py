"""Decisions: what was done about each inbound and each follow-up, and why. Silence is a decision too."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, Index, Table, case, literal_column, select, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Filter, Resource
from frontdesk.core.schema import metadata

from .private_rows import visible
from .session_columns import PRIVATE_TO


def _kind(source: FromClause) -> ColumnElement[object]:
    return case((source.c.ai_follow_up_id.is_(None), "inbound"), else_="follow_up")


def _is_of_ticket(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """A ticket is a conversation; of one that is none there is nothing."""
    talks = metadata.tables["conversations"].alias()
    return table.c.conversation_id.in_(
        select(talks.c.id).where(
            talks.c.organization_id == table.c.organization_id,
            talks.c.id == value,
            talks.c.kind == literal_column("'ticket'"),
        )
    )


ai_decisions = Resource(
    path="ai-decisions",
    singular="decision",
    area="messaging",
    description="What was done about each inbound and each follow-up, with the gates tried and the facts each saw.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field(
            "message_id", "integer", references="conversation-messages", write="never",
            description="The inbound; null where it is about a follow-up.",
        ),
        Field(
            "ai_follow_up_id", "integer", write="never",
            description="The follow-up that it is about; such a decision is made when the follow-up ends.",
        ),
        Field("ai_assistant_id", "integer", write="never"),
        Field("ai_turn_id", "integer", references="ai-turns", write="never"),
        Field(
            "outcome", is_nullable=False, write="never",
            choices=("pending", "answered", "silent", "muted", "failed", "handed_off"),
        ),
        Field("reason", is_nullable=False, write="never", description="A code; see docs/reference/decisions.md."),
        Field("gate", write="never", description="The gate that decided; null where all passed."),
        Field("gates", "json", is_nullable=False, write="never", schema={"type": "array"}),
        Field(
            "facts", "json", write="never",
            description="All that the gates could know, so that it can be replayed; what is as always is left out.",
        ),
        Field("decided_at", "moment", write="never", description="When the gates were tried last."),
        Field("config_path", write="never"),
        Field("config_version", "small", write="never"),
        Field(
            "structured_output", "json", write="never",
            description="The values of `additional_json_keys` that the turn gave about this message, by key.",
        ),
        Field("would_change", write="never", description="What would have to be different."),
        Field("sentence", write="never"),
        Field("sentence_es", write="never"),
        Field("would_change_es", write="never"),
        PRIVATE_TO,
    ),
    rewrite=visible,
    unique=(("message_id",),),
    filters={"support_ticket_id": Filter("integer", _is_of_ticket, "The ticket that it is about.")},
    joins={"kind": _kind},
    constraints=(
        # The last one of each conversation of a list.
        Index("ix_ai_decisions_newest", text("organization_id"), text("conversation_id"), text("id")),
        Index("ix_ai_decisions_of_assistant", text("organization_id"), text("ai_assistant_id"), text("conversation_id"),
              text("created_at")),
        # What the list is filtered by, each in the order of the list.
        Index("ix_ai_decisions_assistant", text("organization_id"), text("ai_assistant_id"), text("id")),
        Index("ix_ai_decisions_outcome", text("organization_id"), text("outcome"), text("id")),
        Index("ix_ai_decisions_reason", text("organization_id"), text("reason"), text("id")),
        Index(
            "ix_ai_decisions_gate", text("organization_id"), text("gate"), text("id"),
            postgresql_where=text("gate IS NOT NULL"),
        ),
        Index("ix_ai_decisions_created", text("organization_id"), text("created_at"), text("id")),
        Index("ix_ai_decisions_pending", text("created_at"), postgresql_where=text("outcome = 'pending'")),
        Index(
            "uq_ai_decisions_follow_up", text("organization_id"), text("ai_follow_up_id"), unique=True,
            postgresql_where=text("ai_follow_up_id IS NOT NULL"),
        ),
    ),
    default_sort=(("id", 1),),
)  # fmt: skip
