"""Nobody gets our servers to call inside: every way to make a request of ours, by every spelling of an inner address.

Each way is tried through the API with a real server that listens on loopback and must hear nothing.
"""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from pydantic_ai.models import override_allow_model_requests

import frontdesk
from frontdesk.core.connection_trials import ConnectionTrial, ConnectionTried
from frontdesk.core.door import Door
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from frontdesk.core.settings import Settings
from frontdesk.models.catalogue import Catalogue
from frontdesk.models.connection_trial import try_out
from tests.models.http_server import Recorder, answer, serving
from tests.world import World

Way = Callable[[httpx.AsyncClient, World, str], Awaitable[httpx.Response]]
INNER = ("127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
SPELLINGS = (
    "127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost",
    "inner.example", "127.0.0.1.",
)  # fmt: skip


async def by_api_tool(client: httpx.AsyncClient, world: World, url: str) -> httpx.Response:
    draft: dict[str, Json] = {"name": "x", "description": "x", "method": "GET", "endpoint": f"{url}/x"}
    return await client.post("/api-tools-executions", json={"tool": draft, "arguments": {}})


async def by_import(client: httpx.AsyncClient, world: World, url: str) -> httpx.Response:
    return await client.post("/api-tools-imports", json={"url": f"{url}/openapi.json"})


async def by_mcp(client: httpx.AsyncClient, world: World, url: str) -> httpx.Response:
    body = {"url": f"{url}/mcp", "authentication_type": "none"}
    return await client.post("/mcp-tool-connection-proxy", json=body)


async def by_model(client: httpx.AsyncClient, world: World, url: str) -> httpx.Response:
    model = {"name": "x", "provider": "openai_compatible", "base_url": f"{url}/v1", "model": "m"}
    made = await client.post("/ai-models", json=model)
    if made.status_code != 201:
        return made
    fields = {"assistant_type": "conversation", "connection": "organization", "ai_model_id": made.json()["id"]}
    id = (await client.post("/ai-assistants", json={"name": "x", **fields})).json()["id"]
    door = world.app.app.state.door
    catalogue = Catalogue(door.database, door.vault, Settings(), door.clock, door.guard)
    door.trials = Trials(door, catalogue)
    with override_allow_model_requests(True):
        said = await client.post(f"/ai-assistants/{id}/test-connection", json={})
    await catalogue.close()
    return said


@dataclass
class Trials:
    """The models of an installation whose own machine is not allowed."""

    door: Door
    catalogue: Catalogue

    async def try_out(self, trial: ConnectionTrial) -> ConnectionTried:
        return await try_out(self.door.database, self.catalogue, self.door.clock, trial)


WAYS: dict[str, Way] = {"api-tool": by_api_tool, "import": by_import, "mcp": by_mcp, "model": by_model}


async def lying(host: str, port: int) -> list[str]:
    """A name server that says what an attacker wants: every name is this machine."""
    return ["127.0.0.1"]


@pytest.fixture
async def inside(world: World) -> AsyncIterator[Recorder]:
    """A server on this machine that nobody allowed."""
    door = world.app.app.state.door
    guard, door.guard = door.guard, Guard(resolver=lying)
    async with serving(answer(b'{"secret": "inner"}', content_type="application/json")) as server:
        yield server
    door.guard = guard


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("way", WAYS)
async def test_no_spelling_of_an_inner_address_is_called(world: World, inside: Recorder, way: str, host: str) -> None:
    async with world.client() as client:
        said = await WAYS[way](client, world, f"http://{host}:{inside.port}")
    assert said.status_code in (200, 201, 400), said.text
    assert said.json().get("ok") is not True
    assert '"inner"' not in said.text
    assert inside.requests == []


@pytest.mark.parametrize("address", INNER)
async def test_a_name_that_leads_inside_is_refused(world: World, inside: Recorder, address: str) -> None:
    async def leads(host: str, port: int) -> list[str]:
        return ["93.184.216.34", address]

    world.app.app.state.door.guard = Guard(resolver=leads)
    async with world.client() as client:
        said = await by_api_tool(client, world, f"http://shop.example:{inside.port}")
    assert "not public" in said.json()["error"]
    assert inside.requests == []


@pytest.mark.parametrize("way", ["api-tool", "import", "mcp"])
async def test_a_redirect_does_not_lead_inside(world: World, way: str) -> None:
    """The first address is allowed, the one that it redirects to is not."""
    async with serving(answer(b"{}")) as inner:
        moved = answer(b"", 307, location=f"http://127.0.0.1:{inner.port}/secret")
        async with serving(moved) as outer:
            door = world.app.app.state.door
            guard, door.guard = door.guard, replace(Guard.of([f"outer.example:{outer.port}"]), resolver=lying)
            async with world.client() as client:
                await WAYS[way](client, world, f"http://outer.example:{outer.port}")
            door.guard = guard
        assert outer.requests
        assert inner.requests == []


async def test_a_name_that_changes_its_mind_is_looked_up_once(world: World) -> None:
    answers = [["127.0.0.1"]]

    async def changing(host: str, port: int) -> list[str]:
        return answers.pop(0)  # a second look-up would fail

    async with serving(answer(b'"hello"', content_type="application/json")) as server:
        door = world.app.app.state.door
        guard, door.guard = door.guard, replace(Guard.of(["127.0.0.1"]), resolver=changing)
        async with world.client() as client:
            said = await by_api_tool(client, world, f"http://rebind.example:{server.port}")
        door.guard = guard
    assert said.json()["body"] == "hello"


CLIENTS = {"AsyncClient", "Client", "AsyncHTTPTransport", "HTTPTransport", "urlopen", "ClientSession"}
# The supervisor's look at our own health, and downloads by the operator's own command.
OWN = {"core/egress.py"}


def test_requests_are_made_by_the_one_client() -> None:
    """No file but the guard's makes an HTTP client; `mcp` and the SDKs are handed one."""
    root = Path(frontdesk.__file__).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLIENTS:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in ("httpx", "httpx2", "request", "urllib", "aiohttp"):
                    found.append(f"{path.relative_to(root)}")
    assert set(found) <= OWN
