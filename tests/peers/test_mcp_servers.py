"""Conversations that use MCP servers of other people: all of them at once, and some that die in the middle."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from frontdesk.core.database import Database
from frontdesk.core.egress import Guard
from frontdesk.tools import mcp_tools
from tests.flow.harness import Desk, call, make_desk
from tests.peers.mcp_servers import Peer, bridge, everything
from tests.process.frontdesk_process import until
from tests.serving import serving

ARRIVED = "Received MCP POST request"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "note.txt").write_text("Bread is 2 euros.")
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(folder / "repository")]
    subprocess.run(["git", "init", "--quiet", folder / "repository"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Open the bakery"], check=True)
    return folder


@pytest.fixture(scope="module")
def bridged(packages: Path, programs: Path, folder: Path) -> Iterator[Peer]:
    peer = bridge(packages, programs, folder)
    peer.start()
    yield peer
    peer.kill()


@pytest.fixture
def streaming(packages: Path, tmp_path: Path) -> Iterator[Peer]:
    peer = everything(packages, "streamableHttp", tmp_path)
    peer.start()
    yield peer
    peer.kill()


@pytest.fixture
def sse(packages: Path, tmp_path: Path) -> Iterator[Peer]:
    peer = everything(packages, "sse", tmp_path)
    peer.start()
    yield peer
    peer.kill()


@pytest.fixture
async def desk(database: Database) -> Desk:
    desk = await make_desk(database)
    desk.door.guard = Guard.of(["127.0.0.1"])
    return desk


@pytest.fixture
async def page() -> AsyncIterator[str]:
    async def bakery(_: Request) -> PlainTextResponse:
        return PlainTextResponse("We bake at five.")

    async with serving(Starlette(routes=[Route("/", bakery)])) as url:
        yield url


def returned(messages: list[ModelMessage]) -> list[str]:
    parts = [part for message in messages for part in message.parts]
    return [part.model_response_str() for part in parts if isinstance(part, ToolReturnPart)]


async def steps(desk: Desk) -> dict[str, str]:
    rows = await desk.fetch("SELECT call_id, status FROM ai_turn_steps WHERE kind = 'tool' ORDER BY id")
    return {row[0]: row[1] for row in rows}


async def test_seven_servers_answer_in_one_conversation(
    desk: Desk, bridged: Peer, streaming: Peer, sse: Peer, folder: Path, page: str
) -> None:
    await desk.configure(
        mcp_tools=[
            streaming.entry("http", "/mcp", "echo"), sse.entry("sse", "/sse", "echo"),
            bridged.entry("time", "/servers/time/sse", "convert_time"),
            bridged.entry("git", "/servers/git/mcp", "git_log"), bridged.entry("fetch", "/servers/fetch/mcp", "fetch"),
            bridged.entry("memory", "/servers/memory/mcp", "create_entities", "read_graph"),
            bridged.entry("files", "/servers/files/mcp", "read_text_file"),
        ]
    )  # fmt: skip
    time = {"source_timezone": "Europe/Madrid", "time": "16:30", "target_timezone": "Asia/Tokyo"}
    entity = {"name": "Ada", "entityType": "customer", "observations": ["likes rye"]}
    await desk.ask(
        "What do you know?", call("http__echo", message="rye"), call("sse__echo", message="wheat"),
        call("time__convert_time", **time), call("git__git_log", repo_path=str(folder / "repository")),
        call("fetch__fetch", url=page), call("memory__create_entities", entities=[entity]),  # type: ignore[list-item]
        call("memory__read_graph"), call("files__read_text_file", path=str(folder / "note.txt")), "That.",
    )  # fmt: skip
    said = returned(desk.script.requests[-1])
    assert set((await steps(desk)).values()) == {"done"}, said
    found = ("rye", "wheat", "+09:00", "Open the bakery", "We bake at five.", "Ada", "likes rye", "Bread is 2 euros.")
    assert [word for word, one in zip(found, said, strict=True) if word not in one] == []


async def test_a_server_that_is_killed_in_a_conversation_comes_back(desk: Desk, bridged: Peer, streaming: Peer) -> None:
    time = bridged.entry("time", "/servers/time/mcp", "get_current_time")
    await desk.configure(mcp_tools=[streaming.entry("http", "/mcp", "echo"), time])

    async def kill(_: list[ModelMessage]) -> Any:
        streaming.kill()
        return call("http__echo", "dead", message="two")

    async def restart(_: list[ModelMessage]) -> Any:
        streaming.start()
        return call("http__echo", "back", message="three")

    await desk.ask(
        "Hello?", call("http__echo", "first", message="one"), kill, call("time__get_current_time", timezone="UTC"),
        restart, "Good.",
    )  # fmt: skip
    assert await steps(desk) == {
        "first": "done", "dead": "failed", "call_time__get_current_time": "done", "back": "done"
    }  # fmt: skip
    assert "could not be made" in returned(desk.script.requests[-1])[1]


async def test_a_dead_server_hides_no_other_and_is_found_again(desk: Desk, bridged: Peer, sse: Peer) -> None:
    time = bridged.entry("time", "/servers/time/mcp", "get_current_time")
    sse.kill()
    await desk.configure(mcp_tools=[sse.entry("sse", "/sse", "echo"), time])
    assert await desk.ask("Time?", call("time__get_current_time", timezone="UTC"), "Noon.") == ["Noon."]
    assert offered(desk) == {"time__get_current_time"}
    sse.start()
    await desk.pass_time(mcp_tools.BAD_SECONDS + 1)
    await desk.ask("Echo?", call("sse__echo", message="rye"), "Yes.")
    assert offered(desk) == {"time__get_current_time", "sse__echo"}
    assert "rye" in returned(desk.script.requests[-1])[-1]


def offered(desk: Desk) -> set[str]:
    return {tool.name for tool in desk.script.infos[-1].function_tools if "__" in tool.name}


async def test_a_call_in_flight_when_its_server_dies_is_told_and_the_turn_goes_on(desk: Desk, streaming: Peer) -> None:
    name = "trigger-long-running-operation"
    await desk.configure(mcp_tools=[streaming.entry("http", "/mcp", name)])
    before = 0

    async def begin(_: list[ModelMessage]) -> Any:
        nonlocal before
        before = streaming.said(ARRIVED)
        return call(f"http__{name}", "long", duration=600, steps=2)

    desk.script.say(begin, "I could not finish it.")
    await desk.say("Do it.")
    running = asyncio.create_task(desk.settle())
    # The requests of a call: discover or initialize, initialized, list, call.
    await asyncio.to_thread(until, lambda: before and streaming.said(ARRIVED) >= before + 5)
    streaming.kill()
    await running
    assert (await desk.replies())[-1] == "I could not finish it."
    assert await steps(desk) == {"long": "failed"}
    assert "gave no answer: the connection broke" in returned(desk.script.requests[-1])[0]
