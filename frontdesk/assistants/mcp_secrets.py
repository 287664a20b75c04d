"""Secrets of MCP servers: sealed for the origin that they go to, read as masks, kept by id and name.

The values stand in one sealed column beside the section, by server id and place (`api_key`, `custom_headers.x-key`),
so that the section itself, its history and its exports never hold one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from frontdesk.assistants.mcp_tools import McpServer, McpTools, Oauth2Config
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.core.vault import SecretUnusable, Vault, is_mask, mask, origin_of

Sealed = Mapping[str, Mapping[str, str]]
Seal = Callable[[str, str], str]
ELSEWHERE = "was stored for another address; enter it again"
NOTHING = "is a mask of no stored value; enter the value again"
# The secrets that go to where tokens are made; the access token itself goes to the server.
TO_TOKEN_URL = ("client_secret", "refresh_token")
# Those that are renewed while nobody looks, so that a page may hold the mask of one that is gone.
TOKENS = ("oauth2_config.access_token", "oauth2_config.refresh_token")
# How the keys of those begin without which a way of authentication does not work. A sign-in is asked for otherwise.
NEEDED = {"api_key": "api_key", "custom_headers": "custom_headers."}
SIGN_IN = "oauth2_config"  # what is missing where somebody has to sign in, again or at all
EARLY = timedelta(seconds=30)  # a token that runs out while it is on its way is refused


@dataclass(frozen=True, slots=True)
class Place:
    """One secret of a server as JSON: `holder[member]` is its value or mask, `origin` is where it may go."""

    key: str
    path: str
    origin: str
    holder: dict[str, Any]
    member: str

    @property
    def value(self) -> str | None:
        found: str | None = self.holder[self.member]
        return found


def places(server: dict[str, Any]) -> list[Place]:
    """All secrets that a server (dumped) can have."""
    origin = origin_of(server["url"])
    found = [Place("api_key", "api_key", origin, server, "api_key")]
    for i, header in enumerate(server["custom_headers"]):
        key, path = f"custom_headers.{header['name'].lower()}", f"custom_headers.{i}.value"
        found.append(Place(key, path, origin, header, "value"))
    if (oauth := server["oauth2_config"]) is not None:
        there = origin_of(oauth["token_url"]) if oauth["token_url"] else origin
        for member in (*TO_TOKEN_URL, "access_token"):
            path = f"oauth2_config.{member}"
            found.append(Place(path, path, there if member in TO_TOKEN_URL else origin, oauth, member))
    return found


@dataclass(frozen=True, slots=True)
class Settled:
    """The section with masks, what is sealed, and the paths of secrets that are needed and not there."""

    servers: list[dict[str, Json]]
    sealed: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def settle(sent: McpTools, stored: McpTools | None, sealed: Sealed, seal: Seal, at: str = "mcp_tools.{i}.") -> Settled:
    """What becomes of a section that was sent. Raises `Invalid` with the path of each mask that stands for nothing.

    `stored` is None for a new assistant, in which a mask is no secret (the duplicate of another one). `at` is the
    path of a server, for the faults.
    """
    before = {server.id: _by_key(server) for server in stored.root} if stored is not None else {}
    result, faults = Settled([]), []
    for i, server in enumerate(sent.root):
        dumped = server.model_dump(mode="json")
        kept: dict[str, str] = {}
        renewed: set[str] = set()
        for place in places(dumped):
            value, path = place.value, at.format(i=i) + place.path
            if value is not None and is_mask(value) and stored is not None:
                known, old = before.get(server.id, {}).get(place.key), sealed.get(server.id, {}).get(place.key)
                if known is None or old is None or (known.value != value and place.key not in TOKENS):
                    faults.append(Fault(path, "mask", NOTHING))
                elif known.origin != place.origin:
                    faults.append(Fault(path, "origin", ELSEWHERE))
                else:
                    kept[place.key], place.holder[place.member] = old, known.value
            elif value is not None and not is_mask(value):
                kept[place.key] = seal(value, place.origin)
                place.holder[place.member] = mask(value)
                renewed.add(place.key)
            else:
                place.holder[place.member] = None
        _settle_sign_in(dumped, stored.server(server.id) if stored is not None else None, kept, renewed)
        result.servers.append(dumped)
        if kept:
            result.sealed[server.id] = kept
        result.missing.extend(at.format(i=i) + path for path in _missing(server.authentication_type, dumped))
    if faults:
        raise Invalid(faults)
    return result


def _settle_sign_in(
    dumped: dict[str, Any], before: McpServer | None, kept: Mapping[str, str], renewed: set[str]
) -> None:
    """`expires_at` and `status` follow the tokens: with a kept one they stay as they are stored, whatever was sent."""
    oauth, known = dumped["oauth2_config"], before.oauth2_config if before is not None else None
    if oauth is None:
        return
    access, is_new = TOKENS[0], not renewed.isdisjoint(TOKENS)
    if access not in kept:
        oauth["expires_at"] = None
    elif access not in renewed:
        oauth["expires_at"] = known.expires_at if known is not None else None
    if kept.keys().isdisjoint(TOKENS):
        oauth["status"] = None
    else:
        oauth["status"] = "signed_in" if is_new or known is None else known.status


def _by_key(server: McpServer) -> dict[str, Place]:
    return {place.key: place for place in places(server.model_dump(mode="json"))}


def _missing(kind: str, dumped: dict[str, Any]) -> list[str]:
    needed = NEEDED.get(kind)
    if needed is None:
        return []
    return [place.path for place in places(dumped) if place.key.startswith(needed) and place.value is None]


def restored(then: McpTools, now: McpTools) -> tuple[list[dict[str, Json]], list[str]]:
    """An older section with the masks of today's secrets, and the paths of those that are not there any more.

    A snapshot holds masks only. The secret of the same server and place stays, unless it belongs to another origin.
    """
    current = {server.id: _by_key(server) for server in now.root}
    servers, dropped = [], []
    for i, server in enumerate(then.root):
        dumped = server.model_dump(mode="json")
        for place in places(dumped):
            known = current.get(server.id, {}).get(place.key)
            is_kept = known is not None and known.origin == place.origin and known.value is not None
            if place.value is not None and not is_kept:
                dropped.append(f"mcp_tools.{i}.{place.path}")
            place.holder[place.member] = known.value if known is not None and is_kept else None
        _restore_sign_in(dumped, now.server(server.id))
        servers.append(dumped)
    return servers, dropped


def _restore_sign_in(dumped: dict[str, Any], now: McpServer | None) -> None:
    oauth, known = dumped["oauth2_config"], now.oauth2_config if now is not None else None
    if oauth is not None:
        is_there = known is not None and oauth["access_token"] is not None
        oauth["expires_at"] = known.expires_at if known is not None and is_there else None
        oauth["status"] = known.status if known is not None and is_there else None


@dataclass(frozen=True, slots=True)
class OauthSecrets:
    """The secrets of an entry's `oauth2_config`, in plain."""

    client_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A server that can be connected to. `missing` says which secret is not there, `oauth` is that of a sign-in."""

    id: str
    name: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    missing: str | None = None
    oauth: Oauth2Config | None = None
    tokens: OauthSecrets = OauthSecrets()

    @property
    def secrets(self) -> tuple[str, ...]:
        known = (self.tokens.client_secret, self.tokens.access_token, self.tokens.refresh_token)
        return (*self.headers.values(), *(secret for secret in known if secret is not None))

    @property
    def identity(self) -> list[str]:
        """What makes it another server where it differs: address and secret, but not a token that is renewed."""
        if self.oauth is not None:
            return [self.url, str(self.oauth.client_id)]
        return [self.url, *(f"{name}: {value}" for name, value in sorted(self.headers.items()))]

    def is_run_out(self, now: datetime) -> bool:
        """Whether a new token is needed before anything is asked."""
        if self.oauth is None:
            return False
        if self.tokens.access_token is None:
            return True
        expires = self.oauth.expires_at
        return expires is not None and moment_of(expires) <= now + EARLY


def moment_of(text: str) -> datetime:
    """A moment as it is stored; one without an offset is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def opened(server: McpServer, sealed: Sealed, vault: Vault) -> Opened:
    """The server with the headers that its authentication needs; a secret opens for its own origin only."""
    values: dict[str, str] = {}
    stored = sealed.get(server.id, {})
    for place in places(server.model_dump(mode="json")):
        if place.key in stored:
            try:
                values[place.key] = vault.open(stored[place.key], place.origin)
            except SecretUnusable:
                continue
    return with_values(server, values)


def with_values(server: McpServer, values: Mapping[str, str]) -> Opened:
    if server.authentication_type == "oauth2":
        return _signed_in(server, values)
    headers: dict[str, str] = {}
    missing = None
    if server.authentication_type == "api_key":
        if "api_key" in values:
            headers["Authorization"] = f"Bearer {values['api_key']}"
        missing = None if "api_key" in values else "api_key"
    elif server.authentication_type == "custom_headers":
        for header in server.custom_headers:
            value = values.get(f"custom_headers.{header.name.lower()}")
            if value is None:
                missing = missing or f"custom_headers ({header.name})"
            else:
                headers[header.name] = value
    return Opened(server.id, server.name, server.url, headers, missing)


def _signed_in(server: McpServer, values: Mapping[str, str]) -> Opened:
    config = server.oauth2_config or Oauth2Config()
    found = {name: values.get(f"oauth2_config.{name}") for name in (*TO_TOKEN_URL, "access_token")}
    tokens = OauthSecrets(**found)
    headers = {"Authorization": f"Bearer {tokens.access_token}"} if tokens.access_token else {}
    is_over = config.status == "sign_in_again" or (tokens.access_token or tokens.refresh_token) is None
    return Opened(server.id, server.name, server.url, headers, SIGN_IN if is_over else None, config, tokens)
