"""Staff chats on the spine: answers, drafts, bursts, failures, and nothing of it in the organization's inbox."""

from __future__ import annotations

import pytest

from tests.flow.harness import Desk, call
from tests.flow.staff import Team, make_team


@pytest.fixture
async def team(desk: Desk) -> Team:
    return await make_team(desk)


async def test_a_question_is_answered_from_the_whole_organization(desk: Desk, team: Team) -> None:
    chat = await team.session()
    answer = await chat.ask("Who is Ana?", call("find_contact", search="Ana"), "Ana Torres, 555 0002.")
    assert answer == ["Ana Torres, 555 0002."]
    assert [row["sender"] for row in await chat.messages()] == ["user", "assistant"]
    assert (await desk.decisions())[-1] == ("answered", "answered")
    step = (await desk.fetch("SELECT status, result FROM ai_turn_steps WHERE kind = 'tool'"))[0]
    assert step["status"] == "done"
    assert "Torres" in step["result"]
