"""Deliveries: one event on its way to one webhook, with every byte that is sent, until it arrives or is given up."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, Index, cast, text
from sqlalchemy.dialects.postgresql import JSON

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

STATUSES = ("pending", "failed", "delivered", "dead")


def _payload(source: FromClause) -> ColumnElement[object]:
    return cast(source.c.body, JSON)


webhook_deliveries = Resource(
    path="webhook-deliveries",
    singular="webhook delivery",
    area="organization",
    description="What was sent to webhooks, and what they answered. Kept for 30 days.",
    verbs=("find", "get"),
    rights=Rights(read=Role.admin, write=Role.admin),
    is_soft_deleted=False,
    # A webhook that hears of all events would hear of its own deliveries for ever.
    is_told=False,
    has_author=False,
    fields=(
        Field("webhook_id", "integer", is_nullable=False, references="webhooks", write="never"),
        Field(
            "event_id", is_nullable=False, write="never", example="7814-3-9f31c2",
            description="The header `webhook-id`: the same at each attempt and each replay.",
        ),
        Field("event_name", is_nullable=False, write="never", example="contacts.created"),
        Field("event_at", "moment", is_nullable=False, write="never"),
        Field("row_id", "integer", is_nullable=False, write="never"),
        Field("body", is_nullable=False, default="{}", write="never", is_shown=False),
        Field(
            "status", is_nullable=False, choices=STATUSES, write="never",
            description="pending; failed and to be tried again at `due_at`; delivered; or dead, given up.",
        ),
        Field("due_at", "moment", is_nullable=False, write="never"),
        Field("attempts", "small", is_nullable=False, default=0, write="never"),
        Field("delivered_at", "moment", write="never"),
        Field("last_status_code", "small", write="never"),
        Field("last_duration_ms", "small", write="never"),
        Field("last_error", write="never", max_length=500, description="Why the last attempt failed."),
        Field("last_response", write="never", description="The first 1,000 characters of the last answer."),
    ),
    joins={"payload": _payload},
    flags={"withPayload": ("payload",)},
    constraints=(
        Index(
            "uq_webhook_deliveries_event", text("organization_id"), text("webhook_id"), text("event_id"), unique=True
        ),
        Index(
            "ix_webhook_deliveries_due", text("organization_id"), text("webhook_id"), text("due_at"),
            postgresql_where=text("status IN ('pending', 'failed')"),
        ),
        Index("ix_webhook_deliveries_created_at", text("created_at")),
    ),
    default_sort=(("id", -1),),
)  # fmt: skip
