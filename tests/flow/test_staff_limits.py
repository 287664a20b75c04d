"""Limits and summaries in staff chats: the member reads why there is no answer, and nobody else reads what was said."""

from __future__ import annotations

from typing import Any

import pytest

from frontdesk.core.caller import Role
from tests.flow.harness import Desk, call
from tests.flow.staff import Team, make_team

SPENT = "No answer: the assistant's limit of the day is spent"


@pytest.fixture
async def team(desk: Desk) -> Team:
    return await make_team(desk)


async def test_a_member_reads_that_the_limit_is_spent(desk: Desk, team: Team) -> None:
    chat = await team.session()
    await team.configure(advanced_options={"budget": {"max_cost_per_day": 0.000001}})
    first = await chat.ask("Who is Ana?", call("find_contact", search="Ana"), "Never said.")
    second = await chat.ask("And now?", "Never said.")
    assert [said.startswith(SPENT) for said in (*first, *second)] == [True, True]
    owner = await desk.fetch("SELECT assigned_ai_assistant_id FROM conversations WHERE id = $1", chat.id)
    assert owner[0][0] == team.assistant_id


async def test_the_summary_of_a_private_chat_is_private(desk: Desk, team: Team) -> None:
    chat = await team.session()
    await team.configure(advanced_options={"summary": {"enabled": True, "after_messages": 4}})
    for text in ("One?", "Two?"):
        await chat.ask(text, "Yes.")
    await chat.ask("Three?", "The member asked twice.", "Yes.")
    seen: dict[Role, Any] = {
        role: (await desk.door.call(caller, "conversation-summaries", "find")).value["total"]
        for role, caller in team.members.items()
    }
    assert seen == {Role.member: 1, Role.admin: 0, Role.owner: 0}
