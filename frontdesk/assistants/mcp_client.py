"""Connections to MCP servers, by the official SDK over our guarded HTTP client: list tools, call one, close.

Each use is a connection of its own: a server that was restarted meanwhile is simply reached again, and no connection,
session or cookie of one organization serves another. A failure is told in our words; those of the SDK may hold more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import httpx2
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    CallToolResult,
    Implementation,
    Tool,
)

from frontdesk.assistants.api_answer import without
from frontdesk.assistants.mcp_challenge import LONGEST_CHALLENGE, Challenge
from frontdesk.assistants.mcp_elicitation import answer_with_defaults
from frontdesk.assistants.mcp_offer import words_of
from frontdesk.assistants.mcp_secrets import Opened
from frontdesk.core.egress import AnswerRefused, EgressRefused, Guard

LIST_SECONDS = 8.0  # to connect and to list: a customer waits meanwhile
CALL_SECONDS = 60.0
MOST_BYTES = 2_000_000  # of one answer
MOST_PAGES, MOST_LISTED = 20, 500
LONGEST_SAID = 500  # characters of a server's error
PRIVATE = "its address is not public, and the operator has not allowed it (FRONTDESK_EGRESS_ALLOW)"
BROKEN = "the connection broke before there was a whole answer"
UNREACHABLE = "the connection could not be made: name, address or certificate is wrong, or nobody listens"
REFUSED = (401, 403)
US = Implementation(name="frontdesk", version="1")
# An error with one of these codes was given before a tool ran.
NOT_RUN = (INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS)

# The SDK logs tracebacks with what servers sent, which may be our secrets; a failure is told once, in our words.
logging.getLogger("mcp").setLevel(logging.CRITICAL)

Transport = Literal["streamable_http", "sse"]
Field = Literal["url", "secret"]
T = TypeVar("T")


class McpFailed(Exception):
    """The server could not be used: a code, a clause for people, and whether a call may have been carried out.

    `challenge` is how the server asked for other credentials, where it did.
    """

    def __init__(
        self, code: str, clause: str, field: Field = "url", *, may_have_arrived: bool = False,
        challenge: Challenge | None = None,
    ) -> None:  # fmt: skip
        super().__init__(clause)
        self.code, self.clause, self.field, self.may_have_arrived = code, clause, field, may_have_arrived
        self.challenge = challenge


# A RuntimeError is the SDK's word for an answer that does not fit the tool's own schema, or never ends.
FAILURES = (
    McpFailed, MCPError, httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError, ValueError, RuntimeError,
    ExceptionGroup,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server says of itself; all of it is text of somebody else's."""

    name: str
    version: str
    protocol_version: str
    transport: Transport
    tools: tuple[Tool, ...]


@dataclass(slots=True)
class _Seen:
    """What the HTTP client saw; the SDK's errors tell neither the status nor its headers."""

    status: int | None = None
    challenge: str = ""
    transport: Transport = "streamable_http"
    is_sent: bool = False


async def list_tools(guard: Guard, server: Opened, *, seconds: float = LIST_SECONDS) -> Listing:
    """Connect and list. Raises `McpFailed`."""

    async def work(client: Client, seen: _Seen) -> Listing:
        tools = [tool async for tool in _tools(client)]
        about = client.server_info
        name, version = (about.name, about.version) if about is not None else ("", "")
        return Listing(name, version, client.protocol_version, seen.transport, tuple(tools[:MOST_LISTED]))

    return await _use(guard, server, work, seconds)


async def _tools(client: Client) -> AsyncIterator[Tool]:
    """The server's tools, page by page, until there are more than we take."""
    cursor, count = None, 0
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            yield tool
        cursor, count = page.next_cursor, count + len(page.tools)
        if cursor is None or count >= MOST_LISTED:
            return


async def call_tool(
    guard: Guard, server: Opened, name: str, arguments: Mapping[str, object], *, seconds: float = CALL_SECONDS
) -> CallToolResult:
    """Connect and call one tool. Raises `McpFailed`.

    The tool is looked up first: its schema says which arguments go into headers too, and what its answer must be. The
    SDK would look afterwards, when a failure could not undo the call any more.
    """

    async def work(client: Client, seen: _Seen) -> CallToolResult:
        if not [tool async for tool in _tools(client) if tool.name == name]:
            raise McpFailed("tool_gone", "its server does not have it any more")
        seen.is_sent = True
        return await client.call_tool(name, dict(arguments))

    return await _use(guard, server, work, seconds)


async def _use(guard: Guard, server: Opened, work: Callable[[Client, _Seen], Awaitable[T]], seconds: float) -> T:
    seen, done = _Seen(), list[T]()
    bounded = replace(guard, seconds=seconds, max_bytes=MOST_BYTES)
    try:
        async with asyncio.timeout(seconds), AsyncExitStack() as stack:
            client = await _connect(stack, bounded, server, seen)
            done.append(await work(client, seen))
    except FAILURES as error:
        # What broke while it was closed does not undo the answer.
        if not done:
            raise _failure(_leaf(error), seen, seconds, server.secrets) from None
    return done[0]


async def _connect(stack: AsyncExitStack, guard: Guard, server: Opened, seen: _Seen) -> Client:
    """By streamable HTTP, or by SSE where the address says so or the server knows nothing newer."""
    if urlsplit(server.url).path.rstrip("/").endswith("/sse"):
        return await _enter(stack, guard, server, seen, "sse")
    try:
        return await _enter(stack, guard, server, seen, "streamable_http")
    except (MCPError, ExceptionGroup):
        if seen.status not in (400, 404, 405):
            raise
        refused = seen.status
    try:
        return await _enter(stack, guard, server, seen, "sse")
    except (httpx2.HTTPError, ExceptionGroup):
        seen.status = refused
        raise


async def _enter(stack: AsyncExitStack, guard: Guard, server: Opened, seen: _Seen, kind: Transport) -> Client:
    async with AsyncExitStack() as trying:
        http = _http(guard, server, seen, kind)
        if kind == "sse":
            transport = sse_client(server.url, httpx_client_factory=_Ours(http))  # it opens and closes the client
        else:
            await trying.enter_async_context(http)
            transport = streamable_http_client(server.url, http_client=http)
        client = await trying.enter_async_context(
            Client(transport, cache=None, client_info=US, elicitation_callback=answer_with_defaults)
        )
        stack.push_async_exit(trying.pop_all())
    seen.transport = kind
    return client


def _http(guard: Guard, server: Opened, seen: _Seen, kind: Transport) -> httpx2.AsyncClient:
    async def note(response: httpx2.Response) -> None:
        # Beside the calls the newer transport asks for a stream that a server need not have.
        if kind == "sse" or response.request.method == "POST":
            seen.status, seen.challenge = response.status_code, response.headers.get("www-authenticate", "")
            if seen.status in REFUSED:
                # The SDK would take a refused question for one that the server is too old for, and ask another.
                raise httpx2.HTTPStatusError("refused", request=response.request, response=response)

    http = guard.client(connect_seconds=LIST_SECONDS)
    http.headers.update(server.headers)
    http.event_hooks = {"response": [note]}
    return http


class _Ours:
    """Gives the SDK our client, whatever client it asks for."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    def __call__(
        self,
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        return self._http


def _leaf(error: BaseException) -> BaseException:
    """The first cause: the SDK's task groups wrap what happened in them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _failure(error: BaseException, seen: _Seen, seconds: float, secrets: tuple[str, ...]) -> McpFailed:
    if isinstance(error, McpFailed):
        return error
    code, clause, field = _told(error, seen, seconds)
    if isinstance(error, MCPError) and error.error.code == CONNECTION_CLOSED and seen.is_sent:
        code, clause = "broken", BROKEN  # the SDK's own error, though it looks like one of the server's
    elif isinstance(error, MCPError) and seen.is_sent and code != "unauthorized":
        # The server's own words: ours would not tell the model which argument was wrong.
        said = words_of(without(error.error.message, secrets), LONGEST_SAID)
        code, clause = "error", f"the server answered with an error (its words, as data): {said}"
    is_refused = code == "unauthorized" or (isinstance(error, MCPError) and error.error.code in NOT_RUN)
    # It is stored, and a server may say anything in it: what it was given, too.
    said = without(seen.challenge, secrets)[:LONGEST_CHALLENGE]
    challenge = Challenge(seen.status or 401, said) if code == "unauthorized" else None
    return McpFailed(code, clause, field, may_have_arrived=seen.is_sent and not is_refused, challenge=challenge)


def _told(error: BaseException, seen: _Seen, seconds: float) -> tuple[str, str, Field]:
    if isinstance(error, AnswerRefused):
        return "unreadable", "its answer was compressed or too large to be read", "url"
    if isinstance(error, EgressRefused):
        return "private_address", PRIVATE, "url"
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return "timeout", f"there was no whole answer within {seconds:g} seconds", "url"
    if isinstance(error, httpx2.ConnectError | OSError):
        return "unreachable", UNREACHABLE, "url"
    if seen.status in REFUSED:
        return "unauthorized", f"the server refused the credentials (HTTP {seen.status})", "secret"
    if seen.status in (404, 405):
        return "not_found", f"there is no MCP server at this address (HTTP {seen.status})", "url"
    if seen.status is not None and seen.status >= 300:
        return "http_error", f"the server answered with HTTP {seen.status}", "url"
    if isinstance(error, RuntimeError) and seen.is_sent:
        return "unreadable", "its answer is not what its own schema says", "url"
    if isinstance(error, httpx2.HTTPError):
        return "broken", BROKEN, "url"
    return "not_mcp", "its answer is not one of the Model Context Protocol", "url"
