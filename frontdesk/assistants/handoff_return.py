"""How a conversation comes back to its assistant, as statements that both the runtime and the resources make.

Set-wise, so that one conversation and a bulk action of thousands do the same.
"""

from __future__ import annotations

from datetime import datetime

from frontdesk.assistants import decision_rows
from frontdesk.core.database import Connection
from frontdesk.core.events import emit

RETURN_DOORBELL = "hand-back"


def _listed(*codes: str) -> str:
    return ", ".join(f"'{code}'" for code in codes)


# A person has taken it: when the assistant that had it looks for the first time whether it comes back by itself.
TIMER = """
    UPDATE conversations c
    SET handoff_return_at = c.handed_off_at
        + make_interval(mins => (a.human_handoff_config -> 'return' ->> 'after_minutes')::int)
    FROM ai_assistants a
    WHERE c.organization_id = $1 AND c.id = ANY($2::bigint[]) AND c.assigned_ai_assistant_id IS NULL
        AND c.handed_off_at IS NOT NULL AND a.organization_id = $1 AND a.id = c.handed_off_by_ai_assistant_id
        AND (a.human_handoff_config ->> 'enabled')::boolean
        AND a.human_handoff_config -> 'return' ->> 'mode' = 'after_inactivity'
"""
# Somebody else has it now, and has had no time to write: it does not come back before theirs is over.
RESTART = """
    UPDATE conversations c
    SET handoff_return_at = greatest(c.handoff_return_at, $3::timestamptz
        + make_interval(mins => (a.human_handoff_config -> 'return' ->> 'after_minutes')::int))
    FROM ai_assistants a
    WHERE c.organization_id = $1 AND c.id = ANY($2::bigint[]) AND c.assigned_user_id IS NOT NULL
        AND c.handoff_return_at IS NOT NULL AND a.organization_id = $1 AND a.id = c.handed_off_by_ai_assistant_id
"""
# Of these assistants, those that take back what is closed while a person has it.
ON_CLOSE = """
    SELECT id FROM ai_assistants
    WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL
        AND (human_handoff_config ->> 'enabled')::boolean AND human_handoff_config -> 'return' ->> 'mode' = 'on_close'
"""
RETURNED = """
    UPDATE ai_handoffs SET returned_at = $3, return_reason = $4, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND conversation_id = ANY($2::bigint[]) AND kind = 'human' AND returned_at IS NULL
    RETURNING id
"""
# An answer that was being written when somebody took the conversation.
CUT_OFF = ("person_took_over", "newer_epoch")
MEANWHILE = ("owner_is_person", "auto_assignment_disabled", "no_assistant")
# What the customer wrote and nobody has answered: while a person had it, or just before, so that the answer was cut
# off. What caused a hand-off is not among it: judged anew it would only be handed over again.
_WAITING = """
    SELECT d.id FROM ai_decisions d
    JOIN conversation_messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    JOIN conversations c ON c.organization_id = d.organization_id AND c.id = d.conversation_id
    WHERE d.organization_id = $1 AND d.conversation_id = ANY($2::bigint[]) AND d.outcome = 'silent'
        AND d.reason IN ({reasons})
        AND m.deleted_at IS NULL AND (c.ai_context_cut IS NULL OR m.created_at > c.ai_context_cut)
        AND NOT EXISTS (SELECT FROM conversation_messages o
            WHERE o.organization_id = m.organization_id AND o.conversation_id = m.conversation_id
                AND o.direction = 'outbound' AND o.sender IN ('user', 'assistant')
                AND o.message_type NOT IN ('note', 'reaction') AND o.position > m.position)
"""
WAITING = _WAITING.format(reasons=_listed(*CUT_OFF, *MEANWHILE))
REOPEN = decision_rows.REOPEN.format(waiting=WAITING)
REOPEN_CUT_OFF = decision_rows.REOPEN.format(waiting=_WAITING.format(reasons=_listed(*CUT_OFF)))


async def set_timer(connection: Connection, organization_id: int, *ids: int) -> None:
    """For conversations that a person has just taken from an assistant."""
    await connection.execute(TIMER, organization_id, list(ids))


async def restart_timer(connection: Connection, organization_id: int, ids: list[int], now: datetime) -> None:
    """For conversations that people have given to each other, or taken from the queue."""
    await connection.execute(RESTART, organization_id, ids, now)


async def returning_on_close(connection: Connection, organization_id: int, ids: list[int]) -> set[int]:
    """Which of these assistants get their conversations back when they are closed."""
    return {row[0] for row in await connection.fetch(ON_CLOSE, organization_id, ids)} if ids else set()


async def note_return(
    connection: Connection, organization_id: int, ids: list[int], reason: str, now: datetime
) -> None:  # fmt: skip
    """The records of the hand-offs say when and why an assistant got the conversations back."""
    if ids:
        rows = await connection.fetch(RETURNED, organization_id, ids, now, reason)
        await emit(connection, organization_id, "ai-handoffs", "updated", *(row["id"] for row in rows))


async def reopen_waiting(
    connection: Connection, organization_id: int, ids: list[int], now: datetime, *, only_cut_off: bool = False
) -> list[int]:
    """Let the customers' messages that wait be decided anew. Gives the conversations; the caller rings for them.

    `only_cut_off`: those whose answer a takeover cut off, and not what was written to the person.
    """
    rows = await connection.fetch(REOPEN_CUT_OFF if only_cut_off else REOPEN, organization_id, ids, now)
    return sorted({row[0] for row in rows})
