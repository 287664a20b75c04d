"""`POST /conversations-initiate-whatsapp`: write to somebody first, which on WhatsApp is by a template only."""

from __future__ import annotations

from dataclasses import replace

from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource

from .conversation_messages import DERIVED, MEMBERS, OWN, conversation_messages
from .sending_inputs import TEMPLATE_INPUT

conversations_initiate_whatsapp = Resource(
    path="conversations-initiate-whatsapp",
    singular="opened WhatsApp conversation",
    area="messaging",
    description="Opens the conversation with a contact or a number, or goes on in the one there is, by a template. "
    "Gives the message; its `conversation_id` is the conversation.",
    of="conversation-messages",
    fixed={"channel": "whatsapp"},
    fields=conversation_messages.fields,
    verbs=("create",),
    # A customer could have anybody written to by a number.
    own=replace(OWN, closed=("phone",)),
    joins=MEMBERS,
    derived=DERIVED,
    extra_input=(
        Field(
            "inbox_channel_id", "integer", references="inbox-channels",
            description="The WhatsApp account to write from; needed where there are several.",
        ),
        Field("contact_id", "integer", references="contacts", example=1),
        Field("phone", max_length=40, description="Instead of a contact: a number with its country code (+34…)."),
        *TEMPLATE_INPUT,
        Field("takeover", "boolean", description="Take the conversation over; by default only a login does."),
    ),
)  # fmt: skip
