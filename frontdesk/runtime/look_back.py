"""After an answer: the rule `no_answer`, so that a customer need not write once more to get a person."""

from __future__ import annotations

from frontdesk.core.database import Connection
from frontdesk.runtime import thread, turns
from frontdesk.runtime.handoff import Cause, can_hand_over
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.progress import turns_without_progress


async def look_back(connection: Connection, held: HeldTurn) -> bool:
    """Hand over where the turn was the last that the rule allows. True: a line may be due.

    A crash before it loses nothing: the gate looks at the same turns when the customer writes again.
    """
    where = (held.organization_id, held.conversation_id)
    talk = await thread.lock(connection, *where)
    config = await held.assistants.current(connection, held.organization_id, held.turn.ai_assistant_id)
    if talk is None or config is None or talk.epoch != held.turn.epoch or not can_hand_over(config, talk):
        return False
    rule = config.human_handoff.no_answer
    # A turn that still has parts to send is not over.
    if rule is None or await turns.find_open(connection, *where) is not None:
        return False
    count = await turns_without_progress(connection, *where, talk.epoch)
    if count < rule.after_turns:
        return False
    cause = Cause(rule.type, rule.id, str(count))
    await held.handoffs.to_person(connection, talk, config, cause, held.clock.now(), turn_id=held.turn_id)
    return True
