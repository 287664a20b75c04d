"""What is written into a ticket: by a person of the team, or in the customer's name.

Above `runtime` and `reception`, because a message of the customer is received and one of the team takes over.
"""

from __future__ import annotations

from typing import cast

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.reception import Inbound, receive
from frontdesk.runtime import person, thread
from frontdesk.runtime.thread import Conversation


async def write(call: Call) -> Json:
    """Answers `POST /support-ticket-messages`: a reply, a note, or an inbound for forms and imports."""
    _check(call)
    ticket = await thread.lock(call.connection, call.organization_id, cast(int, call.data["support_ticket_id"]))
    if ticket is None or ticket.kind != "ticket":
        raise Invalid([Fault("support_ticket_id", "reference", "names no row of support-tickets")])
    is_inbound = call.data["direction"] == "inbound"
    id = await _receive(call, ticket) if is_inbound else await person.say(call, ticket)
    return (await call.call("support-ticket-messages", "get", id=id)).value


def _check(call: Call) -> None:
    data, is_inbound = call.data, call.data["direction"] == "inbound"
    if not str(data["message_text"]).strip():
        raise Invalid([Fault("message_text", "minLength", "must not be empty")])
    if is_inbound and data["message_type"] == "note":
        raise Invalid([Fault("message_type", "conflict", "must be text: notes are the team's")])
    for name, is_wrong in (("external_id", not is_inbound), ("takeover", is_inbound)):
        if is_wrong and data.get(name) is not None:
            raise Invalid([Fault(name, "conflict", f"cannot be given for {data['direction']} messages")])


async def _receive(call: Call, ticket: Conversation) -> int:
    """The customer's message by the spine's first step, so that it is decided and answered like every other."""
    external_id = call.data.get("external_id")
    inbound = Inbound(
        call.organization_id,
        ticket.channel,
        str(call.data["message_text"]),
        inbox_channel_id=ticket.inbox_channel_id,
        # Ids of forms are unique within their ticket only; the provider's own ids carry no such prefix.
        external_id=None if external_id is None else f"ticket-{ticket.id}-{external_id}",
        conversation_id=ticket.id,
    )
    return (await receive(call.door, inbound, call.connection)).id
