"""A person's message into a conversation: it takes ownership at once, and a running turn is discarded (rule 1).

The message is in the thread when the call answers. Where a provider carries it, it is `pending` then, and the outbox
sends it: the row is written in this transaction, the provider is asked in none.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

from frontdesk.assistants import follow_up_endings
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.door import Call
from frontdesk.core.errors import Json, NotFound, Unprocessable
from frontdesk.core.events import emit
from frontdesk.core.formats import iso_text
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import fence, outbox, thread, turns
from frontdesk.runtime.composing import compose, invalid
from frontdesk.runtime.outbox import Draft
from frontdesk.runtime.overtaking import drop
from frontdesk.runtime.refusals import said_of
from frontdesk.runtime.thread import DOORBELL, Conversation, NewMessage

QUIET = ("note", "reaction")  # never take a conversation over
# One reaction of a side to a message: a newer one takes the place of the earlier one, an empty one takes it back.
REPLACE = """
    UPDATE conversation_messages SET deleted_at = $4, updated_at = $4, version = version + 1
    WHERE organization_id = $1 AND reaction_to_message_id = $2 AND direction = $3 AND deleted_at IS NULL
    RETURNING id
"""


async def reply(call: Call) -> Json:
    """Answers the send services of a channel: a message, note, reaction or template by a person, a key or a tool.

    `takeover` is true by default for a login and false for an API key; notes and reactions never take over. Raises
    `Invalid` for what cannot be sent at all, `Unprocessable` (422, `data.code`) for what may not be sent now.
    """
    channel = str(call.resource.fixed["channel"])
    talk = await thread.lock(call.connection, call.organization_id, cast(int, call.data["conversation_id"]))
    if talk is None or talk.channel != channel or talk.kind != "conversation" or not await _reaches(call, talk):
        raise invalid("conversation_id", "reference", f"names no conversation of the channel {channel}")
    text, extras = await compose(call, talk)
    message_id = await say(call, talk, text, extras)
    return (await call.call(f"conversation-messages-{channel}", "get", id=message_id)).value


async def _reaches(call: Call, talk: Conversation) -> bool:
    """Whoever is bound to one customer's rows writes into that customer's conversations only."""
    if call.caller.scope is None:
        return True
    try:
        await call.call("conversations", "get", id=talk.id)
    except NotFound:
        return False
    return True


async def say(call: Call, talk: Conversation, text: str | None = None, extras: dict[str, Json] | None = None) -> int:
    """Write the body's message into a thread that is locked, a ticket too, and take it over. Gives its id."""
    data, now, kind = call.data, call.door.clock.now(), str(call.data["message_type"])
    if kind != "note":
        await require_open(call, talk, kind, now)
    takeover = call.caller.via == "jwt" if data.get("takeover") is None else bool(data["takeover"])
    if takeover and kind not in QUIET and call.caller.ai_assistant_id is None:
        talk = await _take_over(call, talk)
    if kind not in QUIET and call.caller.ai_assistant_id is None:
        # Also without a takeover: whoever answers the customer leaves nothing to remind of.
        await follow_up_endings.stop(call.connection, talk.organization_id, [talk.id], "human", now)
    return await write(call, talk, kind, str(data["message_text"]) if text is None else text, extras or {})


async def require_open(call: Call, talk: Conversation, kind: str, now: datetime) -> None:
    """Nothing is written that could not be sent. Raises `Unprocessable` with the rule's code."""
    connection = call.connection
    code = (
        await fence.contact_barred(connection, talk)
        or await fence.assistant_barred(connection, talk.organization_id, call.caller.ai_assistant_id)
        or await fence.channel_barred(connection, talk, kind, now)
    )
    if code is None:
        return
    facts: dict[str, Json] = {"code": code}
    if code == "outside_window" and (window := await fence.window_of(connection, talk)) is not None:
        facts["last_inbound_at"] = _iso(window.heard_at)
        facts["window_ended_at"] = _iso(window.ends_at)
    raise Unprocessable(said_of(code), data=facts)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_text(moment)


async def write(call: Call, talk: Conversation, kind: str, text: str, extras: dict[str, Json]) -> int:
    """Store the message, and hand it to the outbox where a provider carries it. Gives its id."""
    connection, now, caller = call.connection, call.door.clock.now(), call.caller
    if kind == "reaction":
        await _replace_reaction(call, talk, cast(int, extras["reaction_to_message_id"]), now)
    known = CAPABILITIES.get(talk.channel)
    is_local = known is None or known.is_local
    status = "stored" if kind == "note" else "sent" if is_local else "pending"
    sender = "assistant" if caller.ai_assistant_id is not None else "user"
    message = NewMessage(
        "outbound", sender, text, kind, status, user_id=caller.user_id, ai_assistant_id=caller.ai_assistant_id,
        extras=extras,
    )  # fmt: skip
    message_id, _ = await thread.append(connection, talk.organization_id, talk.id, message, now)
    if status == "pending":
        draft = Draft(text, "written", f"message-{message_id}", message_id=message_id)
        await outbox.add(
            connection, talk.organization_id, talk.id, None, talk.epoch, caller.ai_assistant_id, [draft], now
        )
        await enqueue(connection, DOORBELL, talk.organization_id, talk.id)
    return message_id


async def _replace_reaction(call: Call, talk: Conversation, target: int, now: datetime) -> None:
    rows = await call.connection.fetch(REPLACE, talk.organization_id, target, "outbound", now)
    path = thread.messages_path(talk.kind, talk.channel)
    if rows:
        await emit(call.connection, talk.organization_id, path, "deleted", *(row["id"] for row in rows))


async def _take_over(call: Call, talk: Conversation) -> Conversation:
    now, user_id = call.door.clock.now(), call.caller.user_id
    if talk.assigned_user_id is not None and talk.assigned_user_id == user_id:
        return talk
    await thread.take_over(call.connection, talk, user_id, now)
    taken = replace(talk, epoch=talk.epoch + 1, assigned_user_id=user_id, assigned_ai_assistant_id=None)
    turn = await turns.find_open(call.connection, call.organization_id, talk.id)
    if turn is not None:
        await drop(call.connection, taken, turn, now)
    return taken
