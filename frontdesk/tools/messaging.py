"""Conversations and sending. What is sent goes through the outbox to the channel, and is the assistant's own message.

The answer to the conversation in hand is the assistant's reply itself; these tools write to others.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import Field

from frontdesk.core.errors import Json

from .arguments import Ctx, Limit, Text, filters, given
from .failures import WrongCall
from .results import Result, page, row

Channel = Literal["whatsapp", "instagram", "messenger", "webchat", "sms"]
Values = Annotated[dict[str, str], Field(max_length=50)]
CONVERSATION = (
    "id", "contact", "channel", "status", "assigned_user", "assigned_ai_assistant", "owner_reason", "unread_count",
    "last_interaction_at",
)  # fmt: skip
SHORT = ("id", "contact_id", "channel", "status", "assigned_user_id", "assigned_ai_assistant_id", "last_interaction_at")
MESSAGE = ("id", "sender", "message_type", "message_text", "status", "created_at")
SENT = ("id", "conversation_id", "message_type", "message_text", "status")
TEMPLATE = ("id", "name", "language", "category", "header", "body", "footer", "variables")
LATEST = 10  # messages that come with a conversation


async def find_conversations(
    ctx: Ctx,
    search: str | None = None,
    message_search: Annotated[str | None, Field(min_length=3)] = None,
    status: Literal["open", "closed"] | None = None,
    channel: Channel | None = None,
    contact_id: int | None = None,
    assigned_user_id: int | None = None,
    waiting_only: bool | None = None,
    limit: Limit = 10,
) -> Result:
    """Find conversations, those with the newest message first.

    Args:
        search: Part of the contact's name, e-mail or phone.
        message_search: Words of a message.
        status: Only open ones, or only closed ones.
        channel: Only of this channel.
        contact_id: Only with this contact.
        assigned_user_id: Only those of this member.
        waiting_only: Only those in which the customer waits for an answer.
        limit: Most conversations to give.
    """
    query = filters(
        search=search, messageSearchTerm=message_search, status=status, channel=channel, contact_id=contact_id,
        assigned_user_id=assigned_user_id, waitingResponseOnly=waiting_only,
    )  # fmt: skip
    query |= {"$limit": limit, "$sort": {"last_interaction_at": -1}, "$select": [*SHORT]}
    return page(await ctx.deps.call("conversations", "find", query=query), SHORT)


async def get_conversation(ctx: Ctx, conversation_id: int) -> Result:
    """Read one conversation with its latest messages, the newest last.

    Args:
        conversation_id: Conversation id.
    """
    talk = await ctx.deps.call("conversations", "get", id=conversation_id)
    query = {"conversation_id": conversation_id, "$limit": LATEST, "$sort": {"position": -1}, "$select": [*MESSAGE]}
    found = await ctx.deps.call(f"conversation-messages-{talk['channel']}", "find", query=query)
    rows = cast("list[dict[str, Json]]", found["data"])
    return row(talk, CONVERSATION) | {"messages": [row(one, MESSAGE) for one in reversed(rows)]}


async def _send(ctx: Ctx, conversation_id: int, data: dict[str, object]) -> Result:
    """Into another conversation than the one in hand, whose answer is the reply itself."""
    if conversation_id == ctx.deps.turn.conversation_id:
        raise WrongCall("This is the conversation that you are in: write your reply instead, it is sent there.")
    channel = (await ctx.deps.call("conversations", "get", id=conversation_id))["channel"]
    path = "conversation-messages-sms" if channel == "sms" else f"conversation-messages-transform-outgoing-{channel}"
    return row(await ctx.deps.call(path, "create", data={**data, "conversation_id": conversation_id}), SENT)


async def send_conversation_message(
    ctx: Ctx, conversation_id: int, message_text: Text, message_type: Literal["text", "note"] = "text"
) -> Result:
    """Send a message into another conversation than this one; your reply to this one needs no tool.

    Args:
        conversation_id: Conversation id.
        message_text: What to send.
        message_type: "note" is an internal note, which only the team reads.
    """
    return await _send(ctx, conversation_id, {"message_text": message_text, "message_type": message_type})


async def find_whatsapp_template(
    ctx: Ctx, search: str | None = None, language: str | None = None, limit: Limit = 10
) -> Result:
    """Find approved WhatsApp templates with their texts and variables.

    Args:
        search: Words that must all occur in name or text.
        language: Only of this language, e.g. "es" or "en_US".
        limit: Most templates to give.
    """
    query = filters(search=search, language=language, status="approved") | {"$limit": limit, "$select": [*TEMPLATE]}
    return page(await ctx.deps.call("whatsapp-templates", "find", query=query), TEMPLATE)


async def send_whatsapp_template(
    ctx: Ctx, conversation_id: int, template_id: int, values: Values | None = None
) -> Result:
    """Send an approved template into a WhatsApp conversation, also after its 24 hours are over.

    Args:
        conversation_id: Conversation id, not this conversation's.
        template_id: Template id, from find_whatsapp_template.
        values: A text for each of its variables, by the variable's name or number.
    """
    data = given(template_id=template_id, template_values=values) | {"message_type": "template"}
    return await _send(ctx, conversation_id, data)


async def initiate_whatsapp_conversation(
    ctx: Ctx,
    template_id: int,
    contact_id: int | None = None,
    phone: str | None = None,
    values: Values | None = None,
    inbox_channel_id: int | None = None,
) -> Result:
    """Write to somebody on WhatsApp first, by a template. Gives the message with its conversation_id.

    Args:
        template_id: Template id, from find_whatsapp_template.
        contact_id: To whom: a contact with a phone number.
        phone: Or to which number, with country code, e.g. "+34600111222".
        values: A text for each of its variables, by the variable's name or number.
        inbox_channel_id: From which WhatsApp account, where there are several.
    """
    data = given(
        template_id=template_id, contact_id=contact_id, phone=phone, template_values=values,
        inbox_channel_id=inbox_channel_id,
    )  # fmt: skip
    return row(await ctx.deps.call("conversations-initiate-whatsapp", "create", data=data), SENT)


async def get_email_broadcast_senders(ctx: Ctx) -> Result:
    """Read the addresses that e-mail broadcasts can be sent from."""
    names = ("id", "name", "email")
    return page(await ctx.deps.call("email-broadcast-senders", "find", query={"$limit": 50}), names)


async def send_email_broadcast(
    ctx: Ctx,
    sender_id: int,
    subject: Annotated[str, Field(min_length=1, max_length=200)],
    body: Text,
    contact_ids: Annotated[list[int] | None, Field(max_length=1000)] = None,
    tag_id: int | None = None,
) -> Result:
    """Send one e-mail to many contacts. Those without an address or who opted out are left out.

    Args:
        sender_id: Sender id, from get_email_broadcast_senders.
        subject: Subject line.
        body: Plain text of the e-mail.
        contact_ids: To these contacts; or give tag_id.
        tag_id: To all contacts with this tag.
    """
    data = given(sender_id=sender_id, subject=subject, body_text=body, contact_ids=contact_ids, tag_id=tag_id)
    sent = await ctx.deps.call("email-broadcasts", "create", data={**data, "status": "sending"})
    return row(sent, ("id", "status", "subject", "recipient_count"))


TOOLS = (
    find_conversations,
    get_conversation,
    send_conversation_message,
    find_whatsapp_template,
    send_whatsapp_template,
    initiate_whatsapp_conversation,
    get_email_broadcast_senders,
    send_email_broadcast,
)
