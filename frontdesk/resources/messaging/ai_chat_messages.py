"""Messages of staff chats, in the table of all messages."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, FromClause, Table

from frontdesk.core.fields import Field
from frontdesk.core.resource import Filter, Resource

from .conversation_messages import DERIVED, conversation_messages, file_address
from .private_rows import of_author, viewer
from .sending_inputs import MEDIA_INPUT
from .session_columns import AI_CHAT

# What only customers' channels give to a message, and files that the whole organization sees.
_LEFT_OUT = {
    "inbox_channel_id", "conversation_file_id", "location", "template", "reply_to_message_id",
    "reaction_to_message_id", "emoji",
}  # fmt: skip
_HIDDEN = ("conversation_id", "kind", "channel", "external_id")

INPUT = (
    Field(
        "ai_chat_session_id", "integer", is_required=True, is_nullable=False, references="ai-chat-sessions", example=1,
    ),
    Field("message_text", max_length=100_000, example="Which deals close this week?"),
    Field("message_type", is_nullable=False, default="text", choices=("text", "image", "video", "document", "audio")),
    *(one for one in MEDIA_INPUT if one.name not in _LEFT_OUT),
    Field(
        "idempotency_key", max_length=200,
        description="The same one again in the same session changes nothing and gives the message that is there.",
    ),
)  # fmt: skip


def _session_id(source: FromClause) -> ColumnElement[object]:
    return source.c.conversation_id


def _is_of_session(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    return table.c.conversation_id == value


ai_chat_messages = Resource(
    path="ai-chat-messages",
    singular="AI chat message",
    area="messaging",
    description="What a member and an assistant of the team say to each other. A POST is answered at once.",
    of="conversation-messages",
    fixed={"kind": AI_CHAT},
    is_personal=True,
    private_to=viewer,
    tells={"created": "A message was written: by the member, the assistant, or the platform."},
    told_with=("ai_chat_session_id",),
    fields=tuple(
        replace(f, write="never", references=None, is_shown=f.is_shown and f.name not in _HIDDEN)
        for f in conversation_messages.fields
        if f.name not in _LEFT_OUT
    ),
    verbs=("find", "get", "create"),
    joins={"ai_chat_session_id": _session_id},
    filters={"ai_chat_session_id": Filter("integer", _is_of_session, "The session whose messages these are.")},
    derived=DERIVED,
    derive=file_address,
    needs=("ai_chat_session_id",),
    rewrite=of_author,
    extra_input=INPUT,
    default_sort=(("created_at", 1), ("id", 1)),
)
