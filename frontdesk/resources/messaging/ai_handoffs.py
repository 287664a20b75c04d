"""Hand-offs: each time an assistant gave a conversation away, to whom, by which rule, and how it came back."""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

ai_handoffs = Resource(
    path="ai-handoffs",
    singular="hand-off",
    area="messaging",
    description="Each time an assistant gave a conversation or a ticket to a person, a team, the queue or another"
    " assistant.",
    verbs=("find", "get"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_turn_id", "integer", references="ai-turns", write="never", description="The turn that it ended."),
        Field("from_ai_assistant_id", "integer", is_nullable=False, write="never"),
        Field("kind", is_nullable=False, choices=("human", "assistant"), write="never"),
        Field("to_user_id", "integer", write="never", description="Null where it waits in the queue or for the team."),
        Field("to_team_id", "integer", write="never"),
        Field("to_ai_assistant_id", "integer", write="never"),
        Field(
            "rule", write="never",
            description="The type of the rule that matched, or the code of what failed; `requested` of an assistant.",
        ),
        Field("rule_id", write="never", description="Its id in human_handoff_config."),
        Field("detail", write="never", max_length=1000, description="What it matched, or the model's reason."),
        Field("share", choices=("full", "summary"), write="never", description="What another assistant reads."),
        Field("position", "small", is_nullable=False, write="never", description="The last message before it."),
        Field("returned_at", "moment", write="never", description="When an assistant got it back."),
        Field("return_reason", choices=("assigned", "after_inactivity", "on_close"), write="never"),
        Field(
            "notice_status", is_nullable=False, choices=("off", "queued", "sent", "failed"), write="never",
            description="Of the e-mail to the person; off without a mail server or a person.",
        ),
        Field("notice_error", write="never", max_length=1000),
        Field("notice_due_at", "moment", write="never", is_shown=False),
        Field("notice_attempts", "small", is_nullable=False, default=0, write="never", is_shown=False),
    ),
    constraints=(
        # Whose turn it is: the last hand-off of an assistant to each of its people.
        Index(
            "ix_ai_handoffs_given", text("organization_id"), text("from_ai_assistant_id"), text("to_user_id"),
            text("id"), postgresql_where=text("to_user_id IS NOT NULL"),
        ),
        Index("ix_ai_handoffs_notice", text("notice_due_at"), postgresql_where=text("notice_status = 'queued'")),
    ),
    tells={
        "created": "An assistant gave a conversation away; `to_user_id` says who got it.",
        "updated": "An assistant got the conversation back; `return_reason` says why.",
    },
    default_sort=(("id", -1),),
)  # fmt: skip
