"""Messages of all channels in one table; each channel is a resource over its part of it.

`position` counts the messages of a conversation without gaps, given under the conversation's row lock: streams resume
by it, and (created_at, id) order is position order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, FromClause, Index, ScalarSelect, Text, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from frontdesk.core.caller import Role
from frontdesk.core.capabilities import CONVERSATION_CHANNELS
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.fields import Field
from frontdesk.core.file_kinds import key_of
from frontdesk.core.resource import Own, Resource, Rights, Through

from .ai_decision_join import FLAG, MEMBER, decision_of_message
from .conversation_summaries import forget
from .sending_inputs import PLAYGROUND_INPUT, SEND_INPUT

CHANNELS = CONVERSATION_CHANNELS
# As people write them; the API's page shows them.
NAMES = {
    "whatsapp": "WhatsApp",
    "instagram": "Instagram",
    "messenger": "Messenger",
    "sms": "SMS",
    "webchat": "web chat",
}
TRANSFORMED = ("whatsapp", "instagram", "messenger", "webchat")  # they have a send service of their own
# `template` is ours to send; `button` is the words on the one that a customer tapped; `unsupported` is what a provider
# delivers and we cannot show.
MESSAGE_TYPES = (
    "text", "note", "reaction", "image", "video", "document", "audio", "location", "template", "button",
    "unsupported",
)  # fmt: skip
Join = Callable[[FromClause], ScalarSelect[object] | ColumnElement[object]]
STATUSES = ("stored", "pending", "sent", "delivered", "read", "failed", "unknown", "withdrawn")

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
    Field("message_text", write="never", max_length=100_000, is_searched=True),
    Field(
        "status", is_nullable=False, choices=STATUSES, write="never",
        description="An outgoing message is pending, then sent, delivered, read; or failed, unknown, withdrawn.",
    ),
    Field("error", write="never", description="Why it failed, as the provider or a rule said it."),
    Field("ai_turn_id", "integer", write="never"),
    Field("inbox_channel_id", "integer", write="never"),
    # The provider's id: of an inbound what makes it unique, of an outbound what status callbacks name.
    Field("external_id", write="never", is_shown=False),
    Field(
        "structured_output", "json", write="never",
        description="Of the first message of an answer: the values of `additional_json_keys`, by key.",
    ),
    Field("media_url", write="never", max_length=4000),
    Field("s3_path", write="never", max_length=1200),
    Field("conversation_file_id", "integer", write="never"),
    Field("file_name", write="never", max_length=400),
    Field("file_type", write="never", max_length=200, description="MIME type."),
    Field("file_size", "integer", write="never", description="Bytes."),
    Field("location", "json", write="never", description="`latitude`, `longitude`, and perhaps `name`, `address`."),
    Field("template", "json", write="never", description="Name, language and values of the template that was sent."),
    Field("reply_to_message_id", "integer", write="never"),
    Field("reaction_to_message_id", "integer", write="never", description="The message that a reaction is to."),
    Field("emoji", write="never", max_length=32, description="Of a reaction; empty where it was taken back."),
    Field("kind", is_nullable=False, default="conversation", write="never", is_shown=False),
)  # fmt: skip


def _string_id(source: FromClause) -> ColumnElement[object]:
    """The published API's clients name messages by `_id`, a string."""
    return cast(source.c.id, Text)


def _reactions(source: FromClause) -> ScalarSelect[object]:
    """The live reactions to this message: at most one of either side."""
    table = conversation_messages.table.alias()
    pair = func.json_build_object(
        literal_column("'id'"), table.c.id, literal_column("'emoji'"), table.c.emoji,
        literal_column("'sender'"), table.c.sender,
    )  # fmt: skip
    return (
        select(func.coalesce(func.json_agg(aggregate_order_by(pair, table.c.id)), text("'[]'::json")))
        .where(
            table.c.organization_id == source.c.organization_id,
            table.c.reaction_to_message_id == source.c.id,
            table.c.deleted_at.is_(None),
            table.c.emoji != literal_column("''"),
        )
        .correlate(source)
        .scalar_subquery()
    )


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
        # Status callbacks name an outbound by its id at the provider.
        Index(
            "ix_conversation_messages_sent", text("organization_id"), text("channel"), text("external_id"),
            postgresql_where=text("external_id IS NOT NULL AND direction = 'outbound'"),
        ),
        Index(
            "ix_conversation_messages_reactions", text("organization_id"), text("reaction_to_message_id"),
            postgresql_where=text("reaction_to_message_id IS NOT NULL"),
        ),
    ),
    default_sort=(("created_at", 1), ("id", 1)),
)  # fmt: skip


# Of the customer's conversations, what the customer may know: internal notes are the team's, as are the values beside
# a reply.
OWN = Own(
    column="conversation_id", through=Through("conversations", "id", contact="contact_id"),
    conversation="conversation_id", unless={"message_type": "note"},
    hidden=("structured_output", MEMBER),
)  # fmt: skip
MEMBERS: Mapping[str, Join] = {"_id": _string_id, "reactions": _reactions}


# The spine's: nobody writes a message through the door.
MESSAGE_EVENTS = {
    "created": "A message was received, sent, or noted by the team.",
    "updated": "What became of a message on its way changed: sent, delivered, read, failed.",
}


DERIVED = (Field("media_url", write="never", max_length=4000, description="Where the file can be read."),)


def file_address(door: Door, row: Mapping[str, Json]) -> dict[str, Json]:
    """Of a stored file the address from which it can be read, valid for one to two hours."""
    key = None if row.get("media_url") else key_of(_text(row.get("s3_path")))
    return {"media_url": door.files.download_url(key) if key else row.get("media_url")}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def messages_of(channel: str) -> Resource:
    """`/conversation-messages-{channel}`: read and delete; SMS and the playground also send by its POST."""
    inputs = {"playground": PLAYGROUND_INPUT, "sms": SEND_INPUT}.get(channel, ())
    return Resource(
        path=f"conversation-messages-{channel}",
        singular=f"{NAMES.get(channel, channel)} message",
        area="messaging",
        description=f"Messages of {NAMES.get(channel, channel)} conversations.",
        of="conversation-messages",
        fixed={"channel": channel},
        tells=MESSAGE_EVENTS,
        told_with=("_id",),
        fields=_fields,
        verbs=("find", "get", "create", "remove") if inputs else ("find", "get", "remove"),
        rights=Rights(remove=Role.admin),
        own=OWN,
        extra_input=inputs,
        joins={**MEMBERS, MEMBER: decision_of_message},
        flags={FLAG: (MEMBER,)},
        derived=DERIVED,
        derive=file_address,
        finish=forget,
        needs=("conversation_id",),
        default_sort=(("created_at", 1), ("id", 1)),
    )


def sending_to(channel: str) -> Resource:
    """`POST /conversation-messages-transform-outgoing-{channel}`: a person's reply, note, reaction or template."""
    return Resource(
        path=f"conversation-messages-transform-outgoing-{channel}",
        singular=f"outgoing {NAMES.get(channel, channel)} message",
        area="messaging",
        description=f"Sends a person's message into a {NAMES.get(channel, channel)} conversation.",
        of="conversation-messages",
        fixed={"channel": channel},
        fields=_fields,
        verbs=("create",),
        own=OWN,
        extra_input=SEND_INPUT,
        joins=MEMBERS,
        derived=DERIVED,
        derive=file_address,
    )
