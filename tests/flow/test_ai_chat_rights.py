"""What a staff chat may do: what both its assistant and the member may, looked at anew at each call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from frontdesk.core.resource import Rights
from tests.flow.harness import Desk, Reply, call
from tests.flow.staff import Chat, Team, make_team

CALLS = "SELECT tool_name, status, result FROM ai_turn_steps WHERE kind = 'tool' ORDER BY id"


def contact(name: str) -> Reply:
    return call("create_contact", name, first_name=name)


@pytest.fixture
async def team(desk: Desk) -> Team:
    return await make_team(desk)


@pytest.fixture
async def chat(team: Team) -> Chat:
    return await team.session()


@pytest.fixture
def guarded(desk: Desk) -> Iterator[None]:
    """Contacts and notes are written by admins only, as an organization with finer rights would have it."""
    resources = [desk.door.registry[path] for path in ("contacts", "notes")]
    kept = [resource.rights for resource in resources]
    for resource in resources:
        object.__setattr__(resource, "rights", Rights(write=Role.admin))
    yield
    for resource, rights in zip(resources, kept, strict=True):
        object.__setattr__(resource, "rights", rights)


async def calls(desk: Desk) -> list[tuple[str, str, str]]:
    return [(row[0], row[1], str(row[2])) for row in await desk.fetch(CALLS)]


async def test_what_is_written_names_the_member_and_the_assistant(desk: Desk, team: Team, chat: Chat) -> None:
    await chat.ask("Note it.", call("add_note", text="Called.", contact_id=2), "Noted.")
    note = (await desk.fetch("SELECT created_by_user_id, created_by_ai_assistant_id FROM notes"))[0]
    assert tuple(note) == (team.members[Role.member].user_id, team.assistant_id)


async def test_what_the_member_plans_for_nobody_is_theirs(desk: Desk, chat: Chat) -> None:
    await desk.call("activity-types", "create", name="Call", key="call", color="#10B981")
    plan = call("create_activity", subject="Call Ana", activity_type="call", start_date="2026-01-06")
    await chat.ask("Remind me.", plan, "Done.")
    row = (await desk.fetch("SELECT assigned_to_user_id, created_by_user_id FROM activities"))[0]
    assert tuple(row) == (chat.caller.user_id, chat.caller.user_id)


WRITES: dict[str, dict[str, Json]] = {
    "create_contact": {"first_name": "Bread"},
    "update_contact": {"contact_id": 2, "first_name": "Anna"},
    "add_note": {"contact_id": 2, "text": "Called."},
}


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("role", [Role.member, Role.admin, Role.owner], ids=lambda role: role.name)
@pytest.mark.parametrize("tool", WRITES)
async def test_a_tool_may_no_more_than_who_asks(desk: Desk, team: Team, role: Role, tool: str) -> None:
    chat = await team.session(role)
    reading = call("find_contact", "a", search="Ana")
    await chat.ask("Do it.", reading, call(tool, "b", **WRITES[tool]), "As you see.")
    (_, read, _), (_, written, result) = await calls(desk)
    assert (read, written) == ("done", "failed" if role is Role.member else "done"), result
    assert ("you are member" in result) is (role is Role.member)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"access_permissions_contact": "none"}, "access_none"),
        ({"access_permissions_contact": "read"}, "access_read"),
        ({"internal_tools": {"tools": {"create_contact": False}}}, None),
    ],
    ids=["no-access", "reading-only", "off"],
)
async def test_an_owner_gets_no_more_than_the_assistant_has(
    desk: Desk, team: Team, change: dict[str, object], rule: str | None
) -> None:
    chat = await team.session(Role.owner)
    await team.configure(**change)
    await chat.ask("A contact, please.", contact("Bread"), "I cannot.")
    assert await desk.fetch("SELECT id FROM contacts WHERE first_name IN ('Bread', 'One', 'Two')") == []
    table = (await desk.call("ai-turns", "get", 2)).value["tools"]
    kept_back = {entry["key"]: entry["rule"] for entry in table["not_offered"]}  # type: ignore[index, call-overload]
    assert kept_back.get("create_contact") == rule


async def test_scope_own_reaches_only_what_was_made_in_the_session(desk: Desk, team: Team, chat: Chat) -> None:
    await team.configure(internal_tools={"tools": {"find_contact": {"enabled": True, "scope": "own"}}})
    await chat.ask("Who is Ana?", call("find_contact", search="Ana"), "Nobody that I know.")
    assert "Torres" not in (await calls(desk))[0][2]


REMOVE = "UPDATE members SET deleted_at = now() WHERE user_id = $1 RETURNING id"
DEMOTE = "UPDATE members SET role = 'member' WHERE user_id = $1 RETURNING id"


async def test_who_is_removed_in_the_middle_gets_nothing_more(desk: Desk, chat: Chat) -> None:
    async def removed(_: list[ModelMessage]) -> Reply:
        await desk.fetch(REMOVE, chat.caller.user_id)
        return call("find_contact", search="Ana")

    await chat.ask("Who is Ana?", removed, "I cannot say.")
    ((name, status, result),) = await calls(desk)
    assert (name, status) == ("find_contact", "refused")
    assert "no member" in result


@pytest.mark.usefixtures("guarded")
async def test_who_is_demoted_in_the_middle_has_the_new_role_at_once(desk: Desk, team: Team) -> None:
    chat = await team.session(Role.admin)

    async def demoted(_: list[ModelMessage]) -> Reply:
        await desk.fetch(DEMOTE, chat.caller.user_id)
        return contact("Two")

    await chat.ask("Two contacts.", contact("One"), demoted, "One.")
    assert [status for _, status, _ in await calls(desk)] == ["done", "failed"]
    assert len(await desk.fetch("SELECT id FROM contacts WHERE first_name IN ('Bread', 'One', 'Two')")) == 1


async def test_who_was_removed_before_the_answer_costs_nothing(desk: Desk, chat: Chat) -> None:
    await chat.say("Hello?")
    await desk.fetch(REMOVE, chat.caller.user_id)
    await desk.settle()
    assert desk.script.requests == []
    assert (await desk.decisions())[-1] == ("silent", "asker_removed")


async def test_a_message_to_a_customer_is_the_assistants_and_names_the_member(desk: Desk, team: Team) -> None:
    """The switch for sending is what allows it: nothing else of a staff chat reaches a customer."""
    await desk.fetch("UPDATE conversations SET channel = 'webchat' WHERE id = $1 RETURNING id", desk.conversation_id)
    chat = await team.session()
    send = call("send_conversation_message", conversation_id=desk.conversation_id, message_text="We open at nine.")
    await chat.ask("Tell them when we open.", send, "Sent.")
    assert [status for _, status, _ in await calls(desk)] == ["done"], await calls(desk)
    row = (await desk.fetch("SELECT * FROM conversation_messages WHERE message_text = 'We open at nine.'"))[0]
    assert (row["sender"], row["created_by_user_id"], row["conversation_id"]) == (
        "assistant", chat.caller.user_id, desk.conversation_id,
    )  # fmt: skip
