"""A turn whose place was taken: by a newer inbound, by a person, by a close, by any newer epoch."""

from __future__ import annotations

from datetime import datetime

from frontdesk.assistants import follow_up_endings
from frontdesk.core.database import Connection
from frontdesk.runtime import decisions, follow_up_turns, outbox, turns
from frontdesk.runtime.signs import quiet
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.turns import Turn

DELETED = "conversation_deleted"


def is_overtaken(talk: Conversation, turn: Turn) -> bool:
    return turn.epoch != talk.epoch or turn.superseded_by_message_id is not None


def reason_of(talk: Conversation, turn: Turn) -> str:
    """Why the turn may not go on."""
    if turn.epoch == talk.epoch:
        return "superseded"
    if talk.is_over:
        return "conversation_closed"
    return "person_took_over" if talk.assigned_user_id is not None else "newer_epoch"


async def bury(connection: Connection, organization_id: int, conversation_id: int, now: datetime) -> Turn | None:
    """End all that waits in a deleted conversation, or bells would ring for it for ever. Gives the turn it had."""
    where = (organization_id, conversation_id)
    turn = await turns.find_open(connection, *where)
    parts = await outbox.open_parts(connection, *where, None)
    if turn is not None:
        parts += await outbox.open_parts(connection, *where, turn.id)
    await outbox.close(connection, organization_id, parts, "withdrawn", DELETED, now)
    if turn is not None:
        sent, unknown, _ = await outbox.counts(connection, *where, turn.id)
        if sent or unknown:
            await decisions.settle(connection, organization_id, turn.id, "answered", DELETED, now)
        await turns.end(connection, turn, DELETED, now)
        await quiet(connection, turn)
    await follow_up_endings.stop(connection, organization_id, [conversation_id], DELETED, now)
    await decisions.settle_waiting(connection, *where, DELETED, now)
    return turn


async def drop(connection: Connection, talk: Conversation, turn: Turn, now: datetime) -> None:
    """End the turn and withdraw what was not sent, under the conversation's lock.

    What nobody has answered goes to the next turn where there will be one; else the decisions keep the reason.
    """
    reason = reason_of(talk, turn)
    parts = await outbox.open_parts(connection, turn.organization_id, turn.conversation_id, turn.id)
    await outbox.close(connection, turn.organization_id, parts, "withdrawn", reason, now)
    sent, unknown, _ = await outbox.counts(connection, turn.organization_id, turn.conversation_id, turn.id)
    unknown += sum(part.status == "sending" for part in parts)  # it may have arrived
    # The same assistant may have it again (a person took it and gave it back): then it answers anew. What the turn did
    # stands in the next one's history, so that it is not done twice.
    has_next = reason == "superseded" or talk.assigned_ai_assistant_id is not None
    if has_next and not talk.is_over and not (sent or unknown):
        await decisions.release(connection, turn.organization_id, turn.id, now)
    else:
        outcome: decisions.DecisionOutcome = "answered" if sent or unknown else "muted" if turn.is_muted else "silent"
        await decisions.settle(connection, turn.organization_id, turn.id, outcome, reason, now)
    if turn.ai_follow_up_id is not None:
        await follow_up_turns.settle(connection, turn, reason, now)
    await turns.end(connection, turn, reason, now)
    await quiet(connection, turn)
