"""What a provider delivers: a customer's message, a reaction, or what became of a message of ours.

Each edge of a provider verifies its signature, makes an `Arrival` or a `Report` of each entry, and calls one of these
two. Both may be delivered twice, late, or out of order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from frontdesk.core.capabilities import CAPABILITIES, MEDIA
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.reception import Inbound, StoredMessage, receive
from frontdesk.runtime import correspondents, thread

SHOWN = {"text", "button", "location", "reaction"} | MEDIA
LONGEST_TEXT = 100_000  # characters, as the field `message_text` has it
# What a message that reacts or replies names: either side's message, by its id at the provider.
_NAMED = """
    SELECT id FROM conversation_messages
    WHERE organization_id = $1 AND channel = $2 AND external_id = $3
        AND coalesce(inbox_channel_id, 0) = coalesce($4::bigint, 0) AND direction =
"""
# Two statements with constants, each with its partial index.
OUTBOUND, INBOUND = f"{_NAMED} 'outbound'", f"{_NAMED} 'inbound'"
TAKE_BACK = """
    UPDATE conversation_messages SET deleted_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND reaction_to_message_id = $2 AND direction = 'inbound' AND deleted_at IS NULL
    RETURNING id
"""
# A status never goes back: `read` may overtake `delivered`. A failure counts until the message has arrived.
REPORT = """
    UPDATE conversation_messages SET status = $5, error = coalesce($6, error), updated_at = $7, version = version + 1
    WHERE organization_id = $1 AND channel = $2 AND external_id = $3 AND direction = 'outbound'
        AND coalesce(inbox_channel_id, 0) = coalesce($4::bigint, 0) AND status = ANY($8::text[])
    RETURNING id, kind
"""
BEFORE = {
    "sent": ["pending", "unknown"],
    "delivered": ["pending", "unknown", "sent"],
    "read": ["pending", "unknown", "sent", "delivered"],
    "failed": ["pending", "unknown", "sent"],
}


STATUSES = tuple(BEFORE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a provider gave it. `address` is the customer's; `name` the one that they have there.

    A tapped button or a chosen entry of a list is a `button`, its words the text.

    `media` has the members of a message (`media_url`, `file_name` …). `reacts_to` and `replies_to` are the provider's
    ids; a reaction without an `emoji` is taken back.
    """

    organization_id: int
    inbox_channel_id: int
    channel: str
    address: str
    external_id: str
    message_type: str = "text"
    text: str = ""
    name: str | None = None
    media: Mapping[str, Json] = field(default_factory=dict)
    reacts_to: str | None = None
    replies_to: str | None = None
    emoji: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message of ours: sent, delivered, read or failed, with the provider's reason."""

    organization_id: int
    inbox_channel_id: int
    channel: str
    external_id: str
    status: str
    error: str | None = None


async def arrive(door: Door, arrival: Arrival) -> StoredMessage | None:
    """Store what a customer sent, in their thread. None for a reaction that is known, or is to a message of nobody.

    Raises `Invalid` for an address that cannot be.
    """
    now, organization_id, channel = door.clock.now(), arrival.organization_id, arrival.channel
    address = correspondents.normal(channel, arrival.address)
    async with door.database.transaction(organization_id) as connection:
        who = await correspondents.find(
            connection, organization_id, arrival.inbox_channel_id, channel, address, arrival.name, now
        )
        is_reaction = arrival.message_type == "reaction"
        extras: dict[str, Json] = dict(arrival.media)
        if arrival.replies_to is not None:
            extras["reply_to_message_id"] = await _named(connection, arrival, arrival.replies_to)
        if is_reaction:
            target = await _named(connection, arrival, arrival.reacts_to or "")
            is_repeat = await connection.fetchval(INBOUND, *_key(arrival, arrival.external_id)) is not None
            if target is None or is_repeat or who.conversation_id is None:
                return None
            extras |= {"reaction_to_message_id": target, "emoji": arrival.emoji or ""}
            await _take_back(connection, arrival, target, door)
        kind, text = _content(arrival)
        return await receive(door, Inbound(
            organization_id, channel, text, arrival.inbox_channel_id, arrival.external_id, who.conversation_id,
            who.contact_id, message_type=kind, is_contact_verified=CAPABILITIES[channel].proves_sender,
            address=address, extras=extras,
        ), connection)  # fmt: skip


async def report(door: Door, report: Report) -> bool:
    """Note what became of a message of ours. False where nothing changed: not ours, or older than what is known."""
    organization_id, now = report.organization_id, door.clock.now()
    async with door.database.transaction(organization_id) as connection:
        row = await connection.fetchrow(
            REPORT, organization_id, report.channel, report.external_id, report.inbox_channel_id, report.status,
            report.error, now, BEFORE[report.status],
        )  # fmt: skip
        if row is None:
            return False
        path = thread.messages_path(row["kind"], report.channel)
        await emit(connection, organization_id, path, "updated", row["id"])
        return True


def _content(arrival: Arrival) -> tuple[str, str]:
    """The type and the text that are kept. What we cannot show is told by a placeholder, never dropped."""
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", arrival.text)[:LONGEST_TEXT]
    if arrival.message_type == "reaction":
        return "reaction", arrival.emoji or ""
    if arrival.message_type in SHOWN:
        return arrival.message_type, text
    name = re.sub(r"[^a-z_ ]", "", arrival.message_type.lower())[:40] or "unknown"
    return "unsupported", f"[unsupported message: {name}]" + (f" {text}" if text else "")


async def _named(connection: Connection, arrival: Arrival, external_id: str) -> int | None:
    for sql in (OUTBOUND, INBOUND):
        if (id := await connection.fetchval(sql, *_key(arrival, external_id))) is not None:
            return int(id)
    return None


def _key(arrival: Arrival, external_id: str) -> tuple[int, str, str, int]:
    return arrival.organization_id, arrival.channel, external_id, arrival.inbox_channel_id


async def _take_back(connection: Connection, arrival: Arrival, target: int, door: Door) -> None:
    rows = await connection.fetch(TAKE_BACK, arrival.organization_id, target, door.clock.now())
    if rows:
        path = thread.messages_path("conversation", arrival.channel)
        await emit(connection, arrival.organization_id, path, "deleted", *(row["id"] for row in rows))
