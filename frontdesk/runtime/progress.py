"""Which turns made no progress: what `no_answer` counts.

A turn makes none when the customer got no answer from it, when the answer says that the assistant does not know or
cannot help, or when it says again what an earlier answer said. A turn that changed something by a tool always does.
The phrases are deterministic, in both languages whatever the assistant's is; a model's opinion of itself would be free
to vary from turn to turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from frontdesk.core.database import Connection
from frontdesk.core.patterns import without_accents

MOST_TURNS = 11  # one more than a rule can ask for: the oldest is only compared with
# Turns of this ownership, newest first; each with what the customer read of it.
TURNS = """
    SELECT (SELECT string_agg(m.message_text, ' ' ORDER BY m.position) FROM conversation_messages m
            WHERE m.organization_id = $1 AND m.conversation_id = $2 AND m.ai_turn_id = t.id
                AND m.sender = 'assistant') AS answer,
        EXISTS (SELECT FROM ai_turn_steps s WHERE s.organization_id = $1 AND s.ai_turn_id = t.id AND s.kind = 'tool'
            AND s.status = 'done' AND s.is_change) AS has_changed
    FROM ai_turns t
    WHERE t.organization_id = $1 AND t.conversation_id = $2 AND t.epoch = $3 AND t.status = 'ended'
        AND NOT t.is_muted AND t.ai_follow_up_id IS NULL
        AND t.end_reason IN ('answered', 'delivery_failed', 'delivery_unknown', 'outside_window')
    ORDER BY t.id DESC LIMIT $4
"""
_AT_A_LOSS = re.compile(
    r"\bi (?:really |just |am afraid i |still )?(?:do not|don't|did not|didn't) (?:know|have (?:any |that |this |the )*"
    r"(?:information|details|data|answer))\b"
    r"|\bi(?: am|'m) (?:unable|not able) to\b"
    r"|\bi (?:can not|cannot|can't|could not|couldn't|was not able to|wasn't able to) "
    r"(?:help|answer|find|tell|assist|look|check|do that|access)\b"
    r"|\bno (?:lo )?se\b(?! preocupe)|\bno (?:tengo|dispongo de|cuento con) (?:esa |esta |la |mas |ninguna |esos )*"
    r"(?:informacion|datos|detalles|respuesta)\b"
    r"|\bno (?:te |le |os |les )?(?:puedo|podria|he podido|pude) (?:ayudar|responder|contestar|encontrar|decir|"
    r"consultar|acceder|hacer eso|informar)"
    r"|\bno (?:soy capaz|encuentro|he encontrado|encontre)\b|\blo desconozco\b"
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One turn: what the customer read, and whether a tool changed anything."""

    answer: str | None
    has_changed: bool = False


def is_at_a_loss(answer: str) -> bool:
    """Whether an answer says that it is none."""
    return _AT_A_LOSS.search(_folded(answer)) is not None


def without_progress(newest_first: Sequence[Attempt]) -> int:
    """How many turns in a row, the newest first, made no progress."""
    count = 0
    for i, attempt in enumerate(newest_first):
        if attempt.has_changed:
            break
        earlier = {_words(older.answer) for older in newest_first[i + 1 :] if older.answer}
        is_new = attempt.answer is not None and _words(attempt.answer) not in earlier
        if attempt.answer and is_new and not is_at_a_loss(attempt.answer):
            break
        count += 1
    return count


async def turns_without_progress(
    connection: Connection, organization_id: int, conversation_id: int, epoch: int
) -> int:  # fmt: skip
    """The count for the gate: a new owner, a close or a cut of the context begins anew."""
    rows = await connection.fetch(TURNS, organization_id, conversation_id, epoch, MOST_TURNS)
    return without_progress([Attempt(row["answer"], row["has_changed"]) for row in rows])


def _folded(text: str) -> str:
    return " ".join(without_accents(text).replace("’", "'").casefold().split())


def _words(text: str) -> str:
    return re.sub(r"\W+", " ", _folded(text)).strip()
