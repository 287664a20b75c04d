"""A hand-off to another assistant: one owner at a time, a bounded chain, and what the next one reads of what was said.

The messages that nobody has answered yet are the next assistant's: it answers them in a turn of its own, under its own
gates, so that a chain is a chain of turns in the trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from frontdesk.assistants import follow_up_endings
from frontdesk.assistants.assistant_handoff_config import HandoffTarget
from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.database import Connection
from frontdesk.core.errors import Conflict, Json
from frontdesk.core.events import emit
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import outbox, thread
from frontdesk.runtime.handoff import RECORD, background_of
from frontdesk.runtime.handoff_words import retold
from frontdesk.runtime.outbox import Draft
from frontdesk.runtime.thread import DOORBELL, Conversation
from frontdesk.runtime.turns import Turn

# Who has passed on the messages of a turn before, oldest first: hand-offs behind its first message.
HOPS = """
    SELECT from_ai_assistant_id FROM ai_handoffs
    WHERE organization_id = $1 AND conversation_id = $2 AND kind = 'assistant' AND position >= $3 ORDER BY id
"""
TARGET = """
    SELECT name, assistant_type, deleted_at IS NOT NULL AS is_deleted FROM ai_assistants
    WHERE organization_id = $1 AND id = $2
"""
PASS_ON = """
    UPDATE conversations SET assigned_ai_assistant_id = $3, owner_reason = NULL, handoff_reason = $4, ai_shared = $5,
        epoch = epoch + 1, version = version + 1, updated_at = $6
    WHERE organization_id = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """What an assistant reads instead of what was said before `position`, and from whom."""

    position: int
    name: str
    summary: str


def shared_of(text: str | None) -> Shared | None:
    """The column `conversations.ai_shared`."""
    stored = json.loads(text) if text else None
    return None if stored is None else Shared(stored["position"], stored["name"], stored["summary"])


async def hops_of(connection: Connection, turn: Turn) -> tuple[int, ...]:
    """The assistants that passed the turn's messages on, one entry for each hop."""
    rows = await connection.fetch(HOPS, turn.organization_id, turn.conversation_id, turn.first_position)
    return tuple(row[0] for row in rows)


def open_targets(config: AssistantConfig, hops: tuple[int, ...]) -> tuple[HandoffTarget, ...]:
    """To whom a message may still be passed on: nobody gets back what they have passed on themselves."""
    if len(hops) >= config.assistant_handoff.max_hops:
        return ()
    return tuple(target for target in config.assistant_handoff.open_targets if target.assistant_id not in hops)


async def pass_on(
    connection: Connection, turn: Turn, config: AssistantConfig, assistant_id: int, reason: str | None,
    summary: str | None, now: datetime,
) -> Conversation:  # fmt: skip
    """Give the conversation to another assistant, under its lock. The caller ends the turn.

    `config` is the live record. Raises `Conflict` with the sentence for the model where that one cannot get it.
    """
    where = (turn.organization_id, turn.conversation_id)
    talk = await thread.read(connection, *where)
    hops = await hops_of(connection, turn)
    target = next((t for t in open_targets(config, hops) if t.assistant_id == assistant_id), None)
    row = await connection.fetchrow(TARGET, turn.organization_id, assistant_id)
    if talk is None or target is None or row is None:
        raise Conflict("This message cannot be passed on to that assistant any more. Answer it yourself.")
    if row["is_deleted"] or row["assistant_type"] != config.assistant_type:
        raise Conflict("That assistant is not there any more. Answer the customer yourself.")
    shared: dict[str, Json] | None = None
    if target.share == "summary":
        told = summary or retold(config.instructions_language, await background_of(connection, talk))
        shared = {"position": turn.first_position, "name": config.name, "summary": told}
    await connection.execute(
        PASS_ON, *where, assistant_id, reason, None if shared is None else json.dumps(shared), now
    )  # fmt: skip
    talk = replace(talk, assigned_ai_assistant_id=assistant_id, epoch=talk.epoch + 1)
    handoff_id: int = await connection.fetchval(
        RECORD, *where, turn.id, config.id, "assistant", None, None, assistant_id, "requested", None, reason,
        target.share, turn.last_position, "off", None, now,
    )  # fmt: skip
    await follow_up_endings.stop(connection, talk.organization_id, [talk.id], "other_owner", now)
    await emit(connection, talk.organization_id, "ai-handoffs", "created", handoff_id)
    await emit(connection, talk.organization_id, talk.path, "updated", talk.id, also=("assigned",))
    if target.customer_message is not None and not turn.is_muted and not config.disable_reply:
        draft = Draft(target.customer_message, "handoff", f"handoff-{handoff_id}", about_turn_id=turn.id)
        await outbox.add(connection, *where, None, talk.epoch, config.id, [draft], now)
    await enqueue(connection, DOORBELL, *where)
    return talk
