"""Messages of all channels in one table; each channel is a resource over its part of it.

`position` counts the messages of a conversation without gaps, given under the conversation's row lock: streams resume
by it, and (created_at, id) order is position order.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights

CHANNELS = ("webchat", "playground")
MESSAGE_TYPES = ("text", "note", "reaction", "image", "video", "document", "audio", "location")

_fields = (
    Field("conversation_id", "integer", is_nullable=False, references="conversations", write="never"),
    Field("position", "small", is_nullable=False, write="never"),
    Field("channel", is_nullable=False, write="never"),
    Field("direction", is_nullable=False, choices=("inbound", "outbound"), write="never"),
    Field(
        "sender", is_nullable=False, choices=("contact", "user", "assistant", "system"), write="never",
        description="Who wrote it: the customer, a person of the organization, the assistant, or the platform itself.",
    ),
    Field("message_type", is_nullable=False, choices=MESSAGE_TYPES, write="never"),
    Field("message_text", write="never", max_length=100_000),
    Field("status", is_nullable=False, choices=("stored", "sent", "failed", "unknown"), write="never"),
    Field("ai_turn_id", "integer", write="never"),
    Field("inbox_channel_id", "integer", write="never"),
    Field("external_id", write="never", is_shown=False),
    Field("structured_output", "json", write="never"),
)  # fmt: skip

conversation_messages = Resource(
    path="conversation-messages",
    singular="message",
    area="messaging",
    description="All messages of all channels.",
    verbs=(),
    fields=_fields,
    indexes=(("ai_turn_id",),),
    constraints=(
        Index(
            "uq_conversation_messages_position", text("organization_id"), text("conversation_id"), text("position"),
            unique=True,
        ),
        # A repeat delivery of the same inbound changes nothing; outbounds have no external id until they are sent.
        Index(
            "uq_conversation_messages_external_id", text("organization_id"), text("channel"),
            text("coalesce(inbox_channel_id, 0)"), text("external_id"),
            unique=True, postgresql_where=text("external_id IS NOT NULL AND direction = 'inbound'"),
        ),
    ),
    default_sort=(("created_at", 1), ("id", 1)),
)  # fmt: skip


def messages_of(channel: str) -> Resource:
    """`/conversation-messages-{channel}`: read and delete; playground also takes the tester's message by POST."""
    is_playground = channel == "playground"
    return Resource(
        path=f"conversation-messages-{channel}",
        singular=f"{channel} message",
        area="messaging",
        description=f"Messages of {channel} conversations.",
        of="conversation-messages",
        fixed={"channel": channel},
        fields=_fields,
        verbs=("find", "get", "create", "remove") if is_playground else ("find", "get", "remove"),
        rights=Rights(remove=Role.admin),
        extra_input=PLAYGROUND_INPUT if is_playground else (),
        default_sort=(("created_at", 1), ("id", 1)),
    )


PLAYGROUND_INPUT = (
    Field("message_text", is_required=True, is_nullable=False, max_length=4000, example="Are you open on Saturday?"),
    Field("message_type", is_nullable=False, default="text", choices=("text",)),
    Field("contact_id", "integer", is_required=True, is_nullable=False, references="contacts", example=1),
    Field("conversation_id", "integer", references="conversations"),
    Field("assistant_id", "integer", references="ai-assistants", example=1),
)

SEND_INPUT = (
    Field("conversation_id", "integer", is_required=True, is_nullable=False, references="conversations", example=1),
    Field("message_text", is_required=True, is_nullable=False, max_length=4000, example="Hello, this is Marta."),
    Field("message_type", is_nullable=False, default="text", choices=("text", "note")),
    Field(
        "takeover",
        "boolean",
        description="Take the conversation over. Default: true for a login, false for an API key; a note never does.",
    ),
)


def sending_to(channel: str) -> Resource:
    """`POST /conversation-messages-transform-outgoing-{channel}`: a person's reply or note."""
    return Resource(
        path=f"conversation-messages-transform-outgoing-{channel}",
        singular=f"outgoing {channel} message",
        area="messaging",
        description=f"Sends a person's message into a {channel} conversation.",
        of="conversation-messages",
        fixed={"channel": channel},
        fields=_fields,
        verbs=("create",),
        extra_input=SEND_INPUT,
    )
