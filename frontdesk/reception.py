"""The first step of the spine: receive. An inbound is stored once and an answer promised, in one transaction.

Apart from `flow.py`, whose model loop an HTTP process never runs and need not load (`docs/why`). No model, no provider
call, no slow work here.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import BadRequest, Json, NotFound
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import decisions, opting_out, thread, turns
from frontdesk.runtime.thread import DOORBELL, NewMessage

BEFORE = timedelta(milliseconds=1)  # the context of a reopened conversation begins before its first message


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as a channel gave it, unique by (channel, inbox channel, external id).

    Without a conversation a new one is opened, owned by `ai_assistant_id`, else by the inbox channel's assistant when
    it is decided; without a contact a new visitor is made. `address` is the customer's at the provider, `extras` are
    the columns of its kind (media, a reaction).
    """

    organization_id: int
    channel: str
    text: str
    inbox_channel_id: int | None = None
    external_id: str | None = None
    conversation_id: int | None = None
    contact_id: int | None = None
    ai_assistant_id: int | None = None
    created_by_user_id: int | None = None
    message_type: str = "text"
    is_contact_verified: bool = False
    address: str | None = None
    extras: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """Where an inbound lies. `is_new` is false for a repeat delivery, which changes nothing."""

    id: int
    conversation_id: int
    contact_id: int | None
    position: int
    is_new: bool = True


KNOWN = """
    SELECT m.id, m.conversation_id, c.contact_id, m.position FROM conversation_messages m
    JOIN conversations c ON c.organization_id = m.organization_id AND c.id = m.conversation_id
    WHERE m.organization_id = $1 AND m.channel = $2 AND coalesce(m.inbox_channel_id, 0) = coalesce($3::bigint, 0)
        AND m.external_id = $4 AND m.direction = 'inbound'
"""


async def receive(door: Door, inbound: Inbound, connection: Connection | None = None) -> StoredMessage:
    """Store an inbound once and promise an answer, in one transaction (`connection` joins the caller's).

    Raises `NotFound` for a conversation that is not there, `BadRequest` for one of another channel.
    """
    organization_id = inbound.organization_id
    async with nullcontext(connection) if connection else door.database.reading(organization_id) as own:
        try:
            # Within the caller's transaction this is a savepoint, which only a name that may come twice needs.
            async with nullcontext() if connection and inbound.external_id is None else own.transaction():
                return await _store(own, inbound, door.clock.now())
        except asyncpg.UniqueViolationError:
            # The same delivery came twice at once; the other one has been committed by now.
            known = await _known(own, inbound)
            if known is None:
                raise
            return known


async def _known(connection: Connection, inbound: Inbound) -> StoredMessage | None:
    if inbound.external_id is None:
        return None
    row = await connection.fetchrow(
        KNOWN, inbound.organization_id, inbound.channel, inbound.inbox_channel_id, inbound.external_id
    )
    return None if row is None else StoredMessage(row[0], row[1], row[2], row[3], is_new=False)


async def _store(connection: Connection, inbound: Inbound, now: datetime) -> StoredMessage:
    organization_id, conversation_id = inbound.organization_id, inbound.conversation_id
    is_first = conversation_id is None
    if is_first and (known := await _known(connection, inbound)) is not None:
        return known
    if conversation_id is None:
        conversation_id = await thread.create(connection, thread.Opening(
            organization_id, inbound.contact_id, inbound.channel, inbound.inbox_channel_id, inbound.ai_assistant_id,
            inbound.is_contact_verified, inbound.created_by_user_id, inbound.address,
        ), now)  # fmt: skip
    talk = await thread.lock(connection, organization_id, conversation_id)
    if talk is None:
        raise NotFound(f"There is no conversation {conversation_id}.")
    if talk.channel != inbound.channel:
        raise BadRequest(f"Conversation {conversation_id} belongs to the channel {talk.channel}.")
    if not is_first and (known := await _known(connection, inbound)) is not None:
        return known
    message = NewMessage(
        "inbound", "user" if talk.is_staff_chat else "contact", inbound.text, inbound.message_type,
        external_id=inbound.external_id, extras=inbound.extras,
    )  # fmt: skip
    if inbound.message_type == "reaction":
        # Nobody waits for an answer to it: no turn, no decision, and what was closed stays closed.
        message_id, position = await thread.append(connection, organization_id, talk.id, message, now)
        return StoredMessage(message_id, talk.id, talk.contact_id, position)
    await thread.wake(connection, talk, now - BEFORE, now)
    message_id, position = await thread.append(connection, organization_id, talk.id, message, now)
    await decisions.open_decision(connection, organization_id, talk.id, message_id, now, talk.viewer_id)
    await turns.supersede(connection, organization_id, talk.id, message_id, now)
    await opting_out.heard(connection, talk, inbound.text, message_id, now)
    await enqueue(connection, DOORBELL, organization_id, talk.id)
    return StoredMessage(message_id, talk.id, talk.contact_id, position)
