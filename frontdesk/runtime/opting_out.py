"""Opting out by writing one word, as carriers have made it usual: STOP or BAJA, and START or ALTA to come back.

The word is the whole message. Who opts out gets no follow-ups and no broadcasts; what they ask is answered as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from frontdesk.assistants.config import Language
from frontdesk.assistants.follow_up_endings import stop_by_opting_out, stop_by_reply
from frontdesk.core.database import Connection
from frontdesk.core.events import emit
from frontdesk.core.patterns import without_accents
from frontdesk.runtime import decisions, outbox
from frontdesk.runtime.outbox import Draft
from frontdesk.runtime.thread import Conversation

Wish = Literal["out", "in"]
OUT: Mapping[str, Language] = {
    "stop": "ENG", "stopall": "ENG", "stop all": "ENG", "unsubscribe": "ENG", "opt out": "ENG", "optout": "ENG",
    "baja": "ESP", "dar de baja": "ESP", "darme de baja": "ESP", "darse de baja": "ESP", "cancelar suscripcion": "ESP",
}  # fmt: skip
# In a chat these are about a visit or an order; on a phone line carriers hold them to be an opt-out.
OUT_BY_SMS: Mapping[str, Language] = {"cancel": "ENG", "end": "ENG", "quit": "ENG", "cancelar": "ESP"}
IN: Mapping[str, Language] = {
    "start": "ENG", "unstop": "ENG", "subscribe": "ENG", "alta": "ESP", "dar de alta": "ESP", "darme de alta": "ESP",
}  # fmt: skip
LINES: Mapping[Wish, Mapping[Language, str]] = {
    "out": {
        "ENG": "You will get no more reminders and no offers. Write START to get them again.",
        "ESP": "Ya no recibirás recordatorios ni ofertas. Escribe ALTA para volver a recibirlos.",
    },
    "in": {
        "ENG": "You will get reminders again. Write STOP to end them.",
        "ESP": "Volverás a recibir recordatorios. Escribe BAJA para dejar de recibirlos.",
    },
}
OPT_OUT = """
    UPDATE contacts SET opted_out_at = $3, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND opted_out_at IS NULL RETURNING id
"""
# Anybody may open a ticket in somebody's name: only who is verified, or was never anybody else, opts in; or takes back
# what was said in this very conversation, as by mail, where nobody is verified.
OPT_IN = """
    UPDATE contacts k SET opted_out_at = NULL, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND opted_out_at IS NOT NULL
        AND ($4 OR created_in_conversation_id = $5 OR EXISTS (
            SELECT FROM ai_decisions d
            JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
            WHERE d.organization_id = $1 AND d.conversation_id = $5 AND d.reason = 'customer_opted_out'
                AND m.created_at = k.opted_out_at))
    RETURNING id
"""
LANGUAGE = "SELECT instructions_language FROM ai_assistants WHERE organization_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Word:
    """What a message asks for, and in which language."""

    wish: Wish
    language: Language


def word_of(text: str, channel: str) -> Word | None:
    """The wish of a message that is nothing but the word; case, accents and marks around it do not matter."""
    if len(text) > 60:
        return None
    said = " ".join("".join(c if c.isalnum() else " " for c in without_accents(text).casefold()).split())
    out = {**OUT, **(OUT_BY_SMS if channel == "sms" else {})}
    if said in out:
        return Word("out", out[said])
    return Word("in", IN[said]) if said in IN else None


async def heard(connection: Connection, talk: Conversation, text: str, message_id: int, now: datetime) -> None:
    """A customer wrote, in the transaction that stores it: what waits for their silence waits no longer.

    A word that opts out or in is answered by one line of the platform, and no assistant is asked. One that changes
    nothing (STOP once more) is answered by none; START of somebody who never opted out is a message like others.
    """
    if talk.is_staff_chat:
        return
    await stop_by_reply(connection, talk.organization_id, talk.id, now)
    word = word_of(text, talk.channel)
    if word is None or talk.contact_id is None:
        return
    contact = (talk.organization_id, talk.contact_id)
    if word.wish == "out":
        changed = await connection.fetchval(OPT_OUT, *contact, now)
        await stop_by_opting_out(connection, talk.organization_id, [talk.contact_id], now)
    else:
        changed = await connection.fetchval(OPT_IN, *contact, now, talk.is_contact_verified, talk.id)
        if changed is None:
            return
    await decisions.settle_message(connection, talk.organization_id, message_id, f"customer_opted_{word.wish}", now)
    if changed is None:
        return
    await emit(connection, talk.organization_id, "contacts", "updated", talk.contact_id)
    # In the assistant's name, so that a silent one stays silent.
    speaker = talk.assigned_ai_assistant_id
    own = None if speaker is None else await connection.fetchval(LANGUAGE, talk.organization_id, speaker)
    line = Draft(LINES[word.wish][own or word.language], "opt_out", f"opt-{word.wish}-{message_id}")
    epoch = talk.epoch + talk.is_over  # the message has opened it again
    await outbox.add(connection, talk.organization_id, talk.id, None, epoch, speaker, [line], now)
