"""The same turn without us: a Pydantic AI agent in memory, same prompt, tools and model, streaming.

    python -m bench.bare_turn MODEL_URL

Asks the model's server which requests it saw from Frontdesk and makes its agent like them. Then each line on standard
input is a number of turns to run, one after the other, and one line of JSON answers it: CPU seconds and wall times.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import AsyncIterable
from typing import cast

import uvloop
from pydantic_ai import Agent, AgentStreamEvent, RunContext, Tool
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

Request = dict[str, list[dict[str, object]]]


def agent_like(seen: dict[str, Request], url: str) -> tuple[Agent[None, str], str]:
    """An agent that sends what Frontdesk sent, and the customer's words."""
    messages = seen["call"]["messages"]
    result = str(seen["reply"]["messages"][-1]["content"])

    async def tool(**_: object) -> str:
        return result

    tools = []
    for entry in seen["call"]["tools"]:
        function = cast("dict[str, object]", entry["function"])
        schema = cast("dict[str, object]", function["parameters"])
        tools.append(Tool.from_schema(tool, str(function["name"]), str(function["description"]), schema))
    instructions = "\n\n".join(str(message["content"]) for message in messages if message["role"] == "system")
    model = OpenAIChatModel("bench", provider=OpenAIProvider(base_url=f"{url}/v1", api_key="none"))
    return Agent(model, instructions=instructions, tools=tools), str(messages[-1]["content"])


async def listen(_: RunContext[None], events: AsyncIterable[AgentStreamEvent]) -> None:
    async for _event in events:
        pass


def read_seen(url: str) -> dict[str, Request]:
    with urllib.request.urlopen(f"{url}/seen") as response:
        return json.load(response)  # type: ignore[no-any-return]


async def main(seen: dict[str, Request], url: str) -> None:
    agent, words = agent_like(seen, url)
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        walls = []
        began = time.process_time()
        for _ in range(int(line)):
            started = time.perf_counter()
            await agent.run(words, event_stream_handler=listen)
            walls.append(time.perf_counter() - started)
        print(json.dumps({"cpu": time.process_time() - began, "walls": walls}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(read_seen(sys.argv[1]), sys.argv[1]))
