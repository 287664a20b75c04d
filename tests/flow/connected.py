"""A desk whose customers write on a connected channel, with the fake provider behind it."""

from dataclasses import dataclass

from frontdesk.arrivals import Arrival, Report, arrive, report
from frontdesk.channels.connected import Connected
from frontdesk.channels.fake import FakeProvider
from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import Json
from frontdesk.reception import StoredMessage
from tests.flow.harness import Desk

LUIS, ANA = "34600111222", "34600333444"


@dataclass
class Line:
    """One inbox channel: what customers write on it, what they have read, and the organization's own words."""

    desk: Desk
    fake: FakeProvider
    channel: str
    inbox_channel_id: int
    conversation_id: int = 0
    received: int = 0

    def arrival(self, text: str, **fields: object) -> Arrival:
        self.received += 1
        values: dict[str, object] = {"address": LUIS, "external_id": f"in-{self.received}", **fields}
        return Arrival(self.desk.organization_id, self.inbox_channel_id, self.channel, text=text, **values)  # type: ignore[arg-type]

    async def write(self, text: str = "", **fields: object) -> StoredMessage:
        """A customer writes; the provider delivers it."""
        stored = await arrive(self.desk.door, self.arrival(text, **fields))
        assert stored is not None
        self.conversation_id = self.conversation_id or stored.conversation_id
        return stored

    async def ask(self, text: str, *script: object) -> list[str]:
        """A message, and everything that the customer reads because of it."""
        before = len(self.fake.accepted)
        self.desk.script.say(*script)  # type: ignore[arg-type]
        await self.write(text)
        await self.desk.settle()
        return self.fake.texts[before:]

    async def report(self, message_id: int, status: str, error: str | None = None) -> bool:
        """The provider tells what became of a message."""
        row = await self.desk.fetch("SELECT external_id FROM conversation_messages WHERE id = $1", message_id)
        where = (self.desk.organization_id, self.inbox_channel_id, self.channel, row[0][0])
        return await report(self.desk.door, Report(*where, status, error))

    @property
    def path(self) -> str:
        name = "sms" if self.channel == "sms" else f"transform-outgoing-{self.channel}"
        return f"conversation-messages-{name}"

    async def send(self, text: str | None = None, caller: Caller | None = None, **fields: object) -> dict[str, Json]:
        """A person (or a key, or a tool) writes; nothing is handed over before the desk settles."""
        data = {"conversation_id": self.conversation_id, "message_text": text, **fields}
        data = {name: value for name, value in data.items() if value is not None}
        return (await self.desk.door.call(caller or self.desk.owner, self.path, "create", data=data)).value

    async def message(self, id: object) -> dict[str, Json]:
        """As the API shows it; a deleted one too."""
        row = await self.desk.fetch("SELECT status, error, deleted_at FROM conversation_messages WHERE id = $1", id)
        return dict(row[0])

    async def status(self, id: object) -> str:
        return str((await self.message(id))["status"])

    @property
    def key(self) -> Caller:
        """An API key, which does not take over by writing."""
        return Caller(self.desk.organization_id, self.desk.user_id, Role.admin, via="api_key")


async def connect(desk: Desk, channel: str = "whatsapp", *, takes_keys: bool = True, **fields: object) -> Line:
    """Connect a channel to the fake provider; its conversations go to the desk's assistant."""
    fake = FakeProvider(takes_keys=takes_keys)
    desk.channels[channel] = Connected(channel, desk.database, {"fake": fake})
    values = {"provider": "fake", "ai_assistant_id": desk.assistant_id, **fields}
    row = await desk.call("inbox-channels", "create", channel=channel, name="Line", **values)
    return Line(desk, fake, channel, int(str(row.value["id"])))


async def template(desk: Desk, line: Line, **fields: object) -> int:
    """An approved template with two variables."""
    values = {"name": "reminder", "language": "en", "body": "Hello {{1}}, see you on {{2}}.", "status": "approved"}
    values |= fields  # type: ignore[arg-type]
    row = await desk.call("whatsapp-templates", "create", inbox_channel_id=line.inbox_channel_id, **values)
    return int(str(row.value["id"]))
