"""Where a message goes: the customer's address at the channel, and for a mail its subject and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from frontdesk.core.capabilities import MAIL
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.runtime.outbox import Part
from frontdesk.runtime.thread import Conversation

TICKET = """
    SELECT k.email, c.subject, c.reference_number, c.thread_id, i.name AS inbox,
        coalesce(c.meta_inbox_channel_email, i.address) AS sender,
        EXISTS (SELECT FROM ai_turns t WHERE t.organization_id = $1 AND t.id = $3 AND t.ai_follow_up_id IS NOT NULL)
            AS is_follow_up
    FROM conversations c
    JOIN contacts k ON k.organization_id = c.organization_id AND k.id = c.contact_id
    LEFT JOIN inbox_channels i ON i.organization_id = c.organization_id AND i.id = c.inbox_channel_id
    WHERE c.organization_id = $1 AND c.id = $2
"""
MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}@[^<>\s]{1,255}>")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a channel must know beside the message. A mail's subject names the ticket, so that a reply finds it."""

    address: str | None
    subject: str | None = None
    headers: Mapping[str, str] | None = None
    sender: Mapping[str, Json] | None = None


async def address(database: Database, talk: Conversation, part: Part) -> Envelope:
    """The envelope of `part`, as contact and ticket are now. No transaction is open while the provider is asked."""
    if talk.channel not in MAIL:
        return Envelope(talk.contact_address)
    async with database.reading(talk.organization_id) as connection:
        row = await connection.fetchrow(TICKET, talk.organization_id, talk.id, part.ai_turn_id)
    if row is None:
        return Envelope(None)
    subject = f"Re: {row['subject']} [{row['reference_number']}]"
    headers = headers_of(row["thread_id"], _nature(part, is_follow_up=row["is_follow_up"]))
    # From the address that was written to: a reply comes back to it.
    name = " ".join(str(row["inbox"]).split())  # one line: it becomes a header
    sender: dict[str, Json] | None = {"name": name, "email": row["sender"]} if row["sender"] else None
    return Envelope(row["email"], subject, headers, sender)


def _nature(part: Part, *, is_follow_up: bool) -> str | None:
    """RFC 3834, 5: what answers a mail is told from what nobody asked for; a person's mail is neither."""
    if part.is_written and part.ai_assistant_id is None:
        return None
    return "auto-generated" if is_follow_up or part.kind in ("follow_up", "written") else "auto-replied"


def headers_of(thread_id: str | None, nature: str | None) -> dict[str, str]:
    """RFC 5322 threads by the ids of earlier mails; RFC 3834 wants what no person wrote to say so."""
    headers = {"Auto-Submitted": nature} if nature is not None else {}
    if thread_id is not None and MESSAGE_ID.fullmatch(thread_id):
        headers |= {"In-Reply-To": thread_id, "References": thread_id}
    return headers
