"""A change in another system whose outcome nobody knows: a person is told, by a note and by an event."""

from __future__ import annotations

from datetime import datetime

from frontdesk.assistants.config import Language
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.events import emit_named
from frontdesk.runtime import thread
from frontdesk.runtime.thread import NewMessage
from frontdesk.runtime.tooling import CallRecord
from frontdesk.runtime.turns import Turn

NOTES: dict[Language, str] = {
    "ENG": "The call of {tool} was begun, and its outcome is unknown: it may have been carried out. It is not "
    "repeated. Please check in the other system.",
    "ESP": "La llamada a {tool} empezó y no se sabe cómo terminó: puede que se haya realizado. No se repite. "
    "Compruébalo en el otro sistema.",
}


async def tell_unknown(connection: Connection, turn: Turn, call: CallRecord, language: Language, now: datetime) -> None:
    """Leave an internal note in the conversation and the event `ai-turns.call_unknown`."""
    where = (turn.organization_id, turn.conversation_id)
    text = NOTES[language].format(tool=call.tool_name)
    note = NewMessage(
        "outbound", "system", text, "note", ai_turn_id=turn.id, ai_assistant_id=turn.ai_assistant_id
    )  # fmt: skip
    await thread.append(connection, *where, note, now)
    data: dict[str, Json] = {
        "id": turn.id, "conversation_id": turn.conversation_id, "tool_name": call.tool_name, "call_id": call.call_id,
    }  # fmt: skip
    await emit_named(connection, turn.organization_id, "ai-turns.call_unknown", turn.id, data, now)
