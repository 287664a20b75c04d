"""A person's word about a tool call: `PATCH /ai-approvals/:id`.

Above `runtime`, because it wakes the turn that waits. Locks are taken as everywhere: conversation, turn, approval.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from frontdesk.core.conflicts import match_version, missing
from frontdesk.core.database import Connection
from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict, Fault, Forbidden, Invalid, Json
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import thread, turns
from frontdesk.runtime.approvals import USABLE_FOR, tell, why_void
from frontdesk.runtime.overtaking import is_overtaken
from frontdesk.runtime.thread import DOORBELL, Conversation

DECISIONS = ("approved", "refused")
PLACE = "SELECT conversation_id, private_to_user_id FROM ai_approvals WHERE organization_id = $1 AND id = $2"
STORED = """
    SELECT p.id, p.ai_turn_id, p.status, p.reason, p.expires_at, p.decided_at, p.version, p.private_to_user_id,
        coalesce(nullif(concat_ws(' ', u.first_name, u.last_name), ''), u.email) AS decided_by,
        a.version <> p.config_version OR a.deleted_at IS NOT NULL AS is_changed, EXISTS (
            SELECT FROM ai_decisions d WHERE d.organization_id = $1 AND d.conversation_id = p.conversation_id
                AND d.outcome = 'pending' AND d.ai_turn_id IS NULL) AS has_newer
    FROM ai_approvals p JOIN ai_assistants a ON a.organization_id = $1 AND a.id = p.ai_assistant_id
    LEFT JOIN users u ON u.id = p.decided_by_user_id
    WHERE p.organization_id = $1 AND p.id = $2 FOR UPDATE OF p
"""
DECIDE = """
    UPDATE ai_approvals SET status = $3, note = $4, decided_by_user_id = $5, decided_at = $6, updated_at = $6,
        version = version + 1, expires_at = CASE WHEN $3 = 'approved' THEN greatest(expires_at, $7) ELSE expires_at END
    WHERE organization_id = $1 AND id = $2
"""
# Calls that wait together go on together.
WAKE = """
    UPDATE ai_turns t SET due_at = $3, updated_at = $3, version = version + 1
    WHERE t.organization_id = $1 AND t.id = $2 AND t.status = 'waiting' AND NOT EXISTS (
        SELECT FROM ai_approvals p WHERE p.organization_id = $1 AND p.ai_turn_id = $2 AND p.status = 'pending')
    RETURNING t.id
"""


async def decide(call: Call) -> Json:
    """Approve or refuse one call, once; the turn goes on when nothing of it waits any more.

    Raises `Forbidden` for whoever is no person, `Conflict` where there is nothing to decide any more.
    """
    found = await call.connection.fetchrow(PLACE, call.organization_id, call.id)
    is_person = call.caller.via == "jwt" and call.caller.user_id is not None
    if found is None or (found[1] is not None and not (is_person and found[1] == call.caller.user_id)):
        raise missing(call)
    talk = await thread.lock(call.connection, call.organization_id, found[0])
    turn = None if talk is None else await turns.find_open(call.connection, call.organization_id, talk.id)
    stored = await call.connection.fetchrow(STORED, call.organization_id, call.id)
    assert stored is not None
    call.before = {"version": stored["version"]}
    await match_version(call, call.if_match)
    if "status" in call.data or "note" in call.data:
        status = _wanted(call)
        if not is_person:
            raise Forbidden("A person decides about a tool call: log in at POST /authentication instead of an API key.")
        now = call.door.clock.now()
        is_gone = turn is None or turn.id != stored["ai_turn_id"] or is_overtaken(cast(Conversation, talk), turn)
        if (reason := _too_late(dict(stored), is_gone=is_gone, now=now)) is not None:
            raise Conflict(reason)
        await _store(call, status, stored["ai_turn_id"], now)
        await tell(call.connection, call.organization_id, "updated", [(stored["id"], stored["private_to_user_id"])])
    return (await call.call("ai-approvals", "get", id=call.id)).value


def _wanted(call: Call) -> str:
    status = call.data.get("status")
    if status is None:
        raise Invalid([Fault("status", "required", "is required: approved or refused")])
    if status not in DECISIONS:
        raise Invalid([Fault("status", "enum", "must be approved or refused", allowedValues=list(DECISIONS))])
    return str(status)


def _too_late(stored: dict[str, object], *, is_gone: bool, now: datetime) -> str | None:
    """Why nothing can be decided any more, in a sentence for who tried."""
    status, at = stored["status"], stored["decided_at"]
    if at is not None and status != "pending":
        verb = "refused" if status == "refused" else "approved"
        return f"It was {verb} already, by {stored['decided_by'] or 'somebody'} at {cast(datetime, at).isoformat()}."
    if status == "expired" or (status == "pending" and cast(datetime, stored["expires_at"]) <= now):
        return "It has expired: nobody decided in time. The assistant goes on without the call."
    if status == "void":
        return f"There is nothing to decide any more. {why_void(stored['reason'])}"
    if status != "pending" or is_gone:
        return "There is nothing to decide any more: the turn that asked is over."
    if stored["has_newer"]:
        return "The customer has written again meanwhile: the assistant reads that first and may ask anew."
    if stored["is_changed"]:
        return "The assistant's configuration has changed since it asked: it may ask anew."
    return None


async def _store(call: Call, status: str, turn_id: int, now: datetime) -> None:
    connection: Connection = call.connection
    await connection.execute(
        DECIDE, call.organization_id, call.id, status, call.data.get("note"), call.caller.user_id, now,
        now + USABLE_FOR,
    )  # fmt: skip
    if await connection.fetchval(WAKE, call.organization_id, turn_id, now) is not None:
        where = await connection.fetchval(PLACE, call.organization_id, call.id)
        await enqueue(connection, DOORBELL, call.organization_id, where)
