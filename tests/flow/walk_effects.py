"""What a walk's tools have done: an effect inside exactly once, a call outside at most once unless it takes a key."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from tests.flow.walker import Walk

NOTES = "SELECT text FROM notes"
STEPS = """
    SELECT s.ai_turn_id, s.call_id, s.status, s.arguments ->> 'text' AS text, s.arguments ->> 'article' AS article
    FROM ai_turn_steps s WHERE s.kind = 'tool' AND (s.tool_name = 'add_note' OR s.arguments ? 'article')
"""
TOLD = """
    SELECT (SELECT count(*) FROM conversation_messages WHERE message_type = 'note' AND sender = 'system'
        AND message_text LIKE 'The call of %') AS notes,
        (SELECT count(*) FROM events WHERE name = 'ai-turns.call_unknown') AS events
"""
APPROVALS = """
    SELECT p.id, p.status, p.reason, (SELECT count(*) FROM ai_turn_steps s WHERE s.ai_turn_id = p.ai_turn_id
        AND s.call_id = p.call_id AND s.status IN ('done', 'unknown')) AS made,
        (SELECT count(*) FROM ai_turn_steps s WHERE s.ai_turn_id = p.ai_turn_id AND s.call_id = p.call_id
            AND s.status = 'failed') AS failed,
        EXISTS (SELECT FROM ai_assistant_versions v WHERE v.ai_assistant_id = p.ai_assistant_id
            AND v.version > p.config_version AND v.created_at < p.updated_at) AS is_stale
    FROM ai_approvals p
"""
# A note or an order that had to be approved and was not.
UNASKED = """
    SELECT s.id FROM ai_turn_steps s JOIN ai_turns t ON t.id = s.ai_turn_id
    JOIN ai_assistant_versions v ON v.ai_assistant_id = t.ai_assistant_id AND v.version = t.config_version
    WHERE s.kind = 'tool' AND s.status IN ('done', 'intent', 'unknown') AND v.ai_assistant_id = $1
        AND CASE WHEN s.tool_name = 'add_note'
            THEN v.snapshot -> 'internal_tools' -> 'tools' -> 'add_note' ->> 'approval' = 'always'
            ELSE s.arguments ? 'article' AND v.snapshot -> 'api_tools' -> 0 ->> 'approval' = 'always' END
        AND NOT EXISTS (SELECT FROM ai_approvals p WHERE p.ai_turn_id = s.ai_turn_id AND p.call_id = s.call_id
            AND p.status = 'used')
"""


async def effects_always(walk: Walk) -> AsyncIterator[str]:
    desk = walk.desk
    steps = await desk.fetch(STEPS)
    notes = Counter(row["text"] for row in await desk.fetch(NOTES))
    for text, count in notes.items():
        if count > 1:
            yield f"{text!r} was written {count} times"
    done = {row["text"] for row in steps if row["text"] is not None and row["status"] == "done"}
    if done != set(notes):
        yield f"calls {done} and their effects {set(notes)} are not the same"
    async for fault in _ordered(walk):
        yield fault
    for row in await desk.fetch(UNASKED, desk.assistant_id):
        yield f"the call of step {row['id']} was made although nobody had approved it"
    for row in await desk.fetch(APPROVALS):
        if row["status"] == "used" and row["is_stale"]:
            yield f"approval {row['id']} was used after the configuration had changed"


async def _ordered(walk: Walk) -> AsyncIterator[str]:
    keys: dict[str, list[str | None]] = defaultdict(list)
    for order in walk.shop.orders:
        keys[order.article].append(order.key)
    for article, given in keys.items():
        if given[0] is None and len(given) > 1:
            yield f"{article!r} was ordered {len(given)} times, and the shop takes no key"
        if len(set(given)) > 1:
            yield f"{article!r} was ordered with the keys {given}"
        if article.startswith("book") and None in given:
            yield f"{article!r} was ordered without its key"


async def effects_at_rest(walk: Walk) -> AsyncIterator[str]:
    desk, unknown = walk.desk, 0
    ordered = {order.article for order in walk.shop.orders}
    for row in await desk.fetch(STEPS):
        unknown += row["status"] == "unknown"
        if row["status"] == "intent":
            yield f"nobody knows what became of {row['text'] or row['article']}"
        if row["article"] is not None and row["status"] == "done" and row["article"] not in ordered:
            yield f"{row['article']!r} counts as ordered and was not"
        if row["article"] in ordered and row["status"] == "refused":
            yield f"{row['article']!r} was ordered and counts as refused"
    (told,) = await desk.fetch(TOLD)
    if told["notes"] != unknown or (walk.beginning.place != "team" and told["events"] != unknown):
        yield f"{unknown} calls are unknown, of which people were told {told['notes']} and {told['events']} times"
    for row in await desk.fetch(APPROVALS):
        if row["status"] in ("pending", "approved"):
            yield f"approval {row['id']} is still {row['status']}"
        is_used = row["status"] == "used"
        if row["made"] + (row["failed"] if is_used else 0) != is_used:
            yield f"the call of approval {row['id']} ({row['status']}: {row['reason']}) was made {row['made']} times"
