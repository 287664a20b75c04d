"""A team at the desk: members of each role, an assistant of the type ai-chat, and their chats with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Json
from tests.flow.harness import Act, Desk, Reply

TOOLS = ("find_contact", "get_contact", "update_contact", "add_note", "create_contact", "create_activity",
         "find_organization_members", "find_conversations", "send_conversation_message")  # fmt: skip


@dataclass
class Chat:
    """One member's session."""

    desk: Desk
    caller: Caller
    id: int

    async def say(self, text: str, key: str | None = None) -> dict[str, Json]:
        data = {"ai_chat_session_id": self.id, "message_text": text, "idempotency_key": key}
        return (await self.desk.door.call(self.caller, "ai-chat-messages", "create", data=data)).value

    async def ask(self, text: str, *script: Reply | Act) -> list[str]:
        """A question, and what the member reads because of it."""
        before = len(await self.answers())
        self.desk.script.say(*script)
        await self.say(text)
        await self.desk.settle()
        return (await self.answers())[before:]

    async def messages(self) -> list[dict[str, Json]]:
        query = {"ai_chat_session_id": self.id, "$sort": {"position": 1}, "$limit": 50}
        found = await self.desk.door.call(self.caller, "ai-chat-messages", "find", query=query)
        return cast("list[dict[str, Json]]", found.value["data"])

    async def answers(self) -> list[str]:
        return [str(row["message_text"]) for row in await self.messages() if row["direction"] == "outbound"]


@dataclass
class Team:
    desk: Desk
    assistant_id: int
    members: dict[Role, Caller]

    async def session(self, role: Role = Role.member, **data: object) -> Chat:
        caller = self.members[role]
        body = {"assigned_ai_assistant_id": self.assistant_id, **data}
        made = await self.desk.door.call(caller, "ai-chat-sessions", "create", data=body)
        assert made.id is not None
        return Chat(self.desk, caller, made.id)

    async def configure(self, **fields: object) -> None:
        await self.desk.door.call(self.desk.owner, "ai-assistants", "patch", id=self.assistant_id, data=fields)

    async def make(self, role: Role, name: str) -> Caller:
        """One more member."""
        now = self.desk.clock.now()
        async with self.desk.database.system() as connection:
            user = await connection.fetchval(
                "INSERT INTO users (email, first_name, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id",
                f"{name.lower()}@example.com", name, now,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO members (organization_id, user_id, role, created_at, updated_at)"
                " VALUES ($1, $2, $3, $4, $4)",
                self.desk.organization_id, user, role.name, now,
            )  # fmt: skip
        return Caller(self.desk.organization_id, user, role, via="jwt")


async def make_team(desk: Desk) -> Team:
    model = (await desk.fetch("SELECT min(id) FROM ai_models"))[0][0]
    assistant = await desk.call(
        "ai-assistants", "create", name="Helper", assistant_type="ai-chat", ai_model_id=model,
        instructions="You help the team.", access_permissions_contact="read_write",
        access_permissions_deals="read_write", internal_tools={"tools": dict.fromkeys(TOOLS, True)},
    )  # fmt: skip
    assert assistant.id is not None
    team = Team(desk, assistant.id, {Role.owner: desk.owner})
    team.members[Role.member] = await team.make(Role.member, "Nora")
    team.members[Role.admin] = await team.make(Role.admin, "Omar")
    return team
