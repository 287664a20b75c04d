"""What a member writes into a chat with an assistant of the team: `POST /ai-chat-messages`.

Above `runtime` and `reception`, because it is received like any message and answered by the same spine.
"""

from __future__ import annotations

from typing import cast

from frontdesk.core.capabilities import MEDIA
from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict, Fault, Invalid, Json
from frontdesk.reception import Inbound, receive
from frontdesk.runtime import thread
from frontdesk.runtime.composing import FILE_MEMBERS, file_of
from frontdesk.runtime.thread import AI_CHAT

TITLE_LENGTH = 60  # characters of a title that nobody gave
IS_GONE = "SELECT deleted_at IS NOT NULL FROM ai_assistants WHERE organization_id = $1 AND id = $2"
IS_UNTITLED = "SELECT title IS NULL FROM conversations WHERE organization_id = $1 AND id = $2"


async def write(call: Call) -> Json:
    """Store the member's message and promise an answer. The same `idempotency_key` again changes nothing.

    Raises `Invalid` for a session that is not the caller's, `Conflict` where its assistant is deleted.
    """
    text, organization_id = str(call.data.get("message_text") or ""), call.organization_id
    kind, extras = str(call.data["message_type"]), await _file(call)
    if kind == "text" and not text.strip():
        raise Invalid([Fault("message_text", "required", "is required")])
    session = await thread.lock(call.connection, organization_id, cast(int, call.data["ai_chat_session_id"]))
    # Somebody else's session is no session: whoever guesses ids learns nothing.
    if session is None or not session.is_staff_chat or session.created_by_user_id != call.caller.user_id:
        raise Invalid([Fault("ai_chat_session_id", "reference", "names no row of ai-chat-sessions")])
    if await call.connection.fetchval(IS_GONE, organization_id, session.assigned_ai_assistant_id):
        raise Conflict("The assistant of this session has been deleted; begin a session with another one.")
    if text.strip() and await call.connection.fetchval(IS_UNTITLED, organization_id, session.id):
        await call.call("ai-chat-sessions", "patch", id=session.id, data={"title": first_words(text)})
    key = call.data.get("idempotency_key")
    stored = await receive(
        call.door,
        Inbound(
            organization_id,
            AI_CHAT,
            text,
            # Keys are unique within their session only.
            external_id=None if key is None else f"session-{session.id}-{key}",
            conversation_id=session.id,
            created_by_user_id=call.caller.user_id,
            message_type=kind,
            extras=extras,
        ),
        call.connection,
    )
    return (await call.call("ai-chat-messages", "get", id=stored.id)).value


async def _file(call: Call) -> dict[str, Json]:
    """The file of a message that has one; members of a file in a text are a mistake that is named."""
    if call.data["message_type"] in MEDIA:
        return await file_of(call, is_required=True)
    given = [name for name in FILE_MEMBERS if call.data.get(name) is not None]
    if given:
        raise Invalid([Fault(name, "notForType", "does not belong to a message of the type text") for name in given])
    return {}


def first_words(text: str) -> str:
    """The first line's whole words, up to `TITLE_LENGTH` characters; a longer first word is cut."""
    line = " ".join(text.strip().splitlines()[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    words = line[:TITLE_LENGTH].rpartition(" ")[0]
    return f"{words or line[: TITLE_LENGTH - 1]}…"
