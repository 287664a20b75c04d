"""What waits for its time in a walk: follow-ups, and lines that are said once in a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

from tests.flow.walk_moves import CLOSED, ONCE_PER_HOURS
from tests.flow.walker import Walk

FOLLOW_UPS = """
    SELECT f.id, f.status, f.reason, f.episode, count(*) FILTER (WHERE f.status = 'sent')
        OVER (PARTITION BY f.conversation_id, f.episode) AS sent FROM ai_follow_ups f
"""
# What happens is the end of a follow-up at once, not only when it is due. (One that is scheduled for somebody who had
# opted out before keeps its reason until then.)
STILL_SCHEDULED = """
    SELECT f.id, c.status IN ('closed', 'resolved') AS is_over, k.opted_out_at > f.created_at AS has_opted_out,
        c.assigned_ai_assistant_id IS DISTINCT FROM f.ai_assistant_id AS is_away,
        EXISTS (SELECT FROM conversation_messages m, conversation_messages a WHERE a.conversation_id = c.id
            AND a.ai_turn_id = f.answer_turn_id AND a.direction = 'outbound' AND m.conversation_id = c.id
            AND m.direction = 'inbound' AND m.position > a.position AND m.created_at > f.created_at) AS is_answered
    FROM ai_follow_ups f JOIN conversations c ON c.id = f.conversation_id LEFT JOIN contacts k ON k.id = c.contact_id
    WHERE f.status = 'scheduled'
"""
AWAY = """
    SELECT created_at FROM conversation_messages WHERE message_text = $1 AND status = 'sent' ORDER BY position
"""


async def timers_always(walk: Walk) -> AsyncIterator[str]:
    for row in await walk.desk.fetch(STILL_SCHEDULED):
        for name in ("is_over", "has_opted_out", "is_away", "is_answered"):
            if row[name]:
                yield f"follow-up {row['id']} is still scheduled though the conversation {name}"
    said = [row["created_at"] for row in await walk.desk.fetch(AWAY, CLOSED)]
    for one, next_one in pairwise(said):
        if next_one - one < timedelta(hours=ONCE_PER_HOURS):
            yield f"{CLOSED!r} was said at {one} and at {next_one}"


async def timers_at_rest(walk: Walk) -> AsyncIterator[str]:
    for row in await walk.desk.fetch(FOLLOW_UPS):
        if row["status"] in ("scheduled", "sending"):
            yield f"follow-up {row['id']} is still {row['status']}"
        if row["status"] == "cancelled" and not row["reason"]:
            yield f"follow-up {row['id']} was cancelled without a reason"
        if row["sent"] > 2:
            yield f"episode {row['episode']} had {row['sent']} follow-ups"
