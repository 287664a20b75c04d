"""A turn that waits for a person: its lease is given back, the customer reads one line, and no process waits."""

from __future__ import annotations

from frontdesk.assistants.approval_words import LINES, STAFF_LINES
from frontdesk.core.database import Connection
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import approvals, decisions, outbox, thread, turns
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.outbox import Draft
from frontdesk.runtime.signs import quiet
from frontdesk.runtime.thread import DOORBELL

COUNT = """
    UPDATE ai_turns SET approval_waits = coalesce(approval_waits, 0) + 1 WHERE organization_id = $1 AND id = $2
"""


async def wait_for_person(held: HeldTurn) -> None:
    """Give the lease back until a person has decided, or until the first question expires.

    Raises `LeaseLost` or `Superseded`.
    """
    turn, now = held.turn, held.clock.now()
    where = (turn.organization_id, turn.conversation_id)
    async with held.database.transaction(turn.organization_id) as connection:
        talk = await thread.lock(connection, *where)
        await held.hold(connection)
        expires_at, tools = await approvals.waits_until(connection, turn)
        await turns.postpone(connection, turn, "waiting", expires_at or now, now)
        await connection.execute(COUNT, turn.organization_id, turn.id)
        if expires_at is None:
            # The person was faster than we are: everything is decided already.
            await enqueue(connection, DOORBELL, *where)
            return
        facts = {"tools": ", ".join(tools)}
        await decisions.settle(connection, turn.organization_id, turn.id, "pending", "waits_for_approval", now, facts)
        await quiet(connection, turn)
        # Of a follow-up nobody has asked anything yet, so there is nothing to be checked.
        if talk is not None and not turn.is_muted and turn.ai_follow_up_id is None:
            await _say_line(connection, held, is_staff_chat=talk.is_staff_chat, tools=facts["tools"])


async def _say_line(connection: Connection, held: HeldTurn, *, is_staff_chat: bool, tools: str) -> None:
    """Once per turn, by its key: a turn may wait several times, and one line is enough."""
    turn, language = held.turn, held.config.instructions_language
    words = STAFF_LINES[language].format(tools=tools) if is_staff_chat else LINES[language]
    line = Draft(words, "approval", f"turn-{turn.id}-approval", about_turn_id=turn.id)
    where = (turn.organization_id, turn.conversation_id, None, turn.epoch, held.config.id)
    await outbox.add(connection, *where, [line], held.clock.now())
