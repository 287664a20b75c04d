"""Writing first: a WhatsApp conversation that the organization opens, by a template."""

from __future__ import annotations

from typing import cast

import asyncpg

from frontdesk.core.database import Connection
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Forbidden, Invalid, Json, Unprocessable
from frontdesk.runtime import correspondents, person, thread
from frontdesk.runtime.composing import compose, invalid

ACCOUNTS = """
    SELECT id, ai_assistant_id FROM inbox_channels
    WHERE organization_id = $1 AND channel = 'whatsapp' AND is_active AND deleted_at IS NULL
        AND ($2::bigint IS NULL OR id = $2)
    ORDER BY id LIMIT 2
"""
CONTACT = """
    SELECT phone, phone_country_code, channel_whatsapp_wa_id FROM contacts
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
"""


async def initiate(call: Call) -> Json:
    """Answers `POST /conversations-initiate-whatsapp`. The conversation goes to the account's assistant, unless a
    person takes it with this message."""
    connection, data, now = call.connection, call.data, call.door.clock.now()
    if call.caller.scope is not None:
        raise Forbidden("Writing to somebody first is outside of what this conversation may reach.")
    account = await _account(call)
    given = (data.get("contact_id") is None, not data.get("phone"))
    if given[0] == given[1]:
        raise invalid("contact_id", "oneOf", "give either contact_id or phone")
    name = "phone" if given[0] else "contact_id"
    number = str(data["phone"]) if given[0] else await _number_of(connection, call.organization_id, data["contact_id"])
    if given[0] and not number.strip().startswith(("+", "00")):
        raise invalid("phone", "format", "must begin with + and the country code")
    try:
        address = correspondents.normal("whatsapp", number.strip().removeprefix("00"))
    except Invalid as error:
        raise invalid(name, "format", error.errors["phone"]) from None
    found = await correspondents.find(
        connection, call.organization_id, account["id"], "whatsapp", address, None, now,
        cast("int | None", data.get("contact_id")),
    )  # fmt: skip
    id = found.conversation_id
    if id is None:
        id = await thread.create(connection, thread.Opening(
            call.organization_id, found.contact_id, "whatsapp", account["id"], None, True, call.caller.user_id, address
        ), now)  # fmt: skip
    talk = await thread.lock(connection, call.organization_id, id)
    assert talk is not None
    call.data |= {"message_type": "template", "conversation_id": id}
    text, extras = await compose(call, talk)
    await thread.wake(connection, talk, now, now)
    talk = await thread.lock(connection, call.organization_id, id)
    assert talk is not None
    message_id = await person.say(call, talk, text, extras)
    return (await call.call("conversation-messages-whatsapp", "get", id=message_id)).value


async def _account(call: Call) -> asyncpg.Record:
    wanted = call.data.get("inbox_channel_id")
    rows = await call.connection.fetch(ACCOUNTS, call.organization_id, wanted)
    if not rows and wanted is not None:
        raise invalid("inbox_channel_id", "reference", "names no WhatsApp account that is switched on")
    if not rows:
        raise Unprocessable("No WhatsApp account is connected.", data={"code": "not_connected"})
    if len(rows) > 1:
        raise invalid("inbox_channel_id", "required", "is required: there are several WhatsApp accounts")
    return rows[0]


async def _number_of(connection: Connection, organization_id: int, contact_id: object) -> str:
    row = await connection.fetchrow(CONTACT, organization_id, contact_id)
    if row is None:
        raise Invalid([Fault("contact_id", "reference", "names no row of contacts")])
    if row["channel_whatsapp_wa_id"]:
        return str(row["channel_whatsapp_wa_id"])
    if not row["phone"]:
        raise invalid("contact_id", "reference", "is a contact without a phone number")
    phone, code = str(row["phone"]), row["phone_country_code"]
    if not phone.startswith("+") and code is None:
        # Without it the number would be read as one of some other country, and somebody else would get the message.
        raise invalid("contact_id", "reference", "is a contact whose phone number has no country code")
    return phone if phone.startswith("+") else f"{code}{phone}"
