"""The rule `tool_failure`: how many calls in a row have failed, in this turn and in those before it."""

from __future__ import annotations

from collections.abc import Iterable

from frontdesk.assistants.json_keys import FINAL_ANSWER
from frontdesk.core.database import Connection
from frontdesk.runtime.handoff import Cause, RuleMatched
from frontdesk.runtime.held_turn import HeldTurn

# Of earlier turns since the assistant has the conversation, newest first; no rule counts further.
BEFORE = """
    SELECT s.status FROM ai_turn_steps s
    JOIN ai_turns t ON t.organization_id = s.organization_id AND t.id = s.ai_turn_id
    WHERE t.organization_id = $1 AND t.conversation_id = $2 AND t.epoch = $3 AND t.id < $4
        AND s.kind = 'tool' AND s.tool_name <> $5
    ORDER BY t.id DESC, s.position DESC LIMIT 40
"""


def failures_in_a_row(newest_first: Iterable[str]) -> tuple[int, bool]:
    """How many calls failed since the last one that worked, and whether there was such a one.

    A refused call says nothing of the tool, and one whose outcome is unknown has not done what was asked.
    """
    count = 0
    for status in newest_first:
        if status == "done":
            return count, True
        count += status in ("failed", "unknown")
    return count, False


async def check_failures(held: HeldTurn) -> None:
    """Raises `RuleMatched` where the rule's count is reached. Asked after each step of tools."""
    rule = held.config.human_handoff.tool_failure
    if rule is None:
        return
    steps = [step for step in held.steps if step.kind == "tool" and step.tool_name != FINAL_ANSWER]
    # A call that was begun and carried out has two entries of one id: the later one counts.
    latest = {step.call_id: step for step in steps}
    count, is_known = failures_in_a_row(step.status for step in reversed(latest.values()))
    if not count:
        return
    if count < rule.after_failures and not is_known:
        async with held.database.reading(held.organization_id) as connection:
            count += failures_in_a_row(await _before(connection, held))[0]
    if count >= rule.after_failures:
        failed = next((step for step in reversed(latest.values()) if step.status in ("failed", "unknown")), None)
        raise RuleMatched(Cause(rule.type, rule.id, f"{count} × {failed.tool_name}" if failed else str(count)))


async def _before(connection: Connection, held: HeldTurn) -> list[str]:
    turn = held.turn
    rows = await connection.fetch(BEFORE, turn.organization_id, turn.conversation_id, turn.epoch, turn.id, FINAL_ANSWER)
    return [row["status"] for row in rows]
