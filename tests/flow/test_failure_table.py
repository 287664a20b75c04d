"""Each kind of failure at each place: how the turn ends, what is read, who has it, what the decision says.

A new kind or a new place is a line in `failures.py`. Nobody may be left without an answer or an owner (rule 14).
"""

import re

import pytest

from frontdesk.runtime.failure_words import FAILURES, staff_line
from tests.flow.failures import BACK, FAULTS, OPTIONS, PLACES, WORDLESS, Fault, Place, ended_follow_ups
from tests.flow.harness import Desk

Row = tuple[object, ...]
KEPT = {"budget_cost_handoff": "budget_cost_spent"}  # where the assistant keeps the conversation


def wanted(place: Place, name: str, fault: Fault) -> Row:
    code = KEPT.get(fault.code, fault.code) if place.stays else fault.code
    line = place.lines.get(code, staff_line(code, "ENG") or "") if place.lines else place.line
    if place.lines and code == "budget_cost_spent":
        line = "No answer: today's model budget is spent (99 of 10)."
    read = (*place.before, *([line] if line else ()))
    reason = code if fault.code in KEPT else place.handed or code
    reason = "handed_off_after_claim" if place.handed and code == "claim_without_receipt" else reason
    return name, code, read, place.owner, place.user, (place.outcome, reason)


async def seen(place: Place, name: str, fault: Fault) -> Row:
    desk, read = place.desk, await place.play(fault)
    owner = (await desk.fetch("SELECT * FROM conversations WHERE id = $1", desk.conversation_id))[0]
    if owner["assigned_ai_assistant_id"] is None:
        assert owner["handoff_reason"]
        assert owner["owner_reason"] or owner["assigned_user_id"]
    said = (await desk.fetch("SELECT * FROM ai_decisions WHERE message_id IS NOT NULL ORDER BY id DESC LIMIT 1"))[0]
    assert "–" not in said["sentence"] + said["sentence_es"] + said["would_change"]
    who = (owner["assigned_ai_assistant_id"], owner["assigned_user_id"])
    lines = tuple(re.sub(r"99[.0-9]+ of", "99 of", text) for text in read)  # the last request's cost
    return name, (await desk.turns())[-1], lines, *who, (said["outcome"], said["reason"])


async def comes_back(place: Place) -> list[str]:
    """What the next message is answered with, now that the model works again."""
    desk = place.desk
    if place.renews is not None:
        await place.renews()
    await desk.fetch("UPDATE ai_daily_usage SET cost = 0 RETURNING day")
    before = len(await desk.replies())
    desk.script.say(BACK)
    await desk.settle()
    await place.ask()
    await desk.settle()
    desk.script.entries.clear()
    return (await desk.replies())[before:]


@pytest.mark.parametrize("name", [name for name in PLACES if name != "follow_up"])
async def test_every_failure_ends_as_the_table_says(desk: Desk, name: str) -> None:
    place = await PLACES[name](desk)
    await desk.call("ai-assistants", "patch", desk.assistant_id, advanced_options=OPTIONS)
    for kind, fault in place.faults.items():
        if name.startswith("muted") and (fault.code == "claim_without_receipt" or kind in WORDLESS):
            continue  # what nobody reads needs neither words nor a receipt
        assert await seen(place, kind, fault) == wanted(place, kind, fault)
        assert await comes_back(place) == ([] if name.startswith("muted") else [BACK])


async def test_a_follow_up_that_fails_leaves_nothing_and_the_owner(desk: Desk) -> None:
    place = await PLACES["follow_up"](desk)
    await desk.call("ai-assistants", "patch", desk.assistant_id, advanced_options=OPTIONS)
    for fault in place.faults.values():
        assert await place.play(fault) == ["At ten."]
        assert (await desk.turns())[-1] == KEPT.get(fault.code, fault.code)
        spent = fault.code == "budget_cost_handoff"
        last = ("cancelled", "budget_spent") if spent else ("failed", "model_failed")
        assert (await ended_follow_ups(desk))[-1] == last
        assert (await desk.conversation())["assigned_ai_assistant_id"] == place.owner
        await desk.fetch("UPDATE ai_daily_usage SET cost = 0 RETURNING day")


def test_the_table_knows_every_failure_that_has_words() -> None:
    elsewhere = {"internal_error", "no_key", "no_model"}  # no answer was asked for
    assert set(FAILURES) - elsewhere == {fault.code for fault in FAULTS.values()} - set(KEPT)
