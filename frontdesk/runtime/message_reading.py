"""The stored messages of a conversation as the history takes them: words, notes for what is not words, images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from frontdesk.assistants.config import Language
from frontdesk.core.capabilities import MEDIA
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.attachments import file_note, place_note
from frontdesk.runtime.history import Sender, StoredMessage
from frontdesk.runtime.images import Looks

# A member who asks in a staff chat is to the model what a customer is: whom to answer. What was said to the customer
# after the turn's last inbound ($3) is an answer to what came before it; of the turn itself ($5) its steps tell.
MESSAGES = """
    SELECT position, CASE WHEN kind = 'ai-chat' AND direction = 'inbound' THEN 'contact' ELSE sender END AS sender,
        message_text, created_at, ai_turn_id, message_type, deleted_at IS NOT NULL AS is_deleted, file_name,
        file_type, s3_path, media_url, location::text AS location
    FROM conversation_messages
    WHERE organization_id = $1 AND conversation_id = $2
        AND (position <= $3 OR direction = 'outbound' AND ai_turn_id IS DISTINCT FROM $5)
    ORDER BY position DESC LIMIT $4
"""

Row = Mapping[str, object]


async def read_messages(
    connection: Connection, organization_id: int, conversation_id: int, last: int, most: int, turn_id: int
) -> list[Row]:
    """The newest `most` messages for a turn whose last inbound is at position `last`, oldest first."""
    rows = await connection.fetch(MESSAGES, organization_id, conversation_id, last, most, turn_id)
    return [dict(row) for row in reversed(rows)]


def stored(row: Row, looks: Looks, language: Language) -> StoredMessage:
    """One message, with the images that the model sees of it."""
    position = cast(int, row["position"])
    return StoredMessage(
        position, cast(Sender, row["sender"]), _text(row, looks, language), row["created_at"],  # type: ignore[arg-type]
        cast("int | None", row["ai_turn_id"]), str(row["message_type"]), bool(row["is_deleted"]),
        images=looks.contents(position),
    )  # fmt: skip


def _text(row: Row, looks: Looks, language: Language) -> str:
    kind, words = str(row["message_type"]), str(row["message_text"] or "")
    note = ""
    # Of its own image a turn's assistant knows by the call that sent it. A note in its mouth would be copied.
    if kind in MEDIA and not (row["sender"] == "assistant" and row["ai_turn_id"] is not None):
        note = file_note(kind, cast("str | None", row["file_name"]), language, looks.why(cast(int, row["position"])))
    elif kind == "location" and row["location"] is not None:
        note = place_note(cast("dict[str, Json]", json.loads(str(row["location"]))), language)
    return " ".join(part for part in (note, words) if part)
