"""What becomes of the conversations and tickets of somebody who leaves the organization: they wait in the queue.

Else they would have an owner for ever who never looks at them, and no assistant would speak in them.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from frontdesk.core.database import Connection
from frontdesk.core.events import emit

OWNER_LEFT = "owner_left"
# Hand-offs of one organization choose one after the other, to the end of their transactions, so that each sees whom the
# one before it chose, and none chooses somebody who is just leaving.
HANDOFF_LOCK = "SELECT pg_advisory_xact_lock(hashtext('hand-off'), $1)"
_PATHS = {"conversation": "conversations", "ticket": "support-tickets"}
# In the order of ids, as bulk actions lock them.
_RELEASE = """
    UPDATE conversations SET assigned_user_id = NULL, owner_reason = 'owner_left', epoch = epoch + 1,
        version = version + 1, updated_at = $3
    WHERE organization_id = $1 AND id IN (
        SELECT id FROM conversations WHERE organization_id = $1 AND assigned_user_id = $2 AND {which}
            AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE)
    RETURNING id, kind
"""
# What is closed waits until the customer writes again: of those there may be very many.
OPEN_ONES = _RELEASE.format(which="status IN ('open', 'pending')")
THIS_ONE = _RELEASE.format(which="id = $4")
IS_MEMBER = "SELECT true FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"


async def release_open(connection: Connection, organization_id: int, user_id: int, now: datetime) -> None:
    """This person leaves: what they have open has no owner any more. To be called before the member is gone."""
    await connection.execute(HANDOFF_LOCK, organization_id)
    await _tell(connection, organization_id, OPEN_ONES, user_id, now)


async def release_if_departed(
    connection: Connection, organization_id: int, conversation_id: int, user_id: int, now: datetime
) -> bool:
    """Under the conversation's lock: True where its owner has left, and it has none any more."""
    if await connection.fetchval(IS_MEMBER, organization_id, user_id):
        return False
    await _tell(connection, organization_id, THIS_ONE, user_id, now, conversation_id)
    return True


async def _tell(connection: Connection, organization_id: int, sql: str, *arguments: object) -> None:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for row in await connection.fetch(sql, organization_id, *arguments):
        by_kind[row["kind"]].append(row["id"])
    for kind, ids in by_kind.items():
        await emit(connection, organization_id, _PATHS[kind], "updated", *ids)
