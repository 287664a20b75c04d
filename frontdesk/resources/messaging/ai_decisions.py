"""Decisions: what was done about each inbound, and why. Silence is a decision too."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

from .private_rows import visible
from .session_columns import PRIVATE_TO

ai_decisions = Resource(
    path="ai-decisions",
    singular="decision",
    area="messaging",
    description="What was done about each inbound, with the gates tried and the facts each saw.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("message_id", "integer", is_nullable=False, references="conversation-messages", write="never"),
        Field("ai_assistant_id", "integer", write="never"),
        Field("ai_turn_id", "integer", references="ai-turns", write="never"),
        Field(
            "outcome", is_nullable=False, write="never",
            choices=("pending", "answered", "silent", "muted", "failed", "handed_off"),
        ),
        Field("reason", is_nullable=False, write="never", description="A code; see docs/reference/decisions.md."),
        Field("gate", write="never", description="The gate that decided; null where all passed."),
        Field("gates", "json", is_nullable=False, write="never", schema={"type": "array"}),
        Field("config_path", write="never"),
        Field("config_version", "small", write="never"),
        Field(
            "structured_output", "json", write="never",
            description="The values of `additional_json_keys` that the turn gave about this message, by key.",
        ),
        Field("would_change", write="never", description="What would have to be different."),
        Field("sentence", write="never"),
        Field("sentence_es", write="never"),
        PRIVATE_TO,
    ),
    rewrite=visible,
    unique=(("message_id",),),
    constraints=(Index("ix_ai_decisions_pending", text("created_at"), postgresql_where=text("outcome = 'pending'")),),
    default_sort=(("id", 1),),
)  # fmt: skip
