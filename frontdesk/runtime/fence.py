"""What stands between a message and the customer, read at the moment when it would leave: the live record, and the
channel's window since the customer's last word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.database import Connection
from frontdesk.runtime.outbox import Part
from frontdesk.runtime.thread import Conversation

IS_DELETED = "SELECT deleted_at IS NOT NULL FROM contacts WHERE organization_id = $1 AND id = $2"
# A reaction does not open Meta's window. The index on the position is read backwards, to the first hit.
HEARD_AT = """
    SELECT created_at FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND direction = 'inbound' AND message_type <> 'reaction'
    ORDER BY position DESC LIMIT 1
"""
ASSISTANT = "SELECT disable_reply, deleted_at FROM ai_assistants WHERE organization_id = $1 AND id = $2"
FREE_TYPES = ("template", "note")
# Whether it was cancelled since it was queued, and whether its contact still wants any.
FOLLOW_UP = """
    SELECT f.status, f.reason, k.opted_out_at IS NOT NULL AS has_opted_out FROM ai_follow_ups f
    JOIN conversations c ON c.organization_id = f.organization_id AND c.id = f.conversation_id
    LEFT JOIN contacts k ON k.organization_id = c.organization_id AND k.id = c.contact_id
    WHERE f.organization_id = $1 AND f.id = $2
"""


@dataclass(frozen=True, slots=True)
class Window:
    """When the customer was heard last, and until when an ordinary message may follow; both null without a word."""

    heard_at: datetime | None
    ends_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        return self.ends_at is not None and now < self.ends_at


async def window_of(connection: Connection, talk: Conversation) -> Window | None:
    """The window of this conversation; None where the channel has none."""
    known = CAPABILITIES.get(talk.channel)
    if known is None or known.window is None:
        return None
    heard_at: datetime | None = await connection.fetchval(HEARD_AT, talk.organization_id, talk.id)
    return Window(heard_at, heard_at + known.window if heard_at else None)


async def contact_barred(connection: Connection, talk: Conversation) -> str | None:
    """Nobody writes to a blocked or a deleted contact, whoever asks."""
    if talk.blocked:
        return "contact_blocked"
    is_deleted = await connection.fetchval(IS_DELETED, talk.organization_id, talk.contact_id)
    return "contact_deleted" if is_deleted else None


async def channel_barred(connection: Connection, talk: Conversation, message_type: str, now: datetime) -> str | None:
    """What the channel's window says, for everything but templates and notes."""
    if message_type in FREE_TYPES:
        return None
    window = await window_of(connection, talk)
    return None if window is None or window.is_open(now) else "outside_window"


async def assistant_barred(connection: Connection, organization_id: int, assistant_id: int | None) -> str | None:
    """Nothing is said in the name of an assistant that is deleted or whose replies are off."""
    if assistant_id is None:
        return None
    row = await connection.fetchrow(ASSISTANT, organization_id, assistant_id)
    if row is None or row["deleted_at"] is not None:
        return "assistant_deleted"
    return "reply_disabled" if row["disable_reply"] else None


async def follow_up_barred(connection: Connection, organization_id: int, id: int | None) -> str | None:
    """Between the check and the sending a provider may have been away for minutes."""
    row = None if id is None else await connection.fetchrow(FOLLOW_UP, organization_id, id)
    if row is None:
        return None
    if row["status"] == "cancelled":
        return str(row["reason"])
    return "opted_out" if row["has_opted_out"] else None


async def line_barred(connection: Connection, talk: Conversation, part: Part, now: datetime) -> str | None:
    """A line has no turn whose lease could tell; it is checked by itself. A person's message outlives the epoch."""
    if part.is_written and part.content.is_deleted:
        return "message_deleted"
    if not part.is_written and part.epoch != talk.epoch:
        return "newer_epoch"
    return (
        await contact_barred(connection, talk)
        or await follow_up_barred(connection, talk.organization_id, part.follow_up_id)
        or await assistant_barred(connection, talk.organization_id, part.ai_assistant_id)
        or await channel_barred(connection, talk, part.content.message_type, now)
    )
