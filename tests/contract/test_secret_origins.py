"""A secret that is kept by its mask never travels to another address: every field that holds one, every way to move it.

Two real servers stand for the address that a secret was entered for and for another one; what each hears is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from pydantic_ai.models import override_allow_model_requests

from frontdesk.core.egress import Guard
from frontdesk.core.errors import Invalid
from frontdesk.resources.assistants.portable import Desk, apply, checked, export
from frontdesk.resources.assistants.yaml_files import dump, load
from tests.models.http_server import Recorder, answer, serving
from tests.world import OURS, World

FIRST, SECOND = "CANARY-first-secret-0001", "CANARY-second-secret-0002"
Body = dict[str, Any]
Make = Callable[[str, str], Body]  # address and secret


@dataclass
class Room:
    """An owner between the two servers."""

    world: World
    client: httpx.AsyncClient
    home: Recorder
    elsewhere: Recorder

    async def post(self, path: str, body: Body) -> Body:
        made = await self.client.post(path, json=body)
        assert made.status_code in (200, 201), made.text
        return dict(made.json())

    async def model_at(self, url: str) -> int:
        model = {"name": f"At {url}", "provider": "openai_compatible", "base_url": f"{url}/v1", "model": "m"}
        return int((await self.post("/ai-models", model))["id"])

    async def use(self, assistant_id: int) -> None:
        """Everything that would send the secret, wherever it now points to."""
        with override_allow_model_requests(True):
            await self.client.post(f"/ai-assistants/{assistant_id}/test-connection", json={})
        stored = {"ai_assistant_id": assistant_id, "mcp_tool_id": "s"}
        await self.client.post("/mcp-tool-connection-proxy", json=stored)

    async def restored(self, assistant_id: int) -> Body:
        """The assistant as it was made."""
        query = f"ai_assistant_id={assistant_id}&$sort[created_at]=1"
        history = (await self.client.get(f"/ai-assistants-change-history?{query}")).json()["data"]
        return await self.post("/ai-assistants-restore-from-changes-history", {"change_history_id": history[0]["id"]})

    async def written(self, assistant_id: int) -> str:
        async with self.world.door.database.transaction(OURS) as connection:
            return dump((await export(Desk(self.world.door, connection, OURS), assistant_id))[0])

    async def applied(self, text: str) -> None:
        """A file whose secrets would have to move is refused, or applied without them."""
        with suppress(Invalid):
            await self._applied(text)

    async def _applied(self, text: str) -> None:
        async with self.world.door.database.transaction(OURS) as connection:
            await apply(Desk(self.world.door, connection, OURS), checked(load(text)))


@pytest.fixture
async def room(world: World) -> AsyncIterator[Room]:
    door = world.app.app.state.door
    guard, door.guard = door.guard, Guard.of(["127.0.0.1"])
    refusing = answer(b"{}", 401, content_type="application/json")
    async with serving(refusing) as home, serving(refusing) as elsewhere, world.client() as client:
        yield Room(world, client, home, elsewhere)
    door.guard = guard


def server(url: str, kind: str, **secret: object) -> Body:
    return {"mcp_tools": [{"id": "s", "name": "S", "url": f"{url}/mcp", "authentication_type": kind, **secret}]}


def oauth(url: str, **secret: str) -> Body:
    config = {"client_id": "c", "token_url": f"{url}/token", "access_token": "", "refresh_token": "", **secret}
    return server(url, "oauth2", oauth2_config={name: value for name, value in config.items() if value})


MCP: dict[str, Make] = {
    "api_key": lambda url, secret: server(url, "api_key", api_key=secret),
    "custom_headers": lambda url, secret: server(
        url, "custom_headers", custom_headers=[{"name": "X-Key", "value": secret}]
    ),
    "access_token": lambda url, secret: oauth(url, access_token=secret),
    "refresh_token": lambda url, secret: oauth(url, refresh_token=secret),
    "client_secret": lambda url, secret: oauth(url, client_secret=secret, refresh_token=secret),
}


async def assistant_with(room: Room, fields: Body) -> Body:
    base = {"name": "Eva", "assistant_type": "conversation", "instructions": "Be brief."}
    return await room.post("/ai-assistants", {**base, "ai_model_id": await room.model_at(room.home.url), **fields})


@pytest.mark.parametrize("field", MCP)
async def test_a_mask_at_another_address_is_refused(room: Room, field: str) -> None:
    made = await assistant_with(room, MCP[field](room.home.url, FIRST))
    text = repr(made["mcp_tools"])
    assert FIRST not in text
    moved = [{**entry, "url": f"{room.elsewhere.url}/mcp"} for entry in made["mcp_tools"]]
    for entry in moved:
        if config := entry.get("oauth2_config"):
            entry["oauth2_config"] = {**config, "token_url": f"{room.elsewhere.url}/token"}
    refused = await room.client.patch(f"/ai-assistants/{made['id']}", json={"mcp_tools": moved})
    assert refused.status_code == 400, refused.text
    assert any("enter it again" in sentence for sentence in refused.json()["errors"].values())
    await room.use(made["id"])
    assert not room.elsewhere.said("CANARY")


@pytest.mark.parametrize("field", MCP)
async def test_a_restore_to_another_address_drops_the_secret(room: Room, field: str) -> None:
    made = await assistant_with(room, MCP[field](room.elsewhere.url, FIRST))
    one = f"/ai-assistants/{made['id']}"
    changed = await room.client.patch(one, json=MCP[field](room.home.url, SECOND))
    assert changed.status_code == 200, changed.text
    back = await room.restored(made["id"])
    assert back["mcp_tools"][0]["url"].startswith(room.elsewhere.url)
    assert any("secret" in warning["code"] for warning in back["warnings"]), back["warnings"]
    await room.use(made["id"])
    assert not room.elsewhere.said(SECOND)


@pytest.mark.parametrize("field", MCP)
async def test_a_file_with_another_address_takes_no_secret_along(room: Room, field: str) -> None:
    made = await assistant_with(room, MCP[field](room.home.url, FIRST))
    text = await room.written(made["id"])
    assert "CANARY" not in text
    await room.applied(text.replace(room.home.url, room.elsewhere.url))
    await room.use(made["id"])
    assert not room.elsewhere.said("CANARY")


async def specific(room: Room, url: str, secret: str) -> Body:
    return await assistant_with(
        room, {"ai_model_id": await room.model_at(url), "connection": "specific", "specific_openai_secret_key": secret}
    )


async def test_the_assistants_key_stays_where_it_was_entered_for(room: Room) -> None:
    made = await specific(room, room.home.url, FIRST)
    one, other = f"/ai-assistants/{made['id']}", await room.model_at(room.elsewhere.url)
    masked = {"ai_model_id": other, "specific_openai_secret_key": made["specific_openai_secret_key"]}
    refused = await room.client.patch(one, json=masked)
    assert "enter it again" in refused.json()["errors"]["specific_openai_secret_key"]
    moved = await room.client.patch(one, json={"ai_model_id": other})  # without the mask: kept, warned of, not sent
    assert "secret_elsewhere" in [warning["code"] for warning in moved.json()["warnings"]]
    await room.use(made["id"])
    assert not room.elsewhere.said("CANARY")
    await room.applied((await room.written(made["id"])).replace(room.home.url, room.elsewhere.url))
    await room.use(made["id"])
    assert not room.elsewhere.said("CANARY")


async def test_the_assistants_key_does_not_follow_a_restore(room: Room) -> None:
    made = await specific(room, room.elsewhere.url, FIRST)
    change = {"ai_model_id": await room.model_at(room.home.url), "specific_openai_secret_key": SECOND}
    await room.client.patch(f"/ai-assistants/{made['id']}", json=change)
    await room.restored(made["id"])
    await room.use(made["id"])
    assert not room.elsewhere.said(SECOND)


async def test_a_key_on_trial_is_not_the_stored_one(room: Room) -> None:
    """A trial may name another model: the stored key does not go there."""
    made = await specific(room, room.home.url, FIRST)
    body = {"ai_model_id": await room.model_at(room.elsewhere.url), "connection": "specific"}
    with override_allow_model_requests(True):
        await room.client.post(f"/ai-assistants/{made['id']}/test-connection", json=body)
        masked = {**body, "specific_openai_secret_key": made["specific_openai_secret_key"]}
        await room.client.post(f"/ai-assistants/{made['id']}/test-connection", json=masked)
    assert not room.elsewhere.said("CANARY")


async def use_tool(room: Room, body: Body) -> None:
    await room.client.post("/api-tools-executions", json=body)


async def test_the_headers_of_an_api_tool_stay_where_they_were_entered_for(room: Room) -> None:
    tool = {"name": "T", "description": "d", "method": "GET", "headers": {"X-Key": FIRST}}
    made = await room.post("/api-tools", {**tool, "endpoint": f"{room.home.url}/x"})
    moved = {"endpoint": f"{room.elsewhere.url}/x", "headers": made["headers"]}
    refused = await room.client.patch(f"/api-tools/{made['id']}", json=moved)
    assert "enter it again" in refused.json()["errors"]["headers.X-Key"]
    for draft in (moved, {"endpoint": moved["endpoint"]}):
        await use_tool(room, {"api_tool_id": made["id"], "tool": draft, "arguments": {}})
    assistant = await assistant_with(room, {"api_tools": [{"api_tool_id": made["id"]}]})
    await room.applied((await room.written(assistant["id"])).replace(room.home.url, room.elsewhere.url))
    await use_tool(room, {"api_tool_id": made["id"], "arguments": {}})
    assert not room.elsewhere.said("CANARY")


async def test_an_organizations_key_does_not_follow_its_address(room: Room) -> None:
    key = {"provider": "openai_compatible", "base_url": f"{room.home.url}/v1", "key": FIRST}
    made = await room.post("/ai-provider-keys", key)
    change = {"base_url": f"{room.elsewhere.url}/v1"}
    await room.client.patch(f"/ai-provider-keys/{made['id']}", json=change)
    assistant = await assistant_with(
        room, {"ai_model_id": await room.model_at(room.elsewhere.url), "connection": "organization"}
    )
    await room.use(assistant["id"])
    assert not room.elsewhere.said("CANARY")


async def test_a_voice_key_does_not_follow_to_another_provider(room: Room) -> None:
    voice = {"assistant_type": "voice", "telnyx_ai_assistant_config": {"voice_provider": "aws", "voice_api_key": FIRST}}
    made = await assistant_with(room, voice)
    config = {**made["telnyx_ai_assistant_config"], "voice_provider": "azure"}
    refused = await room.client.patch(f"/ai-assistants/{made['id']}", json={"telnyx_ai_assistant_config": config})
    assert any("enter it again" in sentence for sentence in refused.json()["errors"].values())


async def test_the_installations_key_never_goes_to_an_address_of_an_organization(room: Room) -> None:
    trials, key = room.world.app.app.state.door.trials, SecretStr(FIRST)
    trials._settings = trials._settings.model_copy(update={"openai_api_key": key, "openai_base_key": key})
    for connection in ("system", "organization"):
        body = {"name": "x", "assistant_type": "conversation", "connection": connection}
        model_id = await room.model_at(room.home.url)
        answered = await room.client.post("/ai-assistants", json={**body, "ai_model_id": model_id})
        if answered.status_code == 201:
            await room.use(answered.json()["id"])
    assert not room.home.said("CANARY")
