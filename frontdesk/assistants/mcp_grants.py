"""Sign-ins at MCP servers while assistants work: tokens are renewed when they have run out, by one at a time.

A refresh token may be good for one use only. So whoever wants to spend it takes a claim on it first, in a transaction
of its own; the exchange is made with none open; its outcome is written with the claim's end. Everybody else waits for
the outcome and reads it. Renewing a token is no change of the assistant: it makes no version and no history.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from frontdesk.assistants.mcp_challenge import Challenge
from frontdesk.assistants.mcp_client import McpFailed
from frontdesk.assistants.mcp_secrets import SIGN_IN, Opened, opened, places
from frontdesk.assistants.mcp_sign_in import RENEWAL_SECONDS, Application, SignInFailed, refresh, tokens_of
from frontdesk.assistants.mcp_tools import McpTools, SignInStatus
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.events import emit
from frontdesk.core.vault import mask

log = structlog.get_logger(__name__)
T = TypeVar("T")

CLAIM = timedelta(seconds=2 * RENEWAL_SECONDS)  # longer than an exchange can last; a claim of a dead process ends then
PAUSE = 0.25  # seconds between two looks at somebody else's claim
LOOKS = 60
OVER = "its sign-in is over, and somebody has to sign in again"

_CLAIM = """
    INSERT INTO mcp_grants AS g (organization_id, ai_assistant_id, mcp_tool_id, claimed_until) VALUES ($1, $2, $3, $5)
    ON CONFLICT (organization_id, ai_assistant_id, mcp_tool_id) DO UPDATE SET claimed_until = excluded.claimed_until
    WHERE g.claimed_until IS NULL OR g.claimed_until <= $4 RETURNING true
"""
_RELEASE = """
    UPDATE mcp_grants SET claimed_until = NULL WHERE organization_id = $1 AND ai_assistant_id = $2 AND mcp_tool_id = $3
"""
_NOTE = """
    INSERT INTO mcp_grants (organization_id, ai_assistant_id, mcp_tool_id, challenge_status, challenge, error)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (organization_id, ai_assistant_id, mcp_tool_id) DO UPDATE SET
        challenge_status = excluded.challenge_status, challenge = excluded.challenge, error = excluded.error
"""
_KNOWN = """
    SELECT challenge_status, challenge, error FROM mcp_grants
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND mcp_tool_id = $3
"""
_FORGET = "DELETE FROM mcp_grants WHERE organization_id = $1 AND ai_assistant_id = $2 AND mcp_tool_id = $3"
_READ = """
    SELECT mcp_tools::text AS servers, mcp_secrets_sealed::text AS sealed FROM ai_assistants
    WHERE organization_id = $1 AND id = $2
"""
_WRITE = "UPDATE ai_assistants SET mcp_tools = $3, mcp_secrets_sealed = $4 WHERE organization_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sign-in is kept: an assistant's server."""

    organization_id: int
    assistant_id: int
    server_id: str

    @property
    def key(self) -> tuple[int, int, str]:
        return self.organization_id, self.assistant_id, self.server_id


@dataclass(frozen=True, slots=True)
class Asked:
    """How a server last asked for a better sign-in, and why the last one was not renewed."""

    challenge: Challenge
    error: str | None = None


async def with_sign_in(door: Door, place: Place, server: Opened, work: Callable[[Opened], Awaitable[T]]) -> T:
    """Do `work` with a token that is good, renewing it at most once. Raises `McpFailed`.

    No transaction may be open. A server without a sign-in is used as it is.
    """
    if server.oauth is None:
        return await work(server)
    is_fresh = server.is_run_out(door.clock.now())
    if is_fresh:
        server = await renewed(door, place, server)
    try:
        return await work(server)
    except McpFailed as failed:
        if failed.challenge is None:
            raise
        if failed.challenge.status != 401 or is_fresh:
            await _refused(door, place, server, failed.challenge)
            raise
    return await work(await renewed(door, place, server))


async def renewed(door: Door, place: Place, server: Opened) -> Opened:
    """The server with another token than the one it has, by our exchange or by somebody else's. Raises `McpFailed`."""
    for _ in range(LOOKS):
        is_ours, now = await _claim(door, place, server)
        if now is None or now.missing is not None:
            raise McpFailed("sign_in_again", OVER, "secret")
        if is_other(now, server, door.clock.now()):
            return now
        if now.tokens.refresh_token is None:
            return await _over(door, place, now)
        if is_ours:
            return await _whole(_renew(door, place, now))
        await door.clock.sleep(PAUSE)
    raise McpFailed("timeout", "its sign-in is being renewed, and that takes long", "secret")


def is_other(now: Opened, used: Opened, moment: datetime) -> bool:
    """Whether somebody has put another token there that is good."""
    return now.tokens.access_token != used.tokens.access_token and not now.is_run_out(moment)


async def _whole(work: Awaitable[Opened]) -> Opened:
    """The exchange to its end, whoever stops the turn: a spent token whose answer nobody stored would be lost."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _claim(door: Door, place: Place, used: Opened) -> tuple[bool, Opened | None]:
    """Whether the next exchange is ours, and the server as it is stored once that is decided."""
    moment = door.clock.now()
    async with door.database.transaction(place.organization_id) as connection:
        is_ours = bool(await connection.fetchval(_CLAIM, *place.key, moment, moment + CLAIM))
        now = await _stored(connection, door, place)
        needs_none = now is None or now.missing is not None or now.tokens.refresh_token is None
        if is_ours and (now is None or needs_none or is_other(now, used, moment)):
            await connection.execute(_RELEASE, *place.key)
            is_ours = False
    return is_ours, now


async def _renew(door: Door, place: Place, server: Opened) -> Opened:
    assert server.oauth is not None
    application = Application.at(door.mail.base_url)
    try:
        token = await refresh(door.guard, server.url, application, server.oauth, server.tokens)
    except SignInFailed as failed:
        log.warning("mcp sign-in not renewed", server=place.server_id, assistant=place.assistant_id, code=failed.code)
        if failed.code == "sign_in_refused":
            return await _over(door, place, server, failed.error)
        await _write(door, place, server, {})
        raise McpFailed("unreachable", f"its sign-in could not be renewed: {failed.clause}", "secret") from None
    return await _write(door, place, server, dict(tokens_of(token, door.clock.now())))


async def _over(door: Door, place: Place, server: Opened, error: str | None = None) -> Opened:
    await _refused(door, place, server, Challenge(), "sign_in_again", error)
    raise McpFailed("sign_in_again", OVER, "secret")


async def _refused(
    door: Door,
    place: Place,
    server: Opened,
    challenge: Challenge,
    status: SignInStatus | None = None,
    error: str | None = None,
) -> None:
    """Note how the server refused the token, so that the assistant shows it and the next sign-in asks for enough."""
    if status is None:
        status = "scope_missing" if challenge.wants_more else "sign_in_again" if challenge.status == 401 else None
    if status is None:
        return
    await _write(door, place, server, {"status": status}, Asked(challenge, error))


async def _write(door: Door, place: Place, used: Opened, members: dict[str, Any], asked: Asked | None = None) -> Opened:
    """Store what became of `used`, unless another sign-in took its place meanwhile, and end the claim."""
    async with door.database.transaction(place.organization_id) as connection:
        row = await connection.fetchrow(f"{_READ} FOR NO KEY UPDATE", *place.key[:2])
        servers, sealed = _parsed(row)
        now = await _stored(connection, door, place)
        if now is not None and now.tokens == used.tokens and members:
            entry = next(one for one in servers if one["id"] == place.server_id)
            _set(door, entry, sealed.setdefault(place.server_id, {}), members)
            await connection.execute(_WRITE, *place.key[:2], json.dumps(servers), json.dumps(sealed))
            if asked is not None:
                await connection.execute(_NOTE, *place.key, asked.challenge.status, asked.challenge.header, asked.error)
                await emit(connection, place.organization_id, "ai-assistants", "updated", place.assistant_id)
            now = await _stored(connection, door, place)
        await connection.execute(_RELEASE, *place.key)
    if now is None:
        raise McpFailed("sign_in_again", OVER, "secret")
    return now


def _set(door: Door, entry: dict[str, Any], sealed: dict[str, str], members: dict[str, Any]) -> None:
    config = entry["oauth2_config"]
    config |= members
    for place in places(entry):
        if place.key.startswith(f"{SIGN_IN}.") and place.member in members and place.value is not None:
            sealed[place.key] = door.vault.seal(place.value, place.origin)
            place.holder[place.member] = mask(place.value)


async def _stored(connection: Connection, door: Door, place: Place) -> Opened | None:
    servers, sealed = _parsed(await connection.fetchrow(_READ, *place.key[:2]))
    server = McpTools.model_validate(servers).server(place.server_id)
    return opened(server, sealed, door.vault) if server is not None else None


def _parsed(row: Any) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    if row is None:
        return [], {}
    return json.loads(row["servers"] or "[]"), json.loads(row["sealed"] or "null") or {}


async def asked_of(connection: Connection, place: Place) -> Asked:
    """What the server wanted last; where it wanted nothing, a plain 401."""
    row = await connection.fetchrow(_KNOWN, *place.key)
    if row is None or row["challenge_status"] is None:
        return Asked(Challenge())
    return Asked(Challenge(row["challenge_status"], row["challenge"] or ""), row["error"])


async def forget(connection: Connection, place: Place) -> None:
    """After a new sign-in nothing of the old one counts."""
    await connection.execute(_FORGET, *place.key)
