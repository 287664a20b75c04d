"""Recipients of a broadcast: a row each, frozen when it is sent, with what became of it."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

email_broadcast_recipients = Resource(
    path="email-broadcast-recipients",
    singular="broadcast recipient",
    area="messaging",
    description="Who gets a broadcast, who does not and why.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    is_told=False,  # a hundred thousand of them would drown every other event
    fields=(
        Field("email_broadcast_id", "integer", is_nullable=False, references="email-broadcasts", write="never"),
        Field("contact_id", "integer", is_nullable=False, references="contacts", write="never"),
        Field("email", max_length=254, write="never"),
        Field(
            "status", is_nullable=False, write="never",
            choices=("pending", "sending", "sent", "failed", "unknown", "skipped"),
        ),
        Field(
            "reason", write="never",
            description="no_email, opted_out, contact_blocked, contact_deleted, duplicate, cancelled, or a sentence.",
        ),
        Field("attempts", "small", is_nullable=False, default=0, write="never"),
        Field("due_at", "moment", is_nullable=False, write="never", is_shown=False),
        Field("external_id", write="never", is_shown=False),
        # Stands in the link by which the recipient opts out; whoever has it may do just that.
        Field("unsubscribe_key", is_nullable=False, write="never", is_shown=False),
        Field("unsubscribed_at", "moment", write="never"),
    ),
    unique=(("email_broadcast_id", "contact_id"),),
    constraints=(
        Index(
            "ix_email_broadcast_recipients_open", text("organization_id"), text("email_broadcast_id"), text("id"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
        Index("uq_email_broadcast_recipients_unsubscribe_key", "unsubscribe_key", unique=True),
    ),
)  # fmt: skip
