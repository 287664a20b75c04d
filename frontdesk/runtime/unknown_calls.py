"""A change in another system whose outcome nobody knows: a person is told, by a note and by an event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from frontdesk.assistants.config import Language
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import Json
from frontdesk.core.events import emit_named
from frontdesk.runtime import thread
from frontdesk.runtime.thread import NewMessage
from frontdesk.runtime.tooling import CallRecord

NOTES: dict[Language, str] = {
    "ENG": "The call of {tool} was begun, and its outcome is unknown: it may have been carried out. It is not "
    "repeated. Please check in the other system.",
    "ESP": "La llamada a {tool} empezó y no se sabe cómo terminó: puede que se haya realizado. No se repite. "
    "Compruébalo en el otro sistema.",
}


BY_CATALOGUE = "call_tool"  # its argument `name` is the tool's
INTENT = f"""
    SELECT t.conversation_id, t.id, t.ai_assistant_id,
        CASE WHEN s.tool_name = '{BY_CATALOGUE}' THEN s.arguments ->> 'name' ELSE s.tool_name END, s.call_id,
        a.instructions_language
    FROM ai_turn_steps s JOIN ai_turns t ON t.organization_id = $1 AND t.id = s.ai_turn_id
    JOIN ai_assistants a ON a.organization_id = $1 AND a.id = t.ai_assistant_id
    WHERE s.organization_id = $1 AND s.id = $2 AND s.status = 'intent' AND t.status = 'ended'
"""
IS_PRIVATE = "SELECT private_to_user_id IS NOT NULL FROM ai_turns WHERE organization_id = $1 AND id = $2"
SETTLE = """
    UPDATE ai_turn_steps SET status = 'unknown', updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id = $2 AND status = 'intent' RETURNING id
"""


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """Which call of which turn."""

    organization_id: int
    conversation_id: int
    turn_id: int
    ai_assistant_id: int
    tool_name: str
    call_id: str


def called(call: CallRecord) -> str:
    """The tool that was meant, though it was called by the catalogue."""
    return str(call.arguments.get("name", BY_CATALOGUE)) if call.tool_name == BY_CATALOGUE else call.tool_name


async def tell_unknown(connection: Connection, call: UnknownCall, language: Language, now: datetime) -> None:
    """Leave an internal note in the conversation and the event `ai-turns.call_unknown`; a staff chat has its note only.

    The conversation is locked already: whoever needs both locks it before the turn.
    """
    text = NOTES[language].format(tool=call.tool_name)
    note = NewMessage(
        "outbound", "system", text, "note", ai_turn_id=call.turn_id, ai_assistant_id=call.ai_assistant_id
    )  # fmt: skip
    await thread.append(connection, call.organization_id, call.conversation_id, note, now)
    if await connection.fetchval(IS_PRIVATE, call.organization_id, call.turn_id):
        return
    data: dict[str, Json] = {
        "id": call.turn_id, "conversation_id": call.conversation_id, "tool_name": call.tool_name,
        "call_id": call.call_id,
    }  # fmt: skip
    await emit_named(connection, call.organization_id, "ai-turns.call_unknown", call.turn_id, data, now)


class UnknownCalls:
    """Settles intents whose turn has ended without an outcome; the sweeper rings for each."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock

    async def settle(self, organization_id: int, step_id: int) -> None:
        async with self.database.transaction(organization_id) as connection:
            row = await connection.fetchrow(INTENT, organization_id, step_id)
            if row is None:
                return
            await thread.lock(connection, organization_id, row["conversation_id"])
            now = self.clock.now()
            if await connection.fetchval(SETTLE, organization_id, step_id, now) is not None:
                await tell_unknown(
                    connection, UnknownCall(organization_id, *row[:5]), row["instructions_language"], now
                )
