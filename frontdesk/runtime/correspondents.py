"""Who writes on a connected channel: from an address at the provider to the contact and the thread.

A thread belongs to an address on an inbox channel, so a person who writes again goes on in it. A phone number that a
contact has already is that contact's; every other address is a new contact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.database import Connection
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.events import emit

# Two first messages of one address that come at once are one after the other from here on.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
THREAD = """
    SELECT c.id, c.contact_id, p.deleted_at IS NOT NULL FROM conversations c
    JOIN contacts p ON p.organization_id = c.organization_id AND p.id = c.contact_id
    WHERE c.organization_id = $1 AND c.inbox_channel_id = $2 AND c.contact_address = $3 AND c.deleted_at IS NULL
"""
# The oldest one, where a family shares a number.
BY_PHONE = """
    SELECT id FROM contacts WHERE organization_id = $1 AND deleted_at IS NULL AND phone_digits = $2
    ORDER BY id LIMIT 1
"""
BY_WHATSAPP = """
    SELECT id FROM contacts WHERE organization_id = $1 AND channel_whatsapp_wa_id = $2 AND deleted_at IS NULL
    ORDER BY id LIMIT 1
"""
# The contact into which the one with this number was merged.
BY_MERGED = """
    SELECT k.id FROM contacts m
    JOIN contacts k ON k.organization_id = m.organization_id AND k.id = m.merged_into_contact_id
    WHERE m.organization_id = $1 AND m.merged_into_contact_id IS NOT NULL AND k.deleted_at IS NULL AND (
        ($3 AND m.channel_whatsapp_wa_id = $2)
        OR m.phone_digits = $2)
    ORDER BY m.id DESC LIMIT 1
"""
NEW = """
    INSERT INTO contacts (organization_id, first_name, phone, phone_country_code, phone_country_iso,
        channel_whatsapp_wa_id, channel_instagram_user_id, system_type, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'contact', $8, $8) RETURNING id
"""
NAME_WHATSAPP = """
    UPDATE contacts SET channel_whatsapp_wa_id = $3, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND channel_whatsapp_wa_id IS NULL RETURNING id
"""
MOVE = """
    UPDATE conversations SET contact_id = $3, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""
LONGEST_NAME = 120  # as the field `first_name` has it


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The contact, and the thread if there is one."""

    contact_id: int
    conversation_id: int | None


def normal(channel: str, address: str) -> str:
    """The one form of an address: digits with their country code for phones, else as the provider has it.

    Raises `Invalid` for a number that cannot be.
    """
    known = CAPABILITIES.get(channel)
    if known is None or not known.has_phones:
        return address.strip()
    digits = re.sub(r"\D", "", address)
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        message = "must be a phone number with its country code, such as +34600111222"
        raise Invalid([Fault("phone", "format", message, format="phone")])
    return digits


async def find(
    connection: Connection, organization_id: int, inbox_channel_id: int, channel: str, address: str,
    name: str | None, now: datetime, contact_id: int | None = None,
) -> Correspondent:  # fmt: skip
    """Whose address this is; `contact_id` or a new contact for one that nobody has. `address` is in its normal form.

    A thread whose contact was deleted goes to a new contact: the deletion holds, and nobody is turned away.
    """
    await connection.execute(LOCK, f"{organization_id}:{inbox_channel_id}:{address}")
    row = await connection.fetchrow(THREAD, organization_id, inbox_channel_id, address)
    if row is not None and not row[2]:
        return Correspondent(row[1], row[0])
    if contact_id is None:
        contact_id = await _contact(connection, organization_id, channel, address, name, now)
    if row is None:
        return Correspondent(contact_id, None)
    await connection.execute(MOVE, organization_id, row[0], contact_id, now)
    await emit(connection, organization_id, "conversations", "updated", row[0])
    return Correspondent(contact_id, row[0])


async def _contact(
    connection: Connection, organization_id: int, channel: str, address: str, name: str | None, now: datetime
) -> int:
    id: int | None = None
    if channel == "whatsapp":
        id = await connection.fetchval(BY_WHATSAPP, organization_id, address)
    if id is None and CAPABILITIES[channel].has_phones:
        id = await connection.fetchval(BY_PHONE, organization_id, address)
    if id is None and CAPABILITIES[channel].has_phones:
        id = await connection.fetchval(BY_MERGED, organization_id, address, channel == "whatsapp")
    if id is not None:
        if channel == "whatsapp" and await connection.fetchval(NAME_WHATSAPP, organization_id, id, address, now):
            await emit(connection, organization_id, "contacts", "updated", id)
        return id
    phone, code, iso = _phone(address) if CAPABILITIES[channel].has_phones else (None, None, None)
    new: int = await connection.fetchval(
        NEW, organization_id, (name or "").strip()[:LONGEST_NAME] or None, phone, code, iso,
        address if channel == "whatsapp" else None, address if channel == "instagram" else None, now,
    )  # fmt: skip
    await emit(connection, organization_id, "contacts", "created", new)
    return new


def _phone(digits: str) -> tuple[str, str, str | None]:
    """The number with its plus, its calling code, its region."""
    number = phonenumbers.parse(f"+{digits}")
    return f"+{digits}", f"+{number.country_code}", phonenumbers.region_code_for_number(number)
