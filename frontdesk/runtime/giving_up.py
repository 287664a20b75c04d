"""What becomes of a turn whose model failed (rule 14 of a turn): again after a pause, a person, or one fixed line.

Nobody is left without an answer or an owner. Where there is no person to hand to, the conversation has no owner and a
reason, and its next message is tried again (`evidence.py`): a provider comes back, and so does the assistant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.core.jobs import enqueue
from frontdesk.runtime import decisions, follow_up_turns, outbox, prompt, thread, turns
from frontdesk.runtime.failure_words import staff_line
from frontdesk.runtime.handoff import Cause
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.model_choice import note_failure
from frontdesk.runtime.model_failure import BudgetSpent, ClaimWithoutReceipt, Failure, Verdict, sentence
from frontdesk.runtime.outbox import Draft, Kind
from frontdesk.runtime.sentences import explain
from frontdesk.runtime.signs import quiet
from frontdesk.runtime.thread import DOORBELL

LINE_STANDS = timedelta(hours=12)  # for so long the line is not said again, as nothing else was said since
# Lines of the platform (one that hands over, one of a budget) do not answer, so only an assistant's or a person's do.
TOLD = """
    SELECT EXISTS (
        SELECT FROM outbox o
        WHERE o.organization_id = $1 AND o.conversation_id = $2 AND o.payload ->> 'kind' IN ('fixed_line', 'budget')
            AND o.status NOT IN ('withdrawn', 'failed') AND o.created_at > $3
            AND NOT EXISTS (SELECT FROM conversation_messages m
                WHERE m.organization_id = $1 AND m.conversation_id = $2 AND m.sender IN ('assistant', 'user')
                    AND m.direction = 'outbound' AND m.message_type NOT IN ('note', 'reaction')
                    AND m.id > o.message_id))
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the turn is given up: `keeps` leaves the conversation with its assistant."""

    code: str
    error: str
    facts: dict[str, Json]
    is_staff_chat: bool
    is_budget: bool
    keeps: bool


async def give_up(held: HeldTurn, failure: Failure, verdict: Verdict) -> None:
    """Do what the verdict says, in one transaction. Raises `LeaseLost` and `Superseded`: a person or a newer message
    was faster, so there is nothing to say."""
    turn, now = held.turn, held.clock.now()
    bell = (turn.organization_id, turn.conversation_id)
    spent = failure if isinstance(failure, BudgetSpent) else None
    async with held.database.transaction(turn.organization_id) as connection:
        talk = await thread.lock(connection, *bell)
        await held.hold(connection)
        await note_failure(connection, held, verdict)
        error = sentence(failure)
        if verdict.pause is not None:
            await turns.postpone(connection, turn, "waiting", now + verdict.pause, now, error)
            await quiet(connection, turn)
            await enqueue(connection, DOORBELL, *bell, delay=verdict.pause)
            return
        if turn.ai_follow_up_id is not None:
            await follow_up_turns.give_up(connection, turn, verdict.code, now, error, is_budget=spent is not None)
            return
        is_staff_chat = talk is not None and talk.is_staff_chat
        # A member's chat keeps its assistant, for there is nobody else; so does one that only listens, because no
        # customer waits for it, and one that just stops at its limit, for tomorrow.
        keeps = is_staff_chat or turn.is_muted or (spent is not None and spent.stops)
        facts: dict[str, Json] = dict(spent.facts) if spent else {"failure": verdict.code, "error": _told(failure)}
        if not keeps:
            cause = Cause(verdict.code, detail=None if spent else error)
            if await held.give_away(connection, cause, verdict.code, error, facts):
                return
        ending = Ending(verdict.code, error, facts, is_staff_chat, spent is not None, keeps)
        await _end(connection, held, ending, now)


async def _end(connection: Connection, held: HeldTurn, ending: Ending, now: datetime) -> None:
    """One line, unless it was read a while ago; no owner; the reason."""
    turn, language = held.turn, held.config.instructions_language
    bell, code, epoch = (turn.organization_id, turn.conversation_id), ending.code, turn.epoch
    line = "muted" if turn.is_muted else "asker" if ending.is_staff_chat else "sent"
    if line == "sent" and await connection.fetchval(TOLD, *bell, now - LINE_STANDS):
        line = "before"
    facts = {**ending.facts, "line": line}
    if not ending.keeps:
        epoch = await thread.leave_unowned(connection, *bell, code, now)
    if line in ("sent", "asker"):
        words = prompt.fixed_line(language, is_staff_chat=ending.is_staff_chat)
        if ending.is_staff_chat and ending.is_budget:
            words = explain(code, facts, language).why
        elif ending.is_staff_chat:
            # A member may be the one who can put it right.
            words = staff_line(code, language) or words
        kind: Kind = "budget" if ending.is_budget else "fixed_line"
        draft = Draft(words, kind, f"turn-{turn.id}-fixed", about_turn_id=turn.id)
        await outbox.add(connection, *bell, None, epoch, held.config.id, [draft], now)
    await turns.end(connection, turn, code, now, ending.error)
    await decisions.settle(connection, turn.organization_id, turn.id, "failed", code, now, facts)
    await quiet(connection, turn)


def _told(failure: Failure) -> str | None:
    """What the decision adds in brackets; a claim is not repeated where somebody may read it as true."""
    return None if isinstance(failure, ClaimWithoutReceipt) else sentence(failure)
