"""A person's message into a conversation: it takes ownership at once, and a running turn is discarded (rule 1)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.runtime import thread, turns
from frontdesk.runtime.overtaking import drop
from frontdesk.runtime.thread import Conversation, NewMessage


async def reply(call: Call) -> Json:
    """Answers `POST /conversation-messages-transform-outgoing-…` of a channel that reads our own rows.

    `takeover` is true by default for a login and false for an API key; a note never takes over.
    """
    data, channel, now = call.data, str(call.resource.fixed["channel"]), call.door.clock.now()
    conversation_id = cast(int, data["conversation_id"])
    talk = await thread.lock(call.connection, call.organization_id, conversation_id)
    if talk is None or talk.channel != channel:
        raise Invalid([Fault("conversation_id", "reference", f"names no conversation of the channel {channel}")])
    is_note = data["message_type"] == "note"
    takeover = call.caller.via == "jwt" if data.get("takeover") is None else bool(data["takeover"])
    if takeover and not is_note:
        await _take_over(call, talk)
    message = NewMessage(
        "outbound", "user", str(data["message_text"]), str(data["message_type"]), "stored" if is_note else "sent",
        user_id=call.caller.user_id,
    )  # fmt: skip
    message_id, _ = await thread.append(call.connection, call.organization_id, talk.id, message, now)
    return (await call.call(f"conversation-messages-{channel}", "get", id=message_id)).value


async def _take_over(call: Call, talk: Conversation) -> None:
    now, user_id = call.door.clock.now(), call.caller.user_id
    if talk.assigned_user_id is not None and talk.assigned_user_id == user_id:
        return
    await thread.take_over(call.connection, talk, user_id, now)
    turn = await turns.find_open(call.connection, call.organization_id, talk.id)
    if turn is not None:
        taken = replace(talk, epoch=talk.epoch + 1, assigned_user_id=user_id, assigned_ai_assistant_id=None)
        await drop(call.connection, taken, turn, now)
