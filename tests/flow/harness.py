"""A whole desk in one process: real PostgreSQL, real bells, a scripted model, a fake provider, and a clock that stands.

`say` is a customer's message, `settle` lets everything happen that is due at this moment, `pass_time` moves the clock.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.toolsets.abstract import AbstractToolset

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.handoff_return import RETURN_DOORBELL
from frontdesk.assistants.no_model import NoModel
from frontdesk.channels.playground import PLAYGROUND
from frontdesk.channels.protocol import Channel, LocalChannel, Outgoing
from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.door import Answer, Door
from frontdesk.core.errors import Json
from frontdesk.core.jobs import read_payload
from frontdesk.core.vault import Vault
from frontdesk.flow import Flow
from frontdesk.reception import Inbound, StoredMessage, receive
from frontdesk.registry import make_registry
from frontdesk.resources.messaging import bulk_batches
from frontdesk.resources.messaging.bulk_batches import BulkWork
from frontdesk.runtime.follow_ups import FOLLOW_UP_DOORBELL, FollowUps
from frontdesk.runtime.handoff import NOTICE_DOORBELL
from frontdesk.runtime.handoff_notices import HandoffNotices
from frontdesk.runtime.returns import Returns
from frontdesk.runtime.sweeper import INTENT_DOORBELL, sweep
from frontdesk.runtime.thread import DOORBELL
from frontdesk.runtime.tooling import ToolDeps
from frontdesk.runtime.unknown_calls import UnknownCalls
from frontdesk.tools.table import make_toolset

MONDAY_NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ROUNDS = 60

Reply = str | Exception | DeltaToolCalls
Act = Callable[[list[ModelMessage]], Awaitable[Reply]]


def call(name: str, call_id: str | None = None, **arguments: Json) -> DeltaToolCalls:
    """A model's answer that calls one tool."""
    return {0: DeltaToolCall(name, json.dumps(arguments), tool_call_id=call_id or f"call_{name}")}


class Script:
    """A model that says what the test wrote, one entry per request: a text, tool calls, an error, or a function."""

    def __init__(self) -> None:
        self.entries: list[Reply | Act] = []
        self.requests: list[list[ModelMessage]] = []
        self.infos: list[AgentInfo] = []
        self.is_missing = False
        self.sees_images = False
        self.asked = asyncio.Event()

    def say(self, *entries: Reply | Act) -> None:
        self.entries.extend(entries)

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        self.requests.append(messages)
        self.asked.set()
        self.infos.append(info)
        entry = self.entries.pop(0) if self.entries else "I see."
        reply = await entry(messages) if callable(entry) else entry
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, str):
            for i, word in enumerate(reply.split(" ")):
                yield f" {word}" if i else word
        else:
            yield reply


@dataclass(frozen=True)
class Resolved:
    model: Model
    settings: ModelSettings | None = None
    price_input: Decimal | None = Decimal(1)
    price_output: Decimal | None = Decimal(2)
    context_length: int | None = None
    supports_images: bool = False
    takes_tools: bool = True
    facts: dict[str, Json] = field(default_factory=lambda: {"name": "scripted"})


class Models:
    def __init__(self, script: Script) -> None:
        self.script = script

    async def resolve(self, config: AssistantConfig) -> Resolved:
        if self.script.is_missing:
            raise NoModel("no provider is configured")
        model = FunctionModel(stream_function=self.script.stream, model_name="scripted")
        return Resolved(model, supports_images=self.script.sees_images)


class Toolbox:
    def __init__(self) -> None:
        self.tools = make_toolset()

    def toolset(self) -> AbstractToolset[ToolDeps]:
        return self.tools


class FakeProvider:
    """A channel with a provider behind it; a repeated key is one message there, if it takes keys."""

    name, is_local, shows_drafts = "sms", False, False

    def __init__(self, *, takes_keys: bool = True) -> None:
        self.takes_keys = takes_keys
        self.accepted: list[str] = []
        self.keys: list[str] = []
        self.faults: list[BaseException | None] = []

    async def send(self, part: Outgoing) -> str | None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or isinstance(fault, Crash):
            if not self.takes_keys or part.idempotency_key not in self.keys:
                self.accepted.append(part.text)
            self.keys.append(part.idempotency_key)
        if fault is not None:
            raise fault
        return part.idempotency_key


class Crash(BaseException):
    """The process is gone: nothing after this line happens."""


@dataclass
class Desk:
    """One organization with one assistant, one contact and one conversation of the playground."""

    database: Database
    door: Door
    clock: FakeClock
    script: Script
    channels: dict[str, Channel]
    flow: Flow
    organization_id: int = 1
    user_id: int = 0
    assistant_id: int = 0
    contact_id: int = 0
    conversation_id: int = 0
    sent: int = 0
    channel: str = "playground"

    @property
    def owner(self) -> Caller:
        return Caller(self.organization_id, self.user_id, Role.owner, via="jwt")

    def another_flow(self) -> Flow:
        """A second worker, or the first one after a restart."""
        return Flow(self.door, self.flow.models, self.flow.toolbox, self.channels)

    def inbound(self, text: str, external_id: str | None = None, **fields: object) -> Inbound:
        self.sent += 1
        values = {"conversation_id": self.conversation_id, **fields}
        return Inbound(self.organization_id, self.channel, text, external_id=external_id or f"m{self.sent}", **values)  # type: ignore[arg-type]

    async def say(self, text: str, external_id: str | None = None, **fields: object) -> StoredMessage:
        """A customer writes."""
        return await receive(self.door, self.inbound(text, external_id, **fields))

    async def settle(self, flow: Flow | None = None) -> None:
        """Let all that is due happen, bell by bell, until nothing is."""
        for _ in range(ROUNDS):
            async with self.database.system() as connection:
                await sweep(connection, self.clock, timedelta(0))
                rows = await connection.fetch("DELETE FROM pgqueuer RETURNING id, entrypoint, payload")
            if not rows:
                return
            bells = {
                DOORBELL: (flow or self.flow).advance,
                bulk_batches.DOORBELL: BulkWork(self.door).advance,
                INTENT_DOORBELL: UnknownCalls(self.database, self.clock).settle,
                RETURN_DOORBELL: Returns(self.door).look,
                FOLLOW_UP_DOORBELL: FollowUps(self.door, flow or self.flow).look,
                NOTICE_DOORBELL: HandoffNotices(self.door).send,
            }
            for row in sorted(rows):
                await bells[row["entrypoint"]](*read_payload(row["payload"]))
        raise AssertionError("the desk does not come to rest")

    async def while_running(self, act: Callable[[float], Awaitable[None]], *seconds: float) -> None:
        """Do something at moments of a turn that is waiting for its model."""
        running = asyncio.create_task(self.settle())
        async with asyncio.timeout(60):
            await self.script.asked.wait()
            for moment in seconds:
                await act(moment)
            await running

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.settle()

    async def ask(self, text: str, *script: Reply | Act) -> list[str]:
        """A message, and everything that the customer reads because of it."""
        before = len(await self.replies())
        self.script.say(*script)
        await self.say(text)
        await self.settle()
        return (await self.replies())[before:]

    async def call(self, path: str, verb: str, id: int | None = None, **data: object) -> Answer:
        return await self.door.call(self.owner, path, verb, id=id, data=data or None)  # type: ignore[arg-type]

    async def configure(self, **fields: object) -> None:
        """PATCH the assistant."""
        await self.door.call(self.owner, "ai-assistants", "patch", id=self.assistant_id, data=fields)

    async def change(self, **fields: object) -> None:
        """PATCH the conversation."""
        await self.door.call(self.owner, "conversations", "patch", id=self.conversation_id, data=fields)

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.database.system() as connection:
            return await connection.fetch(sql, *arguments)

    async def replies(self) -> list[str]:
        rows = await self.fetch(
            "SELECT message_text FROM conversation_messages WHERE direction = 'outbound' AND message_type <> 'note'"
            " ORDER BY id"
        )
        return [row[0] for row in rows]

    async def decisions(self) -> list[tuple[str, str]]:
        """Outcome and reason for each inbound, in order; each inbound has exactly one."""
        inbounds = await self.fetch("SELECT id FROM conversation_messages WHERE direction = 'inbound' ORDER BY id")
        rows = await self.fetch(
            "SELECT message_id, outcome, reason FROM ai_decisions WHERE message_id IS NOT NULL ORDER BY message_id"
        )
        assert [row["message_id"] for row in rows] == [row["id"] for row in inbounds]
        return [(row["outcome"], row["reason"]) for row in rows]

    async def turns(self) -> list[str | None]:
        """How each turn ended, in order."""
        return [row["end_reason"] or row["status"] for row in await self.fetch("SELECT * FROM ai_turns ORDER BY id")]

    async def conversation(self) -> dict[str, Json]:
        return (await self.call("conversations", "get", self.conversation_id)).value

    async def wait_for(self, event: asyncio.Event) -> None:
        async with asyncio.timeout(60):
            await event.wait()


async def make_desk(database: Database) -> Desk:
    clock, script = FakeClock(MONDAY_NOON), Script()
    door = Door(database, make_registry(), clock, Vault("k" * 32))
    channels: dict[str, Channel] = {"playground": PLAYGROUND, "webchat": LocalChannel("webchat")}
    flow = Flow(door, Models(script), Toolbox(), channels)
    desk = Desk(database, door, clock, script, channels, flow)
    await _populate(desk)
    return desk


async def _populate(desk: Desk) -> None:
    now = desk.clock.now()
    async with desk.database.system() as connection:
        desk.organization_id = await connection.fetchval(
            "INSERT INTO organizations (name, subscription_status, timezone, currency, ai_daily_budget, created_at,"
            " updated_at) VALUES ('Luna Dental', 'active', 'UTC', 'USD', 10, $1, $1) RETURNING id",
            now,
        )
        desk.user_id = await connection.fetchval(
            "INSERT INTO users (email, first_name, created_at, updated_at)"
            " VALUES ('marta@example.com', 'Marta', $1, $1) RETURNING id",
            now,
        )
        await connection.execute(
            "INSERT INTO members (organization_id, user_id, role, created_at, updated_at)"
            " VALUES ($1, $2, 'owner', $3, $3)",
            desk.organization_id, desk.user_id, now,
        )  # fmt: skip
        model = await connection.fetchval("SELECT min(id) FROM ai_models")
    desk.contact_id = int(str((await desk.call("contacts", "create", first_name="Luis", phone="5550001")).value["id"]))
    await desk.call("contacts", "create", first_name="Ana", last_name="Torres", phone="5550002")
    tools = dict.fromkeys(("find_contact", "get_contact", "update_contact", "add_note"), True)
    assistant = await desk.call(
        "ai-assistants", "create", name="Reception", assistant_type="conversation", ai_model_id=model,
        instructions="You are the receptionist.", access_permissions_contact="read_write",
        internal_tools={"tools": tools},
    )  # fmt: skip
    desk.assistant_id = int(str(assistant.value["id"]))
    opened = await desk.say(
        "Hello", conversation_id=None, contact_id=desk.contact_id, ai_assistant_id=desk.assistant_id,
        is_contact_verified=True,
    )  # fmt: skip
    desk.conversation_id = opened.conversation_id
    desk.script.say("Good day.")
    await desk.settle()
    desk.script.requests.clear()
    desk.script.asked.clear()
