"""What screens are told of a turn beside its messages."""

from __future__ import annotations

from frontdesk.core.database import Connection
from frontdesk.core.live import notify
from frontdesk.runtime.turns import Turn


async def typing(connection: Connection, turn: Turn) -> None:
    """Show the typing sign: at the begin of a turn, and again while the next part of its answer is waited for."""
    data = {"on": True, "turn_id": turn.id}
    await notify(connection, turn.organization_id, turn.conversation_id, "typing", data)


async def quiet(connection: Connection, turn: Turn, *, withdraw: bool = True) -> None:
    """Take the typing sign away, and the draft where no message takes its place. A muted turn showed neither."""
    if turn.is_muted:
        return
    if withdraw:
        await notify(connection, turn.organization_id, turn.conversation_id, "draft.withdrawn", {"turn_id": turn.id})
    data = {"on": False, "turn_id": turn.id}
    await notify(connection, turn.organization_id, turn.conversation_id, "typing", data)
