"""A tool has changed while a person is asked about a call of it: the question is void, and its turn goes on.

Resources do this at the change; the spine voids by its own when it looks at a turn (`runtime/approvals.py`). Locks are
taken as there: the turn before its approvals.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from frontdesk.core.database import Connection
from frontdesk.core.events import emit
from frontdesk.core.jobs import enqueue

TOOL_CHANGED = "tool_changed"
DOORBELL = "conversation"  # the runtime's, for all that is due in one conversation
_OPEN = """organization_id = $1 AND tool_name = ANY($2::text[]) AND status IN ('pending', 'approved')"""
TURNS = f"""
    SELECT id, conversation_id FROM ai_turns
    WHERE organization_id = $1 AND id IN (SELECT ai_turn_id FROM ai_approvals WHERE {_OPEN}) ORDER BY id FOR UPDATE
"""
VOID = f"""
    UPDATE ai_approvals SET status = 'void', reason = '{TOOL_CHANGED}', updated_at = $3, version = version + 1
    WHERE {_OPEN} RETURNING id, private_to_user_id
"""
# Calls that wait together go on together, so a turn that still waits for another answer sleeps on.
WAKE = """
    UPDATE ai_turns t SET due_at = $3, updated_at = $3, version = version + 1
    WHERE t.organization_id = $1 AND t.id = ANY($2::bigint[]) AND t.status = 'waiting' AND NOT EXISTS (
        SELECT FROM ai_approvals p WHERE p.organization_id = $1 AND p.ai_turn_id = t.id AND p.status = 'pending')
    RETURNING t.conversation_id
"""


async def void_changed(connection: Connection, organization_id: int, tool_names: Sequence[str], now: datetime) -> None:
    """What waits for a person's word about calls of these tools; an approval that nobody has used yet as well."""
    turns = await connection.fetch(TURNS, organization_id, list(tool_names))
    if not turns:
        return
    rows = await connection.fetch(VOID, organization_id, list(tool_names), now)
    if ids := [row[0] for row in rows if row[1] is None]:
        await emit(connection, organization_id, "ai-approvals", "updated", *ids)
    for row in await connection.fetch(WAKE, organization_id, [turn["id"] for turn in turns], now):
        await enqueue(connection, DOORBELL, organization_id, row["conversation_id"])
