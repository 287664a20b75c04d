"""Follow-ups: what a customer who does not answer reads, and when."""

from frontdesk.core.errors import Json
from tests.flow.harness import Desk

HOUR = 3600
FIXED: dict[str, Json] = {"id": "f1", "after_minutes": 60, "mode": "fixed", "message": "Shall we keep your place?"}


async def remind(desk: Desk, *rules: dict[str, Json], **fields: Json) -> None:
    """Switch follow-ups on."""
    await desk.configure(follow_up_config={"enabled": True, "rules": list(rules), **fields})


async def follow_ups(desk: Desk) -> list[tuple[Json, Json, Json]]:
    rows = (await desk.call("ai-follow-ups", "find")).value["data"]
    return [(row["rule_id"], row["status"], row["reason"]) for row in reversed(rows)]  # type: ignore[arg-type,index,call-overload,union-attr]


async def test_a_fixed_one_is_sent_after_its_time_and_once(desk: Desk) -> None:
    await remind(desk, FIXED)
    assert await desk.ask("Have you a place on Friday?", "At ten.") == ["At ten."]
    await desk.pass_time(HOUR - 1)
    assert (await desk.replies())[-1] == "At ten."
    await desk.pass_time(1)
    assert (await desk.replies())[-2:] == ["At ten.", "Shall we keep your place?"]
    await desk.pass_time(30 * HOUR)
    assert len(await desk.replies()) == 3
    assert await follow_ups(desk) == [("f1", "sent", None)]


async def test_an_ai_one_is_written_by_a_turn_of_its_own(desk: Desk) -> None:
    await remind(desk, {"id": "f1", "after_minutes": 60, "mode": "ai", "instructions": "ask about Friday"})
    await desk.ask("Have you a place on Friday?", "At ten.")
    desk.script.say("Does ten suit you?")
    await desk.pass_time(HOUR)
    assert (await desk.replies())[-1] == "Does ten suit you?"
    assert await follow_ups(desk) == [("f1", "sent", None)]
    await desk.pass_time(30 * HOUR)
    assert len(await desk.replies()) == 3
