"""`mcp_tools` of an assistant: MCP servers of other people, and which of their tools the assistant may call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from frontdesk.assistants.api_headers import LONGEST_VALUE, NAME, OURS, VALUE
from frontdesk.assistants.internal_tools import Approval
from frontdesk.assistants.section import Entries, Line, Section, clean
from frontdesk.core.addresses import parse_address
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Fault, Json
from frontdesk.core.vault import is_mask, origin_of

MOST_SERVERS = 20
MOST_TOOLS = 200  # of one server
AuthenticationType = Literal["none", "api_key", "custom_headers", "oauth2"]
# Signed in; over, so that somebody has to sign in again; signed in, but for less than a tool wants.
SignInStatus = Literal["signed_in", "sign_in_again", "scope_missing"]
# The protocol sets these itself.
RESERVED = OURS | {"accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id"}
# What a connection test tells of a tool for people to read; sent back with the tool, it is passed over.
SHOWN_ONLY = frozenset(("title", "description", "input_schema", "is_read_only", "function_name"))


def _address(url: str) -> str:
    if any(character.isspace() for character in url) or "#" in url:
        raise ValueError("must be an address without spaces and without #")
    origin_of(url)
    return url


def _secret(text: str) -> str | None:
    """A key travels in a header; a text without anything in it is none."""
    if is_mask(text) or not text.strip():
        return text if is_mask(text) else None
    if not VALUE.fullmatch(text):
        raise ValueError("must be one line of visible ASCII characters")
    return text


def _header_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("must be named as headers are: letters, digits and -")
    if name.lower() in RESERVED:
        raise ValueError("is set by the connection itself")
    return name


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("must be made of letters, digits, - and _")
    return text


def _moment(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a moment such as 2026-01-31T12:00:00Z") from None
    return text


Address = Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_address)]
Secret = Annotated[str, StringConstraints(max_length=LONGEST_VALUE), AfterValidator(_secret)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_id)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean)]
Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
Mark = Annotated[str, StringConstraints(max_length=64), AfterValidator(clean)]


class McpHeader(Section):
    """One header of each request; its value is a secret."""

    name: Annotated[str, AfterValidator(_header_name)]
    value: Secret | None = None


class Oauth2Config(Section):
    """Client and tokens, filled by a sign-in or by hand. An `issuer` says that the client was registered by us there.

    `expires_at` and `status` belong to the stored access token: while its mask stands, what is sent for them is passed
    over, because renewing a token changes them without a new version.
    """

    client_id: Line | None = None
    client_secret: Secret | None = None
    token_url: Address | None = None
    authorization_url: Address | None = None
    scopes: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list)
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_at: Moment | None = None
    issuer: Address | None = None
    resource: Address | None = None
    token_endpoint_auth_method: Line | None = None
    status: SignInStatus | None = None


def _chosen(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: member for name, member in value.items() if name not in SHOWN_ONLY}


class McpTool(Section):
    """`fingerprint` is that of description and parameters when the tool was chosen; another one is a warning."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean)]
    enabled: bool = True
    approval: Approval = "never"
    fingerprint: Mark | None = None


def _each_once(tools: list[McpTool]) -> list[McpTool]:
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"must name each tool once; {name} is named {names.count(name)} times")
    return tools


def _headers_once(headers: list[McpHeader]) -> list[McpHeader]:
    names = [header.name.lower() for header in headers]
    if len(set(names)) < len(names):
        raise ValueError("must name each header once")
    return headers


class McpServer(Section):
    """One server. Only tools that stand in `tools` are offered, so that none comes in unseen."""

    id: Id
    name: Title
    url: Address
    authentication_type: AuthenticationType = "none"
    api_key: Secret | None = None
    custom_headers: Annotated[list[McpHeader], Field(max_length=20), AfterValidator(_headers_once)] = Field(
        default_factory=list
    )
    oauth2_config: Oauth2Config | None = None
    enabled: bool = True
    tools: Annotated[
        list[Annotated[McpTool, BeforeValidator(_chosen)]], Field(max_length=MOST_TOOLS), AfterValidator(_each_once)
    ] = Field(default_factory=list)

    def tool(self, name: str) -> McpTool | None:
        return next((tool for tool in self.tools if tool.name == name), None)


def _ids_once(servers: list[McpServer]) -> list[McpServer]:
    ids = [server.id for server in servers]
    for id in ids:
        if ids.count(id) > 1:
            raise ValueError(f"must have a different id for each server; {id} stands {ids.count(id)} times")
    return servers


class McpTools(Entries[McpServer]):
    """A server that is not listed is not asked."""

    root: Annotated[list[McpServer], Field(max_length=MOST_SERVERS), AfterValidator(_ids_once)]

    def server(self, id: str) -> McpServer | None:
        return next((server for server in self.root if server.id == id), None)


def server_faults(server: McpServer, at: str, guard: Guard) -> Iterator[Fault]:
    """What a well-formed server cannot be. What a host's name leads to is checked at each connection."""
    host, _, port = origin_of(server.url).partition("://")[2].rpartition(":")
    address = parse_address(host.strip("[]"))
    if address is not None and not guard.permits(host, int(port), address):
        yield Fault(f"{at}url", "address", "must not lead to a private address")
    if server.authentication_type == "custom_headers" and not server.custom_headers:
        yield Fault(f"{at}custom_headers", "minItems", "must have at least 1 item(s)")


def mcp_warnings(servers: McpTools) -> Iterator[dict[str, Json]]:
    """What is stored of MCP servers and does not work as it stands."""
    for i, server in enumerate(servers.root):
        if not server.enabled:
            continue
        at = f"mcp_tools.{i}"
        if server.authentication_type == "oauth2":
            yield from _of_sign_in(server, f"{at}.oauth2_config")
        if not any(tool.enabled for tool in server.tools):
            message = f"No tool of {server.name} is switched on, so none is offered."
            yield {"field": f"{at}.tools", "code": "mcp_without_tools", "message": message}


def _of_sign_in(server: McpServer, field: str) -> Iterator[dict[str, Json]]:
    config = server.oauth2_config or Oauth2Config()
    how = "POST /mcp-sign-ins gives the address."
    if config.access_token is None and config.refresh_token is None:
        message = f"Nobody has signed in to {server.name} yet, so its tools are not offered. {how}"
        yield {"field": field, "code": "mcp_sign_in_needed", "message": message}
    elif config.status == "sign_in_again":
        message = f"The sign-in to {server.name} is over, so its tools are not offered: sign in again. {how}"
        yield {"field": field, "code": "mcp_sign_in_again", "message": message}
    elif config.status == "scope_missing":
        message = f"{server.name} wants more rights than it was given for some of its tools: sign in again. {how}"
        yield {"field": field, "code": "mcp_sign_in_again", "message": message}
