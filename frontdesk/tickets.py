"""What is written into a ticket: by a person of the team, in the customer's name, or by mail.

Above `runtime` and `reception`, because a message of the customer is received and one of the team takes over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.reception import Inbound, StoredMessage, receive
from frontdesk.runtime import person, thread
from frontdesk.runtime.thread import Conversation

LONGEST_SUBJECT, LONGEST_TEXT = 300, 100_000  # characters, as the fields have them
# Two mails of one thread that come at once are one after the other from here on, so that they make one ticket.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($2, $1))"
# Its ticket may be deleted by now: a repeat changes nothing there either.
KNOWN = """
    SELECT m.id, m.conversation_id, c.contact_id, m.position FROM conversation_messages m
    JOIN conversations c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
    WHERE m.organization_id = $1 AND m.channel = $2 AND coalesce(m.inbox_channel_id, 0) = $3 AND m.external_id = $4
        AND m.direction = 'inbound'
"""
BY_THREAD = """
    SELECT id FROM conversations
    WHERE organization_id = $1 AND inbox_channel_id = $2 AND thread_id = $3 AND kind = 'ticket' AND deleted_at IS NULL
    ORDER BY id DESC LIMIT 1
"""
# Numbers can be guessed: only the ticket's own contact goes on in it by naming one.
BY_NUMBER = """
    SELECT c.id FROM conversations c JOIN contacts k ON k.organization_id = c.organization_id AND k.id = c.contact_id
    WHERE c.organization_id = $1 AND c.reference_number = $3 AND c.inbox_channel_id = $2 AND c.deleted_at IS NULL
        AND lower(k.email) = lower($4)
"""
NUMBER = re.compile(r"\[(TK-\d{4}-\d{3,})\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as a provider gave it: who wrote it, its own id, and that of the thread that it belongs to."""

    organization_id: int
    inbox_channel_id: int
    channel: str
    address: str
    subject: str
    text: str
    external_id: str
    thread_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None


async def arrive(door: Door, mail: Mail) -> StoredMessage:
    """Store a mail in its ticket, else in a new one; the sender is not verified, because a From line proves nothing.

    Which mails are answered at all (RFC 3834) is for the edge to say. Raises `Invalid` for an address that cannot be.
    """
    async with door.database.transaction(mail.organization_id) as connection:
        thread_key = f"{mail.inbox_channel_id} {mail.thread_id or mail.address}"
        await connection.execute(LOCK, mail.organization_id, thread_key)
        key = (mail.organization_id, mail.channel, mail.inbox_channel_id, mail.external_id)
        if (known := await connection.fetchrow(KNOWN, *key)) is not None:
            return StoredMessage(known[0], known[1], known[2], known[3], is_new=False)
        ticket_id = await _ticket_of(connection, mail) or await _open(door, connection, mail)
        return await receive(door, Inbound(
            mail.organization_id, mail.channel, _clean(mail.text)[:LONGEST_TEXT], mail.inbox_channel_id,
            mail.external_id, ticket_id,
        ), connection)  # fmt: skip


async def _ticket_of(connection: Connection, mail: Mail) -> int | None:
    place, found = (mail.organization_id, mail.inbox_channel_id), None
    if mail.thread_id is not None:
        found = await connection.fetchval(BY_THREAD, *place, mail.thread_id)
    if found is None and (number := NUMBER.search(mail.subject)) is not None:
        found = await connection.fetchval(BY_NUMBER, *place, number[1], mail.address)
    return cast("int | None", found)


async def _open(door: Door, connection: Connection, mail: Mail) -> int:
    data: dict[str, object] = {
        "subject": _clean(mail.subject).strip()[:LONGEST_SUBJECT] or "(no subject)", "thread_id": mail.thread_id,
        "inbox_channel_id": mail.inbox_channel_id, "contact_email": mail.address,
        "contact_first_name": mail.first_name, "contact_last_name": mail.last_name,
    }  # fmt: skip
    # Nobody of the organization did it: the row shows no author.
    caller = Caller(mail.organization_id, None, Role.member)
    ticket = await door.call(caller, "support-tickets", "create", data=data, tx=connection)
    assert ticket.id is not None
    return ticket.id


def _clean(text: str) -> str:
    """Mails hold what no field takes: control characters, half of a surrogate pair."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "", text)


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
