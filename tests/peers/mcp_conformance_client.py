"""Our MCP client as the official conformance suite runs it: `python -m tests.peers.mcp_conformance_client URL`.

It does what an assistant does: list the tools, call each, and where the server asks for a sign-in, sign in. The person
at the authorization server is played here: whoever opens its address is sent straight back with a code.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp_types import Tool

from frontdesk.assistants.mcp_client import McpFailed, call_tool, list_tools
from frontdesk.assistants.mcp_secrets import OauthSecrets, Opened
from frontdesk.assistants.mcp_sign_in import Application, begin, finish
from frontdesk.assistants.mcp_tools import Oauth2Config
from frontdesk.core.egress import Guard

T = TypeVar("T")
MOST_SIGN_INS = 3  # a server that is never content would go on for ever
SAMPLES = {"integer": 5, "number": 1.5, "boolean": True, "array": [], "object": {}, "string": "us-west1"}
# The suite knows this address as that of a client's own document.
US = Application("http://localhost:8080/mcp-oauth/callback", "https://conformance-test.local/client-metadata.json")


class Assistant:
    """One server, and the sign-in that an assistant has there."""

    def __init__(self, url: str, context: dict[str, Any]) -> None:
        self.guard, self.url, self.sign_ins = Guard.of(["localhost"]), url, 0
        known = {name: context[name] for name in ("client_id", "issuer") if name in context}
        self.config, self.secrets = Oauth2Config(**known), OauthSecrets(context.get("client_secret"))

    @property
    def server(self) -> Opened:
        token = self.secrets.access_token
        return Opened("server", "Server", self.url, {"Authorization": f"Bearer {token}"} if token else {})

    async def use(self, work: Callable[[Opened], Awaitable[T]]) -> T:
        """Do it, after as many sign-ins as the server asks for."""
        while True:
            try:
                return await work(self.server)
            except McpFailed as failed:
                if failed.challenge is None or self.sign_ins == MOST_SIGN_INS:
                    raise
                await self.sign_in(failed)

    async def sign_in(self, failed: McpFailed) -> None:
        assert failed.challenge is not None
        self.sign_ins += 1
        begun = await begin(self.guard, self.url, US, self.config, self.secrets, failed.challenge)
        async with httpx2.AsyncClient() as browser:
            answer = await browser.get(begun.authorization_url)
        back = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        if back["state"] != begun.state:
            raise SystemExit("the state is another one")
        got: dict[str, Any] = await finish(
            self.guard, self.url, US, begun, back["code"], back.get("iss"), datetime.now(UTC)
        )
        self.secrets = OauthSecrets(got.pop("client_secret"), got.pop("access_token"), got.pop("refresh_token"))
        self.config = Oauth2Config(**got)


def arguments_for(tool: Tool) -> dict[str, Any]:
    properties = tool.input_schema.get("properties", {})
    return {name: SAMPLES[properties[name].get("type", "string")] for name in tool.input_schema.get("required", ())}


async def main(url: str) -> None:
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    assistant = Assistant(url, context)
    listing = await assistant.use(lambda server: list_tools(assistant.guard, server))
    wanted = [(call["name"], call["arguments"]) for call in context.get("toolCalls", ())]
    for name, arguments in wanted or [(tool.name, arguments_for(tool)) for tool in listing.tools]:
        try:
            answer = await assistant.use(
                lambda server, name=name, arguments=arguments: call_tool(assistant.guard, server, name, arguments)
            )
        except McpFailed as failed:
            print(f"{name} failed: {failed.clause}")  # a sentence for the model; the turn goes on
        else:
            print(f"{name} answered{' with an error' if answer.is_error else ''}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
