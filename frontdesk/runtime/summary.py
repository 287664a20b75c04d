"""The running summary of a long conversation: which one holds, and when the next messages go into it. No model here.

With more than `after_messages` messages to show, the older half of them goes into the summary at once. So a summary is
made once in many turns, and before anything has fallen out of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from frontdesk.assistants.advanced_options import AdvancedOptions
from frontdesk.core.database import Connection
from frontdesk.runtime.history import StoredMessage, first_unanswered

# One that was made of another context does not hold. A deleted message has taken the summary that told of it along.
IN_FORCE = """
    SELECT s.summary_text, s.up_to_position, s.message_count FROM conversation_summaries s
    WHERE s.organization_id = $1 AND s.conversation_id = $2 AND s.up_to_position <= $3
        AND s.ai_context_cut IS NOT DISTINCT FROM $4
"""
# Whether a new summary tells only of what is still there: nothing in it was deleted while the model wrote.
IS_STILL_TRUE = """
    SELECT NOT EXISTS (
            SELECT FROM conversation_messages
            WHERE organization_id = $1 AND conversation_id = $2 AND position = ANY($4) AND deleted_at IS NOT NULL)
        AND ($3 = 0 OR EXISTS (
            SELECT FROM conversation_summaries
            WHERE organization_id = $1 AND conversation_id = $2 AND up_to_position = $3))
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """`up_to` is the position of the last message that it tells of; 0 and no text: nothing was summed up yet."""

    text: str = ""
    up_to: int = 0
    count: int = 0


async def in_force(
    connection: Connection, organization_id: int, conversation_id: int, last: int, context_cut: datetime | None
) -> Summary:
    """The conversation's summary as it may be told to a turn over the messages up to position `last`."""
    row = await connection.fetchrow(IN_FORCE, organization_id, conversation_id, last, context_cut)
    return Summary() if row is None else Summary(*row)


async def is_still_true(
    connection: Connection, organization_id: int, conversation_id: int, known: Summary, positions: Sequence[int]
) -> bool:
    """For a summary that was made of the messages at `positions` and of `known`."""
    where = (organization_id, conversation_id)
    found: bool = await connection.fetchval(IS_STILL_TRUE, *where, known.up_to, list(positions))
    return found


def most_shown(options: AdvancedOptions) -> int:
    """How many messages stand in the history beside a summary. What it would never show is summed up in time."""
    return min(options.summary.after_messages, options.history_messages)


def new_end(shown: Sequence[StoredMessage], first_kept: int, most: int, *, is_long: bool) -> int | None:
    """The position up to which the summary should reach now, None for where it is.

    `shown` are the messages behind the summary, in order; `first_kept` is the position of the oldest one that fits into
    the model's context. `is_long`: the conversation is longer than `after_messages`, as one with a summary is.
    """
    kept = [i for i, message in enumerate(shown) if message.position >= first_kept]
    is_cut = len(kept) < len(shown)
    if not kept or not (len(shown) > most or (is_cut and is_long)):
        return None
    begins = [i for i in kept if _begins_a_run(shown, i)]
    middle = kept[len(kept) // 2]
    # An answer with its calls is told whole or not at all, so the cut is where the customer takes the word.
    chosen = next((i for i in begins if i >= middle), begins[-1] if begins else kept[0])
    chosen = min(chosen, first_unanswered(shown))
    return shown[chosen - 1].position if chosen > 0 else None


def _begins_a_run(shown: Sequence[StoredMessage], index: int) -> bool:
    return shown[index].sender == "contact" and (index == 0 or shown[index - 1].sender != "contact")
