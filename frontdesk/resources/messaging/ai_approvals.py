"""Approvals: tool calls that wait for a person (`approval: always`), and what the person said.

Only the spine makes and closes them; a member decides by PATCH, which `frontdesk/approvals.py` answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Index, text

from frontdesk.assistants.approval_words import sentence_of
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

from .private_rows import visible
from .session_columns import PRIVATE_TO

STATUSES = ("pending", "approved", "refused", "expired", "void", "used")


def _sentences(door: Door, row: Mapping[str, Json]) -> Mapping[str, Json]:
    status, reason = str(row.get("status")), row.get("reason")
    return {"sentence": sentence_of(status, reason, "ENG"), "sentence_es": sentence_of(status, reason, "ESP")}


ai_approvals = Resource(
    path="ai-approvals",
    singular="approval",
    area="messaging",
    description="Tool calls that wait for a person. A member who is logged in decides by PATCH with status `approved`"
    " or `refused`; an API key, a program's, decides nothing.",
    verbs=("find", "get", "patch"),
    is_soft_deleted=False,
    has_author=False,
    fields=(
        Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
        Field("ai_turn_id", "integer", is_nullable=False, references="ai-turns", write="never"),
        Field("ai_assistant_id", "integer", is_nullable=False, references="ai-assistants", write="never"),
        Field("tool_name", is_nullable=False, write="never"),
        Field("call_id", is_nullable=False, write="never", is_shown=False),
        Field(
            "arguments", "json", is_nullable=False, write="never", schema={"type": "object"},
            description="What the tool would be called with; values of members that name a secret are masked.",
        ),
        Field(
            "call_hash", is_nullable=False, write="never",
            description="SHA-256 of tool, arguments and their versions: an approval holds for this call alone.",
        ),
        Field("config_version", "small", is_nullable=False, write="never", description="Of the assistant, when asked."),
        Field("tool_version", write="never", is_shown=False),
        Field(
            "status", is_nullable=False, choices=STATUSES, default="pending",
            description="A PATCH sets approved or refused, while it is pending; all else is what became of it.",
        ),
        Field("reason", write="never", description="A code: why it is void or expired."),
        Field("note", max_length=1000, description="The person's words, which the assistant reads after a refusal."),
        Field("requested_at", "moment", is_nullable=False, write="never"),
        Field("expires_at", "moment", is_nullable=False, write="never", description="A day after it was asked."),
        Field("decided_at", "moment", write="never"),
        Field(
            "decided_by_user_id", "integer", references="users", is_global_reference=True, write="never",
            description="The person who approved or refused it.",
        ),
        PRIVATE_TO,
    ),
    derived=(
        Field("sentence", write="never", description="Its state in words."),
        Field("sentence_es", write="never", description="The same in Spanish."),
    ),
    derive=_sentences,
    rewrite=visible,
    tells={
        "created": "A tool call waits for a person.",
        "updated": "It was approved, refused, used, or came to nothing.",
    },
    indexes=(("conversation_id", "status", "id"), ("status", "id")),
    constraints=(
        Index("uq_ai_approvals_call", text("organization_id"), text("ai_turn_id"), text("call_id"), unique=True),
        # Few wait at any time; the sweeper looks through them every two seconds, over all organizations.
        Index(
            "ix_ai_approvals_pending", text("organization_id"), text("id"), postgresql_where=text("status = 'pending'")
        ),
    ),
    default_sort=(("id", -1),),
)  # fmt: skip
