"""Asked as the customer gets a part: nothing under an old epoch, and nothing that was revoked."""

from __future__ import annotations

import json
from datetime import datetime

from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from tests.flow.walk_moves import CLAIM, is_open

PART = """
    SELECT o.epoch, k.opted_out_at IS NOT NULL AS has_opted_out, t.ai_follow_up_id IS NOT NULL AS is_turn_of_follow_up,
        (SELECT m.sender FROM conversation_messages m WHERE m.conversation_id = c.id
            AND m.message_type NOT IN ('note', 'reaction') ORDER BY m.position DESC LIMIT 1) AS last_sender,
        (SELECT max(m.position) FROM conversation_messages m
            JOIN ai_decisions d ON d.message_id = m.id AND d.outcome = 'pending'
            WHERE m.conversation_id = c.id AND m.direction = 'inbound') AS last_inbound,
        EXISTS (SELECT FROM ai_turn_steps s WHERE s.ai_turn_id = t.id AND s.is_change) AS has_changed,
        EXISTS (SELECT FROM ai_turn_steps s WHERE s.tool_name LIKE 'api_%' AND s.status = 'done') AS has_ordered,
        o.ai_turn_id, o.payload, o.position, o.attempts, t.last_position, c.epoch AS now, c.status, c.blocked,
        c.assigned_ai_assistant_id AS owner, a.disable_reply, a.deleted_at IS NOT NULL AS is_deleted
    FROM outbox o JOIN conversations c ON c.id = o.conversation_id
    LEFT JOIN contacts k ON k.id = c.contact_id
    LEFT JOIN ai_turns t ON t.id = o.ai_turn_id
    LEFT JOIN ai_assistants a ON a.id = (o.payload ->> 'ai_assistant_id')::bigint
    WHERE o.idempotency_key = $1
"""


async def watch(connection: Connection, key: str, schedule: str, now: datetime) -> list[str]:
    """What speaks against this part at this moment."""
    row = await connection.fetchrow(PART, key)
    assert row is not None
    body: dict[str, Json] = json.loads(row["payload"])
    said, wrong = repr(body["text"]), []
    if row["blocked"]:
        wrong.append(f"{said} went to a blocked contact")
    if body["kind"] == "written":
        return wrong
    if CLAIM in said and not row["has_ordered"]:
        wrong.append(f"{said} claims what nobody has done")
    if row["epoch"] != row["now"]:
        wrong.append(f"{said} of epoch {row['epoch']} was sent in epoch {row['now']}")
    if row["disable_reply"] or row["is_deleted"]:
        wrong.append(f"{said} was sent in the name of a silent assistant")
    if row["ai_turn_id"] is not None and row["owner"] != body["ai_assistant_id"]:
        wrong.append(f"{said} was sent by an assistant that has the conversation no more")
    is_first = row["position"] == 1 and row["attempts"] <= 1 and not row["has_changed"]
    if row["ai_turn_id"] is not None and is_first and (row["last_inbound"] or 0) > row["last_position"]:
        wrong.append(f"{said} was sent although the customer had written more before it")
    is_follow_up = body["kind"] == "follow_up" or row["is_turn_of_follow_up"]
    if (row["ai_turn_id"] is not None or is_follow_up) and row["status"] in ("closed", "resolved"):
        wrong.append(f"{said} was sent after the close")
    if is_follow_up and (row["has_opted_out"] or row["last_sender"] not in ("assistant", "system")):
        wrong.append(f"the follow-up {said} was sent after the {row['last_sender']}")
    if is_follow_up and not is_open(schedule, now):
        wrong.append(f"the follow-up {said} was sent outside the schedule")
    return wrong
