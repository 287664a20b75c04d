"""Follow-ups: each time an assistant was to write once more to a customer who did not answer, and what became of it."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

ai_follow_ups = Resource(
    path="ai-follow-ups",
    singular="follow-up",
    area="messaging",
    description="What `follow_up_config` has scheduled after an answer: due, sent, or cancelled and why.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_assistant_id", "integer", is_nullable=False, references="ai-assistants", write="never"),
        Field("rule_id", is_nullable=False, write="never", max_length=64),
        Field("config_version", "small", is_nullable=False, write="never", description="Of the rule then."),
        Field(
            "mode", is_nullable=False, choices=("ai", "fixed", "template"), write="never",
            description="The rule's; of one that was sent what it was: outside the channel's window a template.",
        ),
        Field(
            "status", is_nullable=False, choices=("scheduled", "sending", "sent", "cancelled", "failed"), write="never"
        ),
        Field("reason", write="never", description="Why it was cancelled or failed: a code of the decisions."),
        Field(
            "due_at", "moment", is_nullable=False, write="never",
            description="When it is looked at again: the rule's minutes after the answer, or the next opening.",
        ),
        Field("answered_at", "moment", is_nullable=False, write="never", description="The answer that it follows."),
        Field("answer_turn_id", "integer", is_nullable=False, write="never", description="That answer's turn."),
        Field("ai_turn_id", "integer", references="ai-turns", write="never", description="The turn that wrote it."),
        Field("message_id", "integer", write="never", description="The message, once it was sent."),
        Field("ended_at", "moment", write="never", description="When it was sent, cancelled or failed."),
        Field("gates", "json", write="never", schema={"type": ["array", "null"]}, description="What was looked at."),
        Field("sentence", write="never"),
        Field("sentence_es", write="never"),
        Field("would_change", write="never"),
        Field("would_change_es", write="never"),
        Field("epoch", "small", is_nullable=False, write="never"),
        Field("episode", "small", is_nullable=False, write="never"),
        Field("stops_on_reply", "boolean", is_nullable=False, write="never", is_shown=False),
        Field("rings_at", "moment", is_nullable=False, write="never", is_shown=False),
    ),
    indexes=(("due_at",),),
    constraints=(
        # The sweeper takes those that are due from its front; a row leaves it with its status.
        Index("ix_ai_follow_ups_ring", text("rings_at"), postgresql_where=text("status = 'scheduled'")),
        Index(
            "ix_ai_follow_ups_open", text("organization_id"), text("conversation_id"),
            postgresql_where=text("status IN ('scheduled', 'sending')"),
        ),
        # Each rule once per answer, however often the end of its turn is tried.
        Index(
            "uq_ai_follow_ups_rule", text("organization_id"), text("answer_turn_id"), text("rule_id"), unique=True
        ),
    ),
    tells={
        "created": "A follow-up was scheduled behind an answer.",
        "updated": "A follow-up was moved, sent, cancelled, or failed.",
        "sent": "An assistant wrote once more to a customer who had not answered.",
        "cancelled": "A follow-up is not sent; `reason` says why.",
    },
    default_sort=(("id", -1),),
)  # fmt: skip
