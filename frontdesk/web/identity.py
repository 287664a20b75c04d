"""From a request's headers to a caller: API key or bearer token, looked up once every two seconds at most.

The look-up crosses organizations, so it runs as the system role. A process keeps an answer for `KEPT` seconds: that is
how long a revoked key may still work in a process that has just used it.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import Clock
from frontdesk.core.database import Database
from frontdesk.core.errors import BadRequest, Forbidden, NotAuthenticated
from frontdesk.core.quota import UNLIMITED, Quota, parse_quota
from frontdesk.resources.organization.api_keys import hash_key

KEPT = 2.0  # seconds
MAX_KEPT = 10_000

KEY_SQL = """
    SELECT k.id, k.organization_id, k.user_id, m.role, o.rate_limit
    FROM api_keys k JOIN members m ON m.organization_id = k.organization_id AND m.user_id = k.user_id
    JOIN organizations o ON o.id = k.organization_id AND o.deleted_at IS NULL
    WHERE k.key_hash = $1 AND k.deleted_at IS NULL AND m.deleted_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > $2)
"""
TOUCH_SQL = """
    UPDATE api_keys SET last_used_at = $2
    WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')
"""
SESSION_SQL = """
    SELECT m.organization_id, m.role FROM login_sessions s
    JOIN members m ON m.user_id = s.user_id AND m.deleted_at IS NULL
    JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
    WHERE s.id = $1 AND s.user_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 ORDER BY m.organization_id
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials belong to, and the roles per organization that they open.

    Only the requests of API keys have a `quota`: a login is a person at a screen.
    """

    user_id: int
    roles: dict[int, Role]
    via: str
    session_id: str | None = None
    quota: Quota = UNLIMITED

    @property
    def organization_id(self) -> int:
        """The organization of a key; of a login, the first one."""
        return next(iter(self.roles))

    def caller(self, wanted: int | None, *, sees_all: bool = False) -> Caller:
        """The caller in the organization that the request names, or in the only one there is.

        With `sees_all` a login need not choose: the call looks at all its organizations. Raises `BadRequest` for a
        key of another organization or where a login must choose, `Forbidden` for a login that is no member there.
        """
        if wanted is None:
            if len(self.roles) != 1 and not sees_all:
                raise BadRequest(
                    "organization_id is needed: you belong to several organizations.",
                    errors={"organization_id": "is required"},
                )
            wanted = self.organization_id
        role = self.roles.get(wanted)
        if role is None and self.via == "api_key":
            raise BadRequest(
                "organization_id is not the organization of this API key.",
                errors={"organization_id": "is not the organization of this API key"},
            )
        if role is None:
            raise Forbidden("You are not a member of this organization.")
        return Caller(
            wanted,
            self.user_id,
            role,
            via="api_key" if self.via == "api_key" else "jwt",
            memberships=tuple(self.roles) if sees_all else (),
        )


class Identities:
    """Checks credentials against the database, remembering good answers for `KEPT` seconds.

    `quota` is for organizations that have none of their own.
    """

    def __init__(self, database: Database, clock: Clock, secret: str, quota: Quota = UNLIMITED) -> None:
        self.database, self.clock, self.secret, self.quota = database, clock, secret, quota
        self._kept: dict[str, tuple[float, Identity]] = {}

    def forget(self) -> None:
        """Drop what was remembered: after a key or a login was revoked in this process."""
        self._kept.clear()

    async def identify(self, api_key: str | None, bearer: str | None) -> Identity:
        """Raises `NotAuthenticated` with the published message."""
        credential = api_key or bearer
        if not credential:
            raise NotAuthenticated("No API key. Send it in the header x-api-key.")
        kept = self._kept.get(credential)
        if kept is not None and kept[0] > self.clock.monotonic():
            return kept[1]
        found = await (self._by_key(api_key) if api_key else self._by_token(credential))
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[credential] = (self.clock.monotonic() + KEPT, found)
        return found

    async def _by_key(self, key: str) -> Identity:
        now = self.clock.now()
        async with self.database.system() as connection:
            row = await connection.fetchrow(KEY_SQL, hash_key(key), now)
            if row is None:
                raise NotAuthenticated("Invalid API key")
            await connection.execute(TOUCH_SQL, row["id"], now)
        quota = self.quota if row["rate_limit"] is None else parse_quota(row["rate_limit"])
        return Identity(row["user_id"], {row["organization_id"]: Role[row["role"]]}, "api_key", quota=quota)

    async def _by_token(self, token: str) -> Identity:
        try:
            claims = jwt.decode(token, self.secret, algorithms=["HS256"], options={"require": ["sub", "jti"]})
            user_id = int(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            raise NotAuthenticated("Invalid token. Log in again at POST /authentication.") from None
        async with self.database.system() as connection:
            rows = await connection.fetch(SESSION_SQL, claims["jti"], user_id, self.clock.now())
        if not rows:
            raise NotAuthenticated("The login has ended. Log in again at POST /authentication.")
        roles = {row["organization_id"]: Role[row["role"]] for row in rows}
        return Identity(user_id, roles, "jwt", claims["jti"])
