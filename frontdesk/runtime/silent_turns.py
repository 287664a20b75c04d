"""Turns that called tools and sent nothing (muted, taken over, passed on): the next turn must know what they did.

Otherwise an assistant that answers the same message again would do again what has been done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from frontdesk.core.database import Connection
from frontdesk.runtime.message_reading import Row

# Of several about the same message the last that changed something counts, else the last.
SILENT = """
    SELECT DISTINCT ON (t.last_position) t.last_position, t.id
    FROM ai_turns t
    JOIN ai_turn_steps s ON s.organization_id = t.organization_id AND s.ai_turn_id = t.id AND s.kind = 'tool'
    WHERE t.organization_id = $1 AND t.conversation_id = $2 AND t.status = 'ended' AND t.id <> $3
        AND t.last_position BETWEEN $4 AND $5
        AND NOT EXISTS (SELECT FROM conversation_messages m WHERE m.organization_id = $1 AND m.conversation_id = $2
            AND m.ai_turn_id = t.id AND m.sender = 'assistant')
    GROUP BY t.id, t.last_position
    ORDER BY t.last_position,
        bool_or(s.is_change AND s.status = 'done' AND s.tool_name NOT LIKE 'transfer\\_to\\_%') DESC, t.id DESC
"""


async def with_silent_turns(
    connection: Connection, organization_id: int, conversation_id: int, turn_id: int, rows: Sequence[Row]
) -> list[Row]:
    """The messages, each customer's message with the silent turn whose last one it was."""
    places = sorted(cast(int, row["position"]) for row in rows if row["sender"] == "contact")
    if not places:
        return list(rows)
    found = await connection.fetch(SILENT, organization_id, conversation_id, turn_id, places[0], places[-1])
    turns = {row["last_position"]: row["id"] for row in found}
    return [
        {**row, "ai_turn_id": turns[row["position"]]}
        if row["sender"] == "contact" and row["position"] in turns
        else row
        for row in rows
    ]
