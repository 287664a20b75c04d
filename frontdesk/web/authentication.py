"""`/authentication`: log in with e-mail and password, renew with a token, log out.

A login is a row; its token names the row, so that logging out ends it everywhere. The published example shows
the answer's shape; the token's lifetime is ours.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta

import asyncpg
import jwt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection, Database
from frontdesk.core.errors import BadRequest, Json, NotAuthenticated
from frontdesk.core.rates import Limit, Rates
from frontdesk.resources.organization.passwords import is_password

from .body import parse_json, read_body
from .identity import Identities
from .responses import json_response
from .rest import credentials

LIFETIME = timedelta(days=1)
MAX_BODY = 10_000  # bytes
TRIES_PER_MINUTE = 10  # for one address of a person, and for one network address

FIND_USER = """
    SELECT id, email, first_name, last_name, avatar, password_hash, created_at, updated_at
    FROM users WHERE lower(email) = lower($1) AND deleted_at IS NULL
"""
GET_USER = FIND_USER.replace("lower(email) = lower($1)", "id = $1")
OPEN = "INSERT INTO login_sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)"
CLOSE = "UPDATE login_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"


class Authentication:
    """The endpoint's two methods over the login rows."""

    def __init__(self, database: Database, identities: Identities, clock: Clock, rates: Rates) -> None:
        self.database, self.identities, self.clock, self.rates = database, identities, clock, rates

    def routes(self) -> list[Route]:
        return [
            Route("/authentication", self.create, methods=["POST"]),
            Route("/authentication", self.remove, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        """`strategy: local` with `email` and `password`, or `strategy: jwt` with `accessToken`."""
        headers = dict(request.scope["headers"])
        body = parse_json(await read_body(headers, request.receive, MAX_BODY), headers.get(b"content-type", b""))
        if not isinstance(body, dict):
            raise BadRequest("The body must be a JSON object.")
        address = request.client.host if request.client else "unknown"
        strategy = body.get("strategy")
        if strategy == "jwt":
            return await self._renew(_text(body, "accessToken"))
        if strategy != "local":
            raise BadRequest("strategy must be local or jwt.", errors={"strategy": "must be local or jwt"})
        email, password = _text(body, "email"), _text(body, "password")
        tries = (Limit("login", email.lower(), TRIES_PER_MINUTE), Limit("login", address, 6 * TRIES_PER_MINUTE))
        await self.rates.count(self.clock.now(), *tries)
        return await self._log_in(email, password)

    async def _log_in(self, email: str, password: str) -> Response:
        async with self.database.system() as connection:
            row = await connection.fetchrow(FIND_USER, email)
        # Argon2 takes tens of milliseconds of CPU on purpose: not on the event loop.
        is_right = await asyncio.to_thread(is_password, row["password_hash"] if row else None, password)
        if row is None or not is_right:
            raise NotAuthenticated("Invalid login")
        session_id, now = secrets.token_urlsafe(24), self.clock.now()
        async with self.database.system() as connection:
            await connection.execute(OPEN, session_id, row["id"], now, now + LIFETIME)
        token = _sign(self.identities.secret, row["id"], session_id, now)
        return _answer(token, "local", row)

    async def _renew(self, token: str) -> Response:
        identity = await self.identities.identify(None, token)
        async with self.database.system() as connection:
            row = await connection.fetchrow(GET_USER, identity.user_id)
        if row is None:
            raise NotAuthenticated("Invalid login")
        return _answer(token, "jwt", row)

    async def remove(self, request: Request) -> Response:
        """Ends the login of the bearer token."""
        _, token = credentials(dict(request.scope["headers"]))
        if not token:
            raise NotAuthenticated("Send the token to end in the header Authorization.")
        identity = await self.identities.identify(None, token)
        async with self.database.system() as connection:
            await self._close(connection, identity.session_id)
            row = await connection.fetchrow(GET_USER, identity.user_id)
        self.identities.forget()
        assert row is not None
        return _answer(token, "jwt", row, status=200)

    async def _close(self, connection: Connection, session_id: str | None) -> None:
        await connection.execute(CLOSE, session_id, self.clock.now())


def _text(body: dict[str, Json], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 4096 or "\x00" in value:
        raise BadRequest(f"{name} is required.", errors={name: "must be text"})
    return value


def _sign(secret: str, user_id: int, session_id: str, now: datetime) -> str:
    claims = {"sub": str(user_id), "jti": session_id, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, secret, algorithm="HS256")


def _answer(token: str, strategy: str, row: asyncpg.Record, status: int = 201) -> Response:
    """The published shape; this `user` is the only record with camelCase timestamps."""
    name = " ".join(part for part in (row["first_name"], row["last_name"]) if part) or row["email"]
    user = {
        "id": row["id"], "email": row["email"], "name": name, "avatar": row["avatar"],
        "createdAt": _iso(row["created_at"]), "updatedAt": _iso(row["updated_at"]),
    }  # fmt: skip
    return json_response({"accessToken": token, "authentication": {"strategy": strategy}, "user": user}, status)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
