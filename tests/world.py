"""Two organizations, users of each role and their keys: what contract tests of the API stand on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

import httpx

from frontdesk.core.caller import Role
from frontdesk.core.completions import Completed, Completion
from frontdesk.core.database import Database
from frontdesk.core.door import Door
from frontdesk.core.fields import Field, Plain
from frontdesk.core.file_kinds import make_key
from frontdesk.core.resource import Registry, Resource
from frontdesk.core.settings import Settings
from frontdesk.core.statements import create_statement
from frontdesk.core.vault import Vault
from frontdesk.main import create_app
from frontdesk.registry import make_door
from frontdesk.resources.organization.api_keys import hash_key
from frontdesk.resources.organization.passwords import hash_password
from tests.databases import OpenDatabase

OURS, THEIRS = 1, 2
PASSWORD = "a long enough password"
PASSWORD_HASH = hash_password(PASSWORD)
ROLES = (Role.member, Role.admin, Role.owner)
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SAMPLES: Mapping[str, Plain] = {
    "text": "sample", "integer": 7, "small": 7, "number": Decimal(7), "decimal": Decimal(7), "boolean": False,
    "moment": NOW, "date": date(2026, 1, 5), "time": time(9, 0), "texts": [], "json": {},
}  # fmt: skip
SEED = """
    INSERT INTO organizations (id, name, timezone, currency, subscription_status, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES (1, 'Ours', 'UTC', 'USD', 'active', now(), now()),
                                   (2, 'Theirs', 'UTC', 'USD', 'active', now(), now());
    INSERT INTO activity_types (organization_id, name, key, color, created_at, updated_at)
    SELECT id, 'Call', 'call', '#10B981', now(), now() FROM organizations;
"""
USER = "INSERT INTO users (email, password_hash, created_at, updated_at) VALUES ($1, $2, now(), now()) RETURNING id"
MEMBER = """
    INSERT INTO members (organization_id, user_id, role, created_at, updated_at) VALUES ($1, $2, $3, now(), now())
"""
KEY = """
    INSERT INTO api_keys (organization_id, user_id, name, key_hash, key_mask, created_at, updated_at)
    VALUES ($1, $2, 'test', $3, 'fd_…', now(), now())
"""
# What a body needs besides: rows that fit each other, made by a method of the world.
SETTINGS = {
    "mcp-sign-ins": "_mcp_server",
    "whatsapp-templates": "_whatsapp_template",
    "conversations-initiate-whatsapp": "_whatsapp_opening",
    "email-broadcast-senders": "_broadcast_sender",
    "api-tools-dry-run": "_callable_tool",
    "api-tools-executions": "_callable_tool",
}
INSTALLATION = "SELECT min(id) FROM {} WHERE organization_id IS NULL"


def key_of(role: Role, organization_id: int = OURS) -> str:
    return f"fd_key_of_{role.name}_{organization_id}"


def email_of(role: Role, organization_id: int = OURS) -> str:
    return f"{role.name}{organization_id}@example.com"


class Echo:
    """The model of a world: it says what it was asked last, so that no test of the API waits for a real one."""

    async def complete(self, asked: Completion) -> Completed:
        text = asked.messages[-1][1]
        return Completed(json.dumps({"text_content": text}) if asked.schema else text, "echo", 1, 1)

    async def stream(self, asked: Completion) -> AsyncIterator[str | Completed]:
        done = await self.complete(asked)
        yield done.text
        yield done


@dataclass
class World:
    """The seeded database behind a real application, and clients with each key."""

    database: Database
    app: httpx.ASGITransport
    registry: Registry
    users: dict[tuple[Role, int], int] = field(default_factory=dict)
    guests: int = 0
    samples: int = 0

    @property
    def door(self) -> Door:
        vault = Vault("contract tests need no better secret")
        return Door(self.database, self.registry, vault=vault, files=self.app.app.state.door.files)

    def client(self, role: Role | None = Role.owner, organization_id: int = OURS, **headers: str) -> httpx.AsyncClient:
        if role is not None:
            headers.setdefault("x-api-key", key_of(role, organization_id))
        return httpx.AsyncClient(transport=self.app, base_url="http://test", headers=headers)

    async def row(self, path: str, organization_id: int = OURS, **given: Plain) -> int:
        """A row of any resource, straight into its table: required values by kind, references by more rows."""
        resource = self.registry[path]
        values: dict[str, Plain] = {"created_at": NOW, "updated_at": NOW, **resource.fixed}  # type: ignore[dict-item]
        if resource.is_tenant:
            values["organization_id"] = organization_id
        for f in resource.fields:
            if f.name in given:
                values[f.name] = given[f.name]
            elif f.default is not None:
                values[f.name] = f.default
            # A reference with an example is one that the row needs, or one of several of which it needs one.
            elif (not f.is_nullable or (f.references and f.example is not None)) and f.name not in values:
                values[f.name] = await self._value(f, organization_id)
                if values[f.name] == SAMPLES["text"] and any(f.name in names for names in resource.unique):
                    self.samples += 1
                    values[f.name] = f"sample {self.samples}"
        statement = create_statement(resource, tuple(values))
        arguments = {f"v_{name}": _bindable(resource, name, value) for name, value in values.items()}
        async with self.database.system() as connection:
            row = await connection.fetchrow(statement.sql, *statement.arguments(arguments))
        assert row is not None
        return int(row["id"])

    async def _value(self, f: Field, organization_id: int) -> Plain:
        if f.references == "users":
            async with self.database.system() as connection:
                self.guests += 1
                return int(await connection.fetchval(USER, f"guest{self.guests}@example.com", None))
        if f.references and self.registry[f.references].is_shared:
            async with self.database.system() as connection:
                return int(await connection.fetchval(INSTALLATION.format(f.references.replace("-", "_"))))
        if f.references:
            return await self.row(f.references, organization_id)
        if f.name.endswith(("_key", "_hash")):
            self.guests += 1
            return f"{f.name}-{organization_id}-{self.guests}"
        return f.choices[0] if f.choices else SAMPLES[f.kind]

    async def body(self, path: str, organization_id: int = OURS) -> dict[str, object]:
        """A body that POST accepts: what is required, and the example that the API's description shows."""
        resource = self.registry[path]
        inputs = {f.name: f for f in (*resource.fields, *resource.extra_input) if f.write in ("always", "create")}
        body = {
            f.name: await self._input(f, organization_id)
            for f in inputs.values()
            if f.is_required or f.example is not None
        }
        if "conversation_id" in body and "channel" in resource.fixed:
            channel = str(resource.fixed["channel"])
            body["conversation_id"] = await self.row("conversations", organization_id, channel=channel)
        if path == "product-stock-movements":
            body["product_id"] = await self.row("products", organization_id, stock_quantity=1)
        if path == "conversation-files":
            body["s3_key"] = await self._stored_key(str(body["file_type"]), organization_id)
        if path in SETTINGS:
            body |= await getattr(self, SETTINGS[path])(organization_id)
        if resource.fixed.get("channel") in ("whatsapp", "instagram", "messenger") and "conversation_id" in body:
            await self._heard(int(str(body["conversation_id"])), str(resource.fixed["channel"]), organization_id)
        if path == "conversation-messages-playground":
            body["assistant_id"] = await self.row("ai-assistants", organization_id)
        return body

    async def _heard(self, conversation_id: int, channel: str, organization_id: int) -> None:
        """The customer has just written, so the channel's window is open."""
        values = {"direction": "inbound", "sender": "contact", "message_type": "text", "position": 0}
        id = await self.row(
            "conversation-messages", organization_id, conversation_id=conversation_id, channel=channel, **values
        )
        async with self.database.system() as connection:
            await connection.execute("UPDATE conversation_messages SET created_at = now() WHERE id = $1", id)

    async def _whatsapp_template(self, organization_id: int) -> dict[str, object]:
        return {"inbox_channel_id": await self.row("inbox-channels", organization_id, channel="whatsapp")}

    async def _whatsapp_opening(self, organization_id: int) -> dict[str, object]:
        account = await self.row("inbox-channels", organization_id, channel="whatsapp")
        values = {"status": "approved", "body": "Hello.", "inbox_channel_id": account}
        template = await self.row("whatsapp-templates", organization_id, **values)  # type: ignore[arg-type]
        contact = await self.row("contacts", organization_id, phone="+34600111222")
        return {"contact_id": contact, "inbox_channel_id": account, "template_id": template}

    async def _callable_tool(self, organization_id: int) -> dict[str, object]:
        """A tool that can be called; its address is a private one, so nothing leaves this machine."""
        parameter = {"name": "number", "location": "path"}
        tool = await self.row(
            "api-tools", organization_id, endpoint="http://127.0.0.1/{number}", url_parameters=[parameter]
        )
        return {"api_tool_id": tool}

    async def _mcp_server(self, organization_id: int) -> dict[str, object]:
        """A server to sign in to; its address is a private one, so nothing leaves this machine."""
        server = {"id": "shop", "name": "Shop", "url": "http://127.0.0.1/mcp", "authentication_type": "oauth2"}
        assistant = await self.row("ai-assistants", organization_id, mcp_tools=[server])  # type: ignore[arg-type]
        return {"ai_assistant_id": assistant, "mcp_tool_id": "shop"}

    async def _broadcast_sender(self, organization_id: int) -> dict[str, object]:
        return {"inbox_channel_id": await self.row("inbox-channels", organization_id, channel="email")}

    async def _stored_key(self, file_type: str, organization_id: int) -> str:
        """A file that was uploaded for a conversation, as the store and its row have it."""
        key = make_key(organization_id, "conversation-file", "sample").text
        disk = self.app.app.state.door.files.disk
        disk.path(key).parent.mkdir(parents=True)
        disk.path(key).write_bytes(b"sample")
        await self.row("file-uploads", organization_id, s3_key=key, file_type=file_type, file_size=6)
        return key

    async def _input(self, f: Field, organization_id: int) -> object:
        if f.references == "users":
            return self.users[(Role.member, organization_id)]  # a body may only name users of the organization
        if f.references:
            return await self._value(f, organization_id)
        return f.example if f.example is not None else f.choices[0] if f.choices else _plain(SAMPLES[f.kind])


def _plain(value: Plain) -> object:
    return float(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value


def _bindable(resource: Resource, name: str, value: Plain) -> Plain:
    is_json = resource.by_name[name].kind == "json" and isinstance(value, dict | list)
    return json.dumps(value) if is_json else value


@asynccontextmanager
async def make_world(database: OpenDatabase, settings: Settings) -> AsyncIterator[World]:
    """Seed the database and put the application in front of it."""
    door = make_door(settings, database.url)
    # Connections that stay open between tests: a new one learns the catalog anew, which costs more than most tests do.
    door.database = database.served
    app = create_app(settings, door)
    app.state.door.completions = Echo()
    world = World(database, httpx.ASGITransport(app, raise_app_exceptions=False), Registry(), {})
    world.registry = app.state.door.registry
    async with database.system() as connection:
        await connection.execute(SEED)
        for organization_id in (OURS, THEIRS):
            for role in ROLES:
                user_id = await connection.fetchval(USER, email_of(role, organization_id), PASSWORD_HASH)
                world.users[(role, organization_id)] = user_id
                await connection.execute(MEMBER, organization_id, user_id, role.name)
                await connection.execute(KEY, organization_id, user_id, hash_key(key_of(role, organization_id)))
    async with app.router.lifespan_context(app):
        yield world
