"""A crash before each use of the database that a turn makes: everything still happens exactly once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pydantic_ai.messages import ModelMessage, ToolReturnPart

from frontdesk.core.database import Connection, Database
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_resume import is_valid

MULTI = {"mode": "multi", "max_messages": 2, "delay_seconds": {"min": 1, "max": 1}}
PARTS = ["It is noted.", "See you on Monday."]
MOST_POINTS = 60

Open = Callable[[Database, int], AbstractAsyncContextManager[Connection]]


class Killed(BaseException):
    """The process ended here."""


class Doom:
    """Lets `left` more uses of the database pass, then ends the process for good."""

    def __init__(self) -> None:
        self.left: int | None = None

    def around(self, original: Open) -> Open:
        @asynccontextmanager
        async def opened(database: Database, organization_id: int) -> AsyncIterator[Connection]:
            if self.left is not None:
                if self.left <= 0:
                    raise Killed
                self.left -= 1
            async with original(database, organization_id) as connection:
                yield connection

        return opened


@pytest.fixture
def doom(monkeypatch: pytest.MonkeyPatch) -> Doom:
    doom = Doom()
    for name in ("reading", "transaction"):
        monkeypatch.setattr(Database, name, doom.around(getattr(Database, name)))
    return doom


async def sensible(messages: list[ModelMessage]) -> Reply:
    """Decides by what it reads, as a model does: notes first, then answers."""
    assert is_valid(messages)
    if any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
        return "\n\n".join(PARTS)
    return call("add_note", text="Wants a visit.")


async def visit(desk: Desk, doom: Doom, uses: int) -> bool:
    """One conversation whose worker dies after so many uses; others go on. True where it did not come to that."""
    stored = await desk.say("Please note it.", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.entries = [sensible] * 20
    doom.left = uses
    try:
        await desk.settle()
        survived = doom.left > 0
    except Killed:
        survived = False
    doom.left = None
    for seconds in (1, 10, 1):
        await desk.pass_time(seconds)
    rows = await desk.fetch(
        "SELECT message_text FROM conversation_messages WHERE conversation_id = $1 AND direction = 'outbound'"
        " ORDER BY id",
        stored.conversation_id,
    )
    assert [row[0] for row in rows] == PARTS, f"killed after {uses} uses of the database"
    notes = await desk.fetch("SELECT id FROM notes WHERE contact_id = $1", stored.contact_id)
    assert len(notes) == 1, f"killed after {uses} uses of the database"
    return survived


async def test_a_crash_before_any_use_of_the_database_loses_and_repeats_nothing(desk: Desk, doom: Doom) -> None:
    await desk.configure(response_config=MULTI)
    points = 0
    while not await visit(desk, doom, points):
        points += 1
        assert points < MOST_POINTS
    assert points > 8
    assert {outcome for outcome, _ in await desk.decisions()} == {"answered"}
    assert await desk.fetch("SELECT id FROM ai_turns WHERE status <> 'ended'") == []
