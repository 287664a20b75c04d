"""The way back by time: a person who writes nothing for so long gives the conversation back to its assistant.

The timer is a moment on the conversation. When it is due everything is looked at again: a message of the person moves
it, a change of the configuration ends it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_return import note_return, reopen_waiting
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.events import emit
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import thread
from frontdesk.runtime.assistant_reading import Assistants
from frontdesk.runtime.thread import DOORBELL, Conversation

STATE = """
    SELECT handed_off_by_ai_assistant_id AS assistant_id, handed_off_at, handoff_return_at FROM conversations
    WHERE organization_id = $1 AND id = $2
"""
# A note is work on the case too.
LAST_WORK = """
    SELECT max(created_at) FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2 AND sender = 'user' AND created_at > $3
"""
MOVE = "UPDATE conversations SET handoff_return_at = $3 WHERE organization_id = $1 AND id = $2"
HAND_BACK = """
    UPDATE conversations SET assigned_ai_assistant_id = $3, assigned_user_id = NULL, assigned_team_id = NULL,
        owner_reason = NULL, handoff_reason = NULL, ai_auto_assignment_disabled = false,
        ai_auto_assignment_disabled_reason = NULL, handed_off_by_ai_assistant_id = NULL, handed_off_at = NULL,
        handoff_return_at = NULL, ai_shared = NULL, epoch = epoch + 1, version = version + 1, updated_at = $4
    WHERE organization_id = $1 AND id = $2
"""


class Returns:
    """What a worker does when the bell of a hand-back rings."""

    def __init__(self, door: Door) -> None:
        self.database, self.clock = door.database, door.clock
        self.assistants = Assistants()

    async def look(self, organization_id: int, conversation_id: int) -> None:
        """Give it back if it is time, else set the next time. Safe to ring twice, late, or on two machines."""
        async with self.database.transaction(organization_id) as connection:
            now = self.clock.now()
            talk = await thread.lock(connection, organization_id, conversation_id)
            row = await connection.fetchrow(STATE, organization_id, conversation_id)
            if talk is None or row is None or row["handoff_return_at"] is None or row["handoff_return_at"] > now:
                return
            config = None
            if row["assistant_id"] is not None and talk.assigned_ai_assistant_id is None:
                config = await self.assistants.current(connection, organization_id, row["assistant_id"])
            due_at = await self._due_at(connection, talk, config, row["handed_off_at"])
            if config is None or due_at is None or due_at > now:
                await connection.execute(MOVE, organization_id, conversation_id, due_at)
                return
            await hand_back(connection, talk, config.id, now)

    async def _due_at(
        self, connection: Connection, talk: Conversation, config: AssistantConfig | None, since: datetime | None
    ) -> datetime | None:
        """None where the assistant does not get it back by itself, as its record stands now."""
        if config is None or config.deleted_at is not None or since is None or not config.human_handoff.enabled:
            return None
        back = config.human_handoff.back
        if back.mode != "after_inactivity" or back.after_minutes is None:
            return None
        last = await connection.fetchval(LAST_WORK, talk.organization_id, talk.id, since)
        return (last or since) + timedelta(minutes=back.after_minutes)


async def hand_back(connection: Connection, talk: Conversation, assistant_id: int, now: datetime) -> None:
    """The assistant has it again, and answers what has been waiting; in a closed one it waits for the next message."""
    where = (talk.organization_id, talk.id)
    await connection.execute(HAND_BACK, *where, assistant_id, now)
    await note_return(connection, talk.organization_id, [talk.id], "after_inactivity", now)
    await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=("assigned",))
    if not talk.is_over:
        await reopen_waiting(connection, talk.organization_id, [talk.id], now)
    await enqueue(connection, DOORBELL, *where)
