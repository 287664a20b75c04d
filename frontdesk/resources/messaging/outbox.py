"""The outbox: what is to be sent, a row per part, in order, each with one idempotency key for ever."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

outbox = Resource(
    path="outbox",
    singular="outbox part",
    area="messaging",
    description="Parts of answers on their way to the channel.",
    verbs=(),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_turn_id", "integer", references="ai-turns", write="never"),
        Field("position", "small", is_nullable=False, write="never"),
        Field("epoch", "small", is_nullable=False, write="never"),
        Field(
            "status", is_nullable=False, write="never",
            choices=("pending", "sending", "sent", "withdrawn", "unknown", "failed"),
        ),
        Field("reason", write="never"),
        Field("idempotency_key", is_nullable=False, write="never"),
        Field("payload", "json", is_nullable=False, write="never"),
        Field("due_at", "moment", is_nullable=False, write="never"),
        Field("attempts", "small", is_nullable=False, default=0, write="never"),
        Field("message_id", "integer", write="never"),
    ),
    unique=(("idempotency_key",),),
    constraints=(
        Index("ix_outbox_open", text("due_at"), postgresql_where=text("status IN ('pending', 'sending')")),
    ),
)  # fmt: skip
