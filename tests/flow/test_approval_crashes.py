"""A crash before each use of the database between question and answer: the approved call is made exactly once."""

import json

from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import DeltaToolCall
from pydantic_ai.toolsets.abstract import AbstractToolset

from frontdesk.core.errors import Json
from frontdesk.runtime.tooling import ToolDeps
from frontdesk.tools.internal import InternalToolset
from frontdesk.tools.table import TOOLS
from frontdesk.tools.wrappers import wrapped
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_approvals import LINE, approvals, asking, decide, note, notes, states
from tests.flow.test_crash_points import Doom, Killed, doom
from tests.flow.test_resume import is_valid

__all__ = ["asking", "doom"]

MOST_POINTS = 60
BY_CATALOGUE = json.dumps({"name": "add_note", "arguments": {"text": "Visit."}})


async def sensible(messages: list[ModelMessage]) -> Reply:
    """Decides by what it reads, as a model does."""
    assert is_valid(messages)
    if any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
        return "Noted."
    return note()


async def settled(desk: Desk, doom: Doom, uses: int) -> bool:
    """Let all happen with a worker that dies after so many uses, then with others. True where it did not die."""
    doom.left = uses
    try:
        await desk.settle()
        survived = doom.left > 0
    except Killed:
        survived = False
    doom.left = None
    await desk.pass_time(10)
    return survived


async def visit(desk: Desk, doom: Doom, uses: int) -> bool:
    """One question whose worker dies while the turn goes to sleep or wakes, and the person's approval."""
    stored = await desk.say("Please note it.", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.entries = [sensible] * 20
    slept = await settled(desk, doom, uses)
    await decide(desk)
    woke = await settled(desk, doom, uses)
    rows = await desk.fetch(
        "SELECT message_text FROM conversation_messages WHERE conversation_id = $1 AND direction = 'outbound'"
        " ORDER BY id",
        stored.conversation_id,
    )
    assert [row[0] for row in rows] == [LINE, "Noted."], f"killed after {uses} uses of the database"
    return slept and woke


async def test_a_worker_may_die_at_any_use_of_the_database(asking: Desk, doom: Doom) -> None:
    desk, points = asking, 0
    while not await visit(desk, doom, points):
        points += 1
        assert points < MOST_POINTS
    assert points > 8
    assert await notes(desk) == ["Wants a visit."] * (points + 1)
    assert set(await states(desk)) == {("used", None)}


async def test_a_reply_written_beside_a_call_that_waits_is_not_sent(asking: Desk) -> None:
    """With values beside the reply, the answer is a call as well: it is asked for again, after the other's result."""
    desk = asking
    keys: Json = [{"key": "wish", "type": "string", "description": "What the customer wants."}]
    await desk.configure(additional_json_keys=keys)
    answer: dict[str, Json] = {"reply": "Already noted!", "wish": "a visit"}
    first = {0: note("Visit.", "a")[0], 1: call("final_answer", "b", **answer)[0]}  # type: ignore[index]
    assert await desk.ask("Please note it.", first) == [LINE]
    desk.script.say(call("final_answer", "c", **(answer | {"reply": "Noted."})))
    await decide(desk)
    await desk.settle()
    assert (await notes(desk), (await desk.replies())[-1]) == (["Visit."], "Noted.")
    assert is_valid(desk.script.requests[-1])


async def test_a_call_by_the_catalogue_is_shown_by_its_own_name(asking: Desk) -> None:
    desk = asking
    desk.flow.toolbox = Few()
    await desk.ask("Please note it.", {0: DeltaToolCall("call_tool", BY_CATALOGUE, tool_call_id="a")})
    (row,) = await approvals(desk)
    assert (row["tool_name"], json.dumps(row["arguments"])) == ("add_note", '{"text": "Visit."}')
    desk.script.say("Noted.")
    await decide(desk)
    await desk.settle()
    assert await notes(desk) == ["Visit."]


class Few:
    """A list of tools that is too long for anything but the catalogue."""

    def __init__(self) -> None:
        self.tools = wrapped(InternalToolset(TOOLS.values()), most_characters=0)

    def toolset(self) -> AbstractToolset[ToolDeps]:
        return self.tools
