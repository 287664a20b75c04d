"""No secret gets out: marked ones are put wherever a secret can be put, then everything that can be read is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from pydantic import SecretStr
from pydantic_ai.models import override_allow_model_requests

from frontdesk.channels.playground import PLAYGROUND
from frontdesk.core import logs
from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.core.jobs import read_payload
from frontdesk.core.settings import Settings
from frontdesk.flow import Flow
from frontdesk.registry import make_registry
from frontdesk.resources.assistants.portable import Desk as FileDesk
from frontdesk.resources.assistants.portable import export, plan
from frontdesk.resources.assistants.yaml_files import dump
from frontdesk.runtime.thread import DOORBELL
from tests.flow.harness import Models, Script, Toolbox, call
from tests.models.http_server import Received, serving
from tests.world import OURS, ROLES, World, make_world

ASSISTANT = {
    "specific_openai_secret_key": "CANARY-specific-key-0001",
    "mcp_tools": [
        {"id": "k", "name": "K", "url": "{url}/mcp", "authentication_type": "api_key",
         "api_key": "CANARY-mcp-key-0002"},
        {"id": "h", "name": "H", "url": "{url}/mcp", "authentication_type": "custom_headers",
         "custom_headers": [{"name": "X-Shop", "value": "CANARY-mcp-header-0003"}]},
        {"id": "o", "name": "O", "url": "{url}/mcp", "authentication_type": "oauth2", "oauth2_config": {
            "client_id": "c", "client_secret": "CANARY-client-secret-0004", "token_url": "{url}/token",
            "access_token": "CANARY-access-token-0005", "refresh_token": "CANARY-refresh-token-0006",
            "expires_at": "2040-01-01T00:00:00.000Z"}},
    ],
    "telnyx_ai_assistant_config": {"voice_provider": "elevenlabs", "voice_api_key": "CANARY-voice-key-0007"},
}  # fmt: skip
PROVIDER_KEY, HEADER, PASSWORD = "CANARY-provider-key-0008", "CANARY-header-0009", "CANARY-password-0010"
INSTALLATION = {
    "secret_key": "CANARY-installation-secret-key-of-enough-length-0011", "OPENAI_API_KEY": "CANARY-openai-0012",
    "ANTHROPIC_API_KEY": "CANARY-anthropic-0013", "smtp_url": "smtp://user:CANARY-smtp-0014@127.0.0.1:1",
    "smtp_from": "desk@example.com", "openai_base_key": "CANARY-base-key-0015",
}  # fmt: skip
CANARY = re.compile(r"CANARY-[a-z-]+\d{4}")
# Names of inputs that sound like secrets: what is planted above, and what is none.
SOUNDS_SECRET = re.compile(r"(^|_)(key|secret|token|password|headers?|credential)s?($|_)")
PLANTED = {
    "specific_openai_secret_key", "api_key", "custom_headers", "client_secret", "access_token", "refresh_token",
    "voice_api_key", "key", "headers", "password",
}  # fmt: skip
NO_SECRETS = {
    "custom_fields_by_key", "icon_key", "s3_key", "takes_idempotency_key", "idempotency_key", "additional_json_keys",
    "token_url", "token_endpoint_auth_method", "voice_api_key_ref", "max_output_tokens", "header", "rotate_secret",
    "preview_token",
}  # fmt: skip


def names_in(schema: object) -> Iterator[str]:
    """The names of all members that a JSON Schema has at any depth."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name == "properties" and isinstance(inner, dict):
                yield from inner
            yield from names_in(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from names_in(inner)


def test_every_input_that_sounds_like_a_secret_is_planted() -> None:
    """A new field for a secret has to be put into this file, or named as none."""
    fields = (f for resource in make_registry() for f in (*resource.fields, *resource.extra_input))
    inputs = [f for f in fields if f.write != "never"]
    names = {name for f in inputs for name in (f.name, *names_in(f.json_schema(is_input=True)))}
    assert {name for name in names if SOUNDS_SECRET.search(name)} <= PLANTED | NO_SECRETS


@dataclass
class Searched:
    """Everything that was read, and what must not be in it."""

    secrets: set[str] = field(default_factory=set)
    hits: list[str] = field(default_factory=list)

    def look(self, place: str, text: str) -> None:
        found = {*CANARY.findall(text), *(secret for secret in self.secrets if secret in text)}
        self.hits += [f"{place}: {secret}" for secret in sorted(found)]


class House:
    """The world with its secrets, and a turn that meets most of them."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.url, self.found = world, url, Searched()
        self.assistant_id = self.tool_id = 0
        self.script = Script()

    async def send(self, client: httpx.AsyncClient, method: str, path: str, body: object = None, **more: Any) -> Any:
        answer = await client.request(method, path, json=body, **more)
        if not path.startswith(("/api-keys", "/webhooks")):  # shown once, to the one who made it
            self.found.look(f"{method} {path}", f"{answer.text}{answer.headers}")
        return answer.json()

    async def plant(self, client: httpx.AsyncClient) -> None:
        model = {"name": "M", "provider": "openai_compatible", "base_url": f"{self.url}/v1", "model": "m"}
        model_id = (await self.send(client, "POST", "/ai-models", model))["id"]
        key = {"provider": "openai_compatible", "base_url": f"{self.url}/v1", "key": PROVIDER_KEY}
        assert (await self.send(client, "POST", "/ai-provider-keys", key))["id"]
        tool = {"name": "Order status", "description": "Where is it?", "method": "GET", "endpoint": f"{self.url}/echo",
                "headers": {"X-Api-Key": HEADER}}  # fmt: skip
        self.tool_id = (await self.send(client, "POST", "/api-tools", tool))["id"]
        body = {
            "name": "Eva", "assistant_type": "conversation", "ai_model_id": model_id, "connection": "specific",
            "instructions": "Be brief.", "specific_openai_secret_key": ASSISTANT["specific_openai_secret_key"],
            "api_tools": [{"api_tool_id": self.tool_id, "when_to_use": "always"}], "mcp_tools": self._servers(),
        }  # fmt: skip
        made = await self.send(client, "POST", "/ai-assistants", body)
        self.assistant_id = made["id"]
        voice = {"name": "Voice", "assistant_type": "voice", "ai_model_id": model_id,
                 "telnyx_ai_assistant_config": ASSISTANT["telnyx_ai_assistant_config"]}  # fmt: skip
        assert (await self.send(client, "POST", "/ai-assistants", voice))["id"]
        made = await self.send(client, "POST", "/api-keys", {"name": "n", "user_id": self.world.users[ROLES[2], OURS]})
        self.found.secrets.add(made["key"])
        hook = await self.send(client, "POST", "/webhooks", {"url": "https://example.com/h", "events": ["contacts.*"]})
        self.found.secrets.add(hook["secret"])
        member = {"email": "new@example.com", "role": "member", "password": PASSWORD}
        await self.send(client, "POST", "/members", member)

    def _servers(self) -> list[object]:
        def at(value: object) -> object:
            if isinstance(value, str):
                return value.replace("{url}", self.url)
            if isinstance(value, dict):
                return {name: at(inner) for name, inner in value.items()}
            return [at(inner) for inner in value] if isinstance(value, list) else value

        servers = at(ASSISTANT["mcp_tools"])
        assert isinstance(servers, list)
        return servers

    async def provoke(self, client: httpx.AsyncClient) -> None:
        """Everything that looks at secrets, and every refusal of a body that holds one."""
        one, secret = f"/ai-assistants/{self.assistant_id}", "CANARY-refused-9999"
        await self.send(client, "PATCH", one, {"name": "Eve", "instructions": "Be kind."})
        history = await self.send(client, "GET", f"/ai-assistants-change-history?ai_assistant_id={self.assistant_id}")
        entry = {"change_history_id": history["data"][0]["id"]}
        await self.send(client, "POST", "/ai-assistants-restore-from-changes-history", entry)
        with override_allow_model_requests(True):
            for body in ({}, {"specific_openai_secret_key": secret}):
                tried = await self.send(client, "POST", f"{one}/test-connection", body)
                assert tried["code"] == "wrong_key"
        await self.send(client, "GET", f"{one}/permissions")
        await self.send(client, "POST", "/api-tools-dry-run", {"api_tool_id": self.tool_id})
        await self.send(client, "POST", "/api-tools-executions", {"api_tool_id": self.tool_id})
        for server in ("k", "h", "o"):
            stored = {"ai_assistant_id": self.assistant_id, "mcp_tool_id": server}
            await self.send(client, "POST", "/mcp-tool-connection-proxy", stored)
        for wrong in ({"specific_openai_secret_key": [secret]}, {"specific_openai_secret_key": secret * 100},
                      {"mcp_tools": [{"id": "x", "api_key": secret}]}, {"mcp_tools": secret}, {secret: 1},
                      {"mcp_tools": [{"id": "x", "name": "X", "url": "u", "authentication_type": "api_key",
                                      "api_key": {"a": secret}}]},
                      {"telnyx_ai_assistant_config": {"voice_api_key": [secret]}}):  # fmt: skip
            if secret not in wrong:
                await self.send(client, "PATCH", one, wrong)
        await self.send(client, "POST", "/ai-provider-keys", {"provider": "openai", "key": {"a": secret}})
        await self.send(
            client, "POST", "/authentication", {"strategy": "local", "email": "new@example.com", "password": secret}
        )

    async def converse(self) -> None:
        """A turn that calls the tool whose server repeats its header, and fails once on the way."""
        world = self.world
        async with world.client() as client:
            contact = (await client.post("/contacts", json={"first_name": "Ana"})).json()["id"]
            body = {"assistant_id": self.assistant_id, "contact_id": contact, "message_text": "Where is my order?"}
            await self.send(client, "POST", "/conversation-messages-playground", body)
        self.script.say(call("api_order_status"), "It is on its way.")
        door = world.app.app.state.door
        flow = Flow(door, Models(self.script), Toolbox(), {"playground": PLAYGROUND})
        async with world.database.system() as connection:
            rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1", DOORBELL)
        for row in rows:
            await flow.advance(*read_payload(row["payload"]))
        self.found.look("prompts", repr([*self.script.requests, *self.script.infos]))
        assert "x-api-key" in repr(self.script.requests[-1])  # the server did tell it

    async def read_all(self) -> None:
        """Every list and every row as every role, the documents, the file, and the whole database."""
        for role in ROLES:
            async with self.world.client(role) as client:
                for resource in self.world.registry:
                    await self._read(client, resource)
                for path in ("/openapi.json", "/events?seconds=0", "/v1/models", "/health"):
                    self.found.look(path, (await client.get(path)).text)
        async with self.world.door.database.transaction(OURS) as connection:
            desk = FileDesk(self.world.door, connection, OURS)
            written = (await export(desk, self.assistant_id))[0]
            self.found.look("export", dump(written))
            self.found.look("plan", repr(plan(written, {**written, "name": "Other"})))

    async def _read(self, client: httpx.AsyncClient, resource: Any) -> None:
        if resource.under is not None or "find" not in resource.verbs:
            return
        parents = "".join(f"&{name}=1" for name in resource.needs)
        page = await self.send(client, "GET", f"{resource.url}?$limit=50{parents}")
        for row in page.get("data", ()) if "get" in resource.verbs else ():
            await self.send(client, "GET", f"{resource.url}/{row['id']}")

    async def dump(self, database: Database) -> None:
        tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        async with database.system() as connection:
            for (table,) in await connection.fetch(tables):
                for (row,) in await connection.fetch(f"SELECT t::text FROM {table} t"):
                    self.found.look(f"table {table}", row)


async def echo(request: Received, writer: Any) -> None:
    """A server that tells everybody what it was sent, in its answer and in its refusals."""
    body = repr((request.path, request.headers, request.body)).encode()
    status = 200 if request.path.startswith("/echo") else 401
    writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n".encode())
    writer.write(b"connection: close\r\n\r\n" + body)


async def test_no_secret_gets_out(database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    settings = Settings(data=tmp_path, **INSTALLATION)
    try:
        async with make_world(database, settings) as world, serving(echo) as server:
            world.app.app.state.door.guard = Guard.of(["127.0.0.1"])
            house = House(world, server.url)
            async with world.client() as client:
                await house.plant(client)
                await house.provoke(client)
            await house.converse()
            await house.read_all()
            await house.dump(database)
            house.found.look("log", "".join(capfd.readouterr()))
            sent = repr(server.requests)
    finally:
        structlog.reset_defaults()
    assert house.found.hits == []
    # They were really in use: each went where it belongs.
    assert {HEADER, "CANARY-mcp-key-0002", "CANARY-mcp-header-0003"} <= set(CANARY.findall(sent))
    assert isinstance(settings.secret_key, SecretStr)
