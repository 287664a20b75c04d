"""Two clinics with customers, and a turn without a store: what tests of tools stand on."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic_ai import RunContext
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.models.test import TestModel
from pydantic_ai.toolsets.abstract import AbstractToolset
from pydantic_ai.usage import RunUsage

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.internal_tools import InternalTools
from frontdesk.assistants.tool_keys import BUILT
from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Connection, Database
from frontdesk.core.disk_store import DiskStore
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.files import Files
from frontdesk.core.vault import Vault
from frontdesk.registry import make_registry
from frontdesk.runtime.tooling import AssistantView, CallRecord, CallToApprove, Permit, StoredCall, ToolDeps
from frontdesk.tools.internal import InternalToolset
from frontdesk.tools.table import TOOLS, make_toolset

HERE, ELSEWHERE = 10, 11  # conversations
ANA, BOB, VISITOR, STRANGER = 1, 2, 3, 4
ORGANIZATION = Caller(1, None, Role.member)

ROWS = """
INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    VALUES (1, 'Luna', 'UTC', 'USD', 'active', now(), now()), (2, 'Sol', 'UTC', 'USD', 'active', now(), now());
INSERT INTO contacts (id, organization_id, first_name, last_name, phone, system_type, created_in_conversation_id,
                      created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Ana', 'Torres', '5550001', 'contact', NULL, now(), now()),
           (2, 1, 'Bob', 'Miller', '5550002', 'contact', 11, now(), now()),
           (3, 1, 'Visitor', NULL, '5550003', 'visitor', 10, now(), now()),
           (4, 2, 'Ana', 'Stranger', '5550004', 'contact', 10, now(), now());
UPDATE contacts SET phone = '6001112' || id || '2', phone_country_code = '+34', phone_country_iso = 'ES' WHERE id = 2;
INSERT INTO notes (id, organization_id, text, contact_id, is_internal, created_in_conversation_id,
                   created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'pays late', 1, true, NULL, now(), now()), (2, 1, 'prefers mornings', 1, false, NULL, now(), now()),
           (3, 1, 'has a dog', 2, false, 11, now(), now()), (4, 1, 'internal from here', 3, true, 10, now(), now()),
           (5, 2, 'of Sol', 4, false, 10, now(), now());
INSERT INTO products (id, organization_id, name, status, type, price, is_variant, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Cleaning', 'active', 'service', 60, false, now(), now()),
           (2, 1, 'Secret', 'inactive', 'product', 1, false, now(), now()),
           (3, 2, 'Sun cream', 'active', 'product', 9, false, now(), now());
INSERT INTO users (id, email, first_name, last_name, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 'marta@example.com', 'Marta', 'Ruiz', now(), now());
INSERT INTO members (organization_id, user_id, role, created_at, updated_at) VALUES (1, 1, 'owner', now(), now());
INSERT INTO companies (id, organization_id, name, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Torres Foods', now(), now()), (2, 1, 'Miller Mills', now(), now());
UPDATE contacts SET company_id = id WHERE id < 3;
INSERT INTO pipelines (id, organization_id, name, entity, position, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Sales', 'deals', 1, now(), now());
INSERT INTO pipeline_stages (id, organization_id, name, pipeline_id, position, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 1, 'New', 1, 1, now(), now()), (2, 1, 'Offer', 1, 2, now(), now());
INSERT INTO custom_fields (organization_id, entity, key, name, type, is_required, position, created_at, updated_at)
    VALUES (1, 'contact', 'shoe_size', 'Shoe size', 'number', false, 1, now(), now());
INSERT INTO currencies (organization_id, code, name, symbol, is_default, created_at, updated_at)
    VALUES (1, 'USD', 'US Dollar', '$', true, now(), now());
INSERT INTO deals (id, organization_id, name, amount, currency, status, pipeline_id, pipeline_stage_id, contact_id,
                   company_id, created_in_conversation_id, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Whitening', 240, 'USD', 'open', 1, 1, 3, NULL, 10, now(), now()),
           (2, 1, 'Bread line', 9000, 'USD', 'open', 1, 1, 2, 2, 11, now(), now());
INSERT INTO ai_assistants (id, organization_id, name, assistant_type, ai_model_id, created_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT 7, 1, 'Luna', 'conversation', min(id), now(), now() FROM ai_models WHERE organization_id IS NULL;
INSERT INTO inbox_channels (id, organization_id, channel, name, public_key, allowed_origins, is_active, limits,
                            created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'whatsapp', 'Our number', 'wa_1', '{}', true, '{}', now(), now());
INSERT INTO inbox_channels (id, organization_id, channel, name, public_key, allowed_origins, is_active, limits,
                            created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (2, 1, 'email', 'Our mailbox', 'em_1', '{}', true, '{}', now(), now());
INSERT INTO email_broadcast_senders (id, organization_id, inbox_channel_id, name, email, is_verified, created_at,
                                     updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 2, 'Luna', 'news@example.com', true, now(), now());
INSERT INTO conversations (id, organization_id, contact_id, channel, inbox_channel_id, status,
        ai_auto_assignment_disabled, blocked, is_contact_verified, epoch, episode, last_position, unread_count, kind,
        last_interaction_at, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT id, 1, contact, channel, account, 'open', false, false, false, 1, 1, 2, 0, 'conversation', now(), now(),
        now()
    FROM (VALUES (10, 3, 'webchat', NULL), (11, 2, 'whatsapp', 1), (12, 3, 'webchat', NULL))
        AS c (id, contact, channel, account);
INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, direction, sender,
        message_type, message_text, status, kind, created_at, updated_at)
    SELECT 1, c.id, m.position, c.channel, m.direction, m.sender, m.kind, m.said, 'stored', 'conversation', now(), now()
    FROM conversations c, (VALUES (1, 'inbound', 'contact', 'text', 'Do you have bread?'),
        (2, 'outbound', 'user', 'note', 'Handle with care')) AS m (position, direction, sender, kind, said);
INSERT INTO whatsapp_templates (id, organization_id, inbox_channel_id, name, language, category, status, body, buttons,
                                variables, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 1, 'reminder', 'en', 'utility', 'approved', 'Hello {{1}}, see you soon.', '[]', '{1}', now(), now());
INSERT INTO activity_types (organization_id, key, name, color, icon_key, created_at, updated_at)
    VALUES (1, 'call', 'Call', '#10B981', 'phone', now(), now());
INSERT INTO activities (id, organization_id, subject, activity_type, start_date, timezone, done, contact_id,
                        created_in_conversation_id, created_at, updated_at) OVERRIDING SYSTEM VALUE
    VALUES (1, 1, 'Call the visitor', 'call', '2026-01-05', 'UTC', false, 3, 10, now(), now()),
           (2, 1, 'Call Bob', 'call', '2026-01-06', 'UTC', false, 2, 11, now(), now());
SELECT nextval(pg_get_serial_sequence(name, 'id')) FROM generate_series(1, 100),
    unnest(ARRAY['contacts', 'notes', 'companies', 'deals', 'products', 'conversations', 'activities']) name;
"""


def config(switches: dict[str, object] | None = None, **members: object) -> AssistantConfig:
    """An assistant of Luna with all tools on, unless `switches` says otherwise."""
    tools = InternalTools.model_validate({"tools": dict.fromkeys(BUILT, True) if switches is None else switches})
    access = {"access_contact": "read_write", "access_deals": "read_write"}
    given = {**access, "internal_tools": tools} | members
    return AssistantConfig(id=7, organization_id=1, **given)  # type: ignore[arg-type]


@dataclass
class Turn:
    """A `TurnHandle` that keeps its steps in memory; its transactions are real."""

    database: Database
    view: AssistantView
    turn_id: int = 1
    organization_id: int = 1
    conversation_id: int = HERE
    calls: Counter[str] = field(default_factory=Counter)
    records: list[CallRecord] = field(default_factory=list)
    effects: int = 0
    is_approved: bool = True
    waiting: list[str] = field(default_factory=list)
    breaks: Exception | None = None  # raised when a call is recorded: a crash before the commit

    @asynccontextmanager
    async def transaction(self, *, locks_conversation: bool = False) -> AsyncIterator[Connection]:
        async with self.database.transaction(self.organization_id) as connection:
            yield connection

    async def stored_call(self, call_id: str) -> StoredCall | None:
        found = [r for r in self.records if r.call_id == call_id]
        return StoredCall(found[-1].tool_name, found[-1].status, found[-1].result) if found else None

    async def start_effects(self, connection: Connection) -> None:
        self.effects += 1

    async def record_call(self, connection: Connection, call: CallRecord) -> None:
        if self.breaks is not None:
            raise self.breaks
        self.records.append(call)

    async def record_outcome(self, call: CallRecord) -> None:
        async with self.transaction() as connection:
            await self.record_call(connection, call)

    async def permit(self, connection: Connection, call: CallToApprove) -> Permit:
        return Permit("granted" if self.is_approved else "waits")

    def awaits(self, call_id: str) -> None:
        self.waiting.append(call_id)

    async def current_assistant(self, connection: Connection) -> AssistantView:
        return self.view


@dataclass
class World:
    """A turn of an assistant of Luna, in the conversation HERE."""

    database: Database
    door: Door
    turn: Turn
    deps: ToolDeps
    toolset: AbstractToolset[ToolDeps]

    def context(self, call_id: str | None = None, step: int = 1) -> RunContext[ToolDeps]:
        name = call_id or f"call-{self.turn.calls.total()}"
        return RunContext(deps=self.deps, model=TestModel(), usage=RunUsage(), tool_call_id=name, run_step=step)

    async def offered(self) -> set[str]:
        return set(await self.toolset.get_tools(self.context()))

    async def use(self, name: str, /, **arguments: Json) -> Json:
        """The result as the model gets it; the sentence of a failure is text."""
        context = self.context()
        tool = (await InternalToolset(TOOLS.values()).get_tools(context))[name]
        try:
            return await self.toolset.call_tool(name, arguments, context, tool)
        except ToolFailed as failed:
            return failed.message

    def talks_to(self, contact_id: int | None, *, is_verified: bool) -> None:
        self.turn.view = replace(self.turn.view, contact_id=contact_id, is_contact_verified=is_verified)

    async def rows(self, sql: str) -> list[dict[str, object]]:
        async with self.database.system() as connection:
            return [dict(row) for row in await connection.fetch(sql)]

    def configure(self, started: AssistantConfig, now: AssistantConfig | None = None) -> None:
        """The turn started with one configuration; the record is now another, if one is given."""
        self.deps = replace(self.deps, config=started)
        self.turn.view = replace(self.turn.view, config=now or started)


async def make_world(database: Database, toolset: AbstractToolset[ToolDeps] | None = None) -> World:
    async with database.system() as connection:
        await connection.execute(ROWS)
    clock = FakeClock()
    files = Files(DiskStore(Path("/nowhere")), "k" * 32, clock)  # for addresses; no tool writes a file
    door = Door(database, make_registry(), clock, Vault("k" * 32), files)
    turn = Turn(database, AssistantView(config(), False, VISITOR, False))
    deps = ToolDeps(Caller(1, None, Role.member, ai_assistant_id=7, via="tool"), door, clock, turn, config())
    return World(database, door, turn, deps, toolset or make_toolset())
