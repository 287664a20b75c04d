"""Images of an answer: each is a part of the turn, queued by its tool call and sent right before the words.

A queued image reaches nobody before the answer is whole. Where the turn is overtaken or fails first, it is withdrawn
with the turn's other parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from frontdesk.assistants.image_sending import MOST_IMAGES, SEND_IMAGE
from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.database import Connection
from frontdesk.core.errors import Conflict, Json
from frontdesk.runtime import outbox, thread
from frontdesk.runtime.outbox import Content, Draft
from frontdesk.runtime.tool_history import StoredStep
from frontdesk.runtime.tooling import Picture
from frontdesk.runtime.turns import Turn

QUEUED = """
    SELECT count(*) FROM outbox
    WHERE organization_id = $1 AND conversation_id = $2 AND ai_turn_id = $3 AND payload ->> 'kind' = 'image'
"""


async def queue(connection: Connection, turn: Turn, call_id: str, picture: Picture, now: datetime) -> Json:
    """Queue the picture, or give its address to the answer where the channel takes no images. Raises `Conflict`."""
    where = (turn.organization_id, turn.conversation_id)
    talk = await thread.read(connection, *where)
    known = CAPABILITIES.get(talk.channel) if talk is not None else None
    if known is None or "image" not in known.message_types:
        if picture.link is None:
            raise Conflict("The customer's channel takes no images, and a link to this file would expire.")
        return {"queued": True, "as": "link", "link": picture.link, "caption": picture.caption}
    count: int = await connection.fetchval(QUEUED, *where, turn.id)
    if count >= MOST_IMAGES:
        raise Conflict(f"{MOST_IMAGES} images go with this answer already, and no more can.")
    content = Content(
        "image", media_url=picture.media_url, s3_path=picture.s3_path, file_name=picture.file_name,
        file_type=picture.file_type, file_size=picture.file_size,
    )  # fmt: skip
    draft = Draft(picture.caption, "image", f"turn-{turn.id}-image-{call_id}", count + 1, content=content)
    await outbox.add(connection, *where, turn.id, turn.epoch, turn.ai_assistant_id, [draft], now)
    return {"queued": True, "as": "image"}


def with_links(text: str, steps: Sequence[StoredStep]) -> str:
    """The answer with the links of images that its channel does not take; the steps are what makes it the same again
    after a crash."""
    lines = [text]
    for step in steps:
        result = step.result
        if step.tool_name != SEND_IMAGE or step.status != "done" or not isinstance(result, dict):
            continue
        link = result.get("link")
        if isinstance(link, str) and link not in text:
            lines.append("\n".join(str(line) for line in (result.get("caption"), link) if line))
    return "\n\n".join(lines)


def only_sent(steps: Sequence[StoredStep], turn_id: int, rows: Sequence[Mapping[str, object]]) -> list[StoredStep]:
    """The steps of an earlier turn without images that never left: their receipts say queued, and nobody saw them.

    `rows` are the messages of the conversation.
    """
    said = {row["message_type"] for row in rows if row["ai_turn_id"] == turn_id and row["sender"] == "assistant"}
    lost = {"image"} - said if said else {"image", "link"}
    return [step for step in steps if step.tool_name != SEND_IMAGE or _form(step) not in lost]


def _form(step: StoredStep) -> str | None:
    return str(step.result.get("as")) if isinstance(step.result, dict) else None
