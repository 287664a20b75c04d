"""What a staff chat has beside a conversation: a title, and a user whose it is.

A session is a conversation of the kind `ai-chat` (`docs/why/0068-ai-chat.md`); `created_by_user_id`, on its own row and
on each of its messages, is the only user who sees it.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.fields import Field

AI_CHAT = "ai-chat"
LONGEST_TITLE = 200

SESSION_TITLE = Field("title", max_length=LONGEST_TITLE, write="never", is_shown=False)
# The list of one user, newest first; it holds no row of another kind.
SESSION_INDEX = Index(
    "ix_conversations_ai_chat_of_user", text("organization_id"), text("created_by_user_id"),
    text("last_interaction_at DESC"), text("id"), postgresql_where=text("kind = 'ai-chat' AND deleted_at IS NULL"),
)  # fmt: skip
# Turns, their steps and decisions of a session are seen by its user alone.
PRIVATE_TO = Field(
    "private_to_user_id", "integer", write="never",
    description="Of a staff chat: the only user who sees it. Null everywhere else.",
)  # fmt: skip
