"""The evidence for what a reply claims, read from the store: so a resumed turn finds the same."""

from __future__ import annotations

import json

from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.errors import Json
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.receipts import Evidence, Receipt
from frontdesk.runtime.unknown_calls import BY_CATALOGUE

MOST_CALLS = 200
MOST_MESSAGES = 60
LONGEST_RESULT = 20_000  # characters

CALLS = """
    SELECT s.ai_turn_id, s.tool_name, s.is_change, s.arguments::text AS arguments, left(s.result::text, $4) AS result
    FROM ai_turns t
    JOIN ai_turn_steps s ON s.organization_id = $1 AND s.ai_turn_id = t.id AND s.kind = 'tool' AND s.status = 'done'
    JOIN conversations c ON c.organization_id = $1 AND c.id = t.conversation_id
    WHERE t.organization_id = $1 AND t.conversation_id = $2
        AND t.created_at > coalesce(c.ai_context_cut, '-infinity'::timestamptz)
    ORDER BY s.id DESC LIMIT $3
"""
WORDS = """
    SELECT m.message_text, m.position BETWEEN $3 AND $4 AND m.direction = 'inbound' AS is_asked,
        m.direction = 'outbound' AND m.sender = 'user' AS is_of_team
    FROM conversation_messages m
    JOIN conversations c ON c.organization_id = $1 AND c.id = m.conversation_id
    WHERE m.organization_id = $1 AND m.conversation_id = $2 AND m.deleted_at IS NULL
        AND m.message_type NOT IN ('note', 'reaction') AND m.position <= $4
        AND m.created_at > coalesce(c.ai_context_cut, '-infinity'::timestamptz)
    ORDER BY m.position DESC LIMIT $5
"""


async def read_evidence(held: HeldTurn) -> Evidence:
    where = (held.organization_id, held.conversation_id)
    async with held.database.reading(held.organization_id) as connection:
        calls = await connection.fetch(CALLS, *where, MOST_CALLS, LONGEST_RESULT)
        words = await connection.fetch(
            WORDS, *where, held.turn.first_position, held.turn.last_position, MOST_MESSAGES
        )  # fmt: skip
    receipts = [
        _receipt(row["tool_name"], row["arguments"], row["result"], row["is_change"], row["ai_turn_id"] == held.turn_id)
        for row in calls
    ]
    asked = [row["message_text"] or "" for row in words if row["is_asked"]]
    team = [row["message_text"] or "" for row in words if row["is_of_team"]]
    return Evidence(receipts, team, " ".join(asked))


def _receipt(tool: str, arguments: str | None, result: str | None, is_change: bool, is_of_turn: bool) -> Receipt:
    if tool == BY_CATALOGUE:
        # The catalogue's own tool always counts as a change; what it called tells better.
        given: Json = json.loads(arguments or "{}")
        tool = str(given.get("name", tool)) if isinstance(given, dict) else tool
    key = TOOL_KEYS.get(tool)
    said = f"{arguments or ''} {result or ''}"
    return Receipt(
        tool, key.changes if key else is_change, is_of_turn, said if not key or key.changes else result or ""
    )
