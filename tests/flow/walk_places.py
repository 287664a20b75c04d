"""Where a walk takes place: a channel with a provider, the web chat, a ticket, a chat of the team."""

from __future__ import annotations

from dataclasses import dataclass

from frontdesk.core.caller import Caller, Role
from tests.flow.harness import Desk
from tests.flow.staff import Chat, make_team
from tests.flow.test_tickets import opened

TOOLS = dict.fromkeys(("find_contact", "add_note"), True)


@dataclass
class Place:
    """A conversation of the desk on a channel. `is_local`: a message that is stored has arrived."""

    desk: Desk
    channel: str = "sms"
    path: str = "conversations"
    assistant_type: str = "conversation"
    is_local: bool = False

    async def begin(self) -> None:
        self.desk.channel = self.channel
        for table in ("conversations", "conversation_messages"):
            await self.desk.fetch(f"UPDATE {table} SET channel = $1 RETURNING id", self.channel)

    async def inbound(self, text: str, external_id: str) -> int:
        """The customer writes. Gives the message's id, the same one for a repeat delivery."""
        return (await self.desk.say(text, external_id)).id

    async def write(self, text: str, caller: Caller) -> None:
        """A person or a program writes to the customer."""
        name = self.channel if self.channel == "sms" else f"transform-outgoing-{self.channel}"
        data = {"conversation_id": self.desk.conversation_id, "message_text": text}
        await self.desk.door.call(caller, f"conversation-messages-{name}", "create", data=data)


class TicketPlace(Place):
    async def begin(self) -> None:
        ticket = await opened(self.desk)
        self.desk.assistant_id, self.desk.conversation_id = ticket.helper_id, ticket.ticket_id
        await self.desk.configure(access_permissions_contact="read_write", internal_tools={"tools": TOOLS})

    async def inbound(self, text: str, external_id: str) -> int:
        fields = {"direction": "inbound", "external_id": external_id}
        return await self._send(text, self.desk.owner, **fields)

    async def write(self, text: str, caller: Caller) -> None:
        await self._send(text, caller)

    async def _send(self, text: str, caller: Caller, **fields: object) -> int:
        data = {"support_ticket_id": self.desk.conversation_id, "message_text": text, **fields}
        return int(str((await self.desk.door.call(caller, "support-ticket-messages", "create", data=data)).value["id"]))


class StaffPlace(Place):
    async def begin(self) -> None:
        team = await make_team(self.desk)
        self.chat: Chat = await team.session(Role.owner)
        self.desk.assistant_id, self.desk.conversation_id = team.assistant_id, self.chat.id

    async def inbound(self, text: str, external_id: str) -> int:
        return int(str((await self.chat.say(text, external_id))["id"]))


def place_of(desk: Desk, name: str) -> Place:
    if name == "ticket":
        return TicketPlace(desk, "form", "support-tickets", "support-ticket", is_local=True)
    if name == "team":
        return StaffPlace(desk, "ai-chat", "ai-chat-sessions", "ai-chat", is_local=True)
    return Place(desk, name, is_local=name != "sms")
