"""Accepting an invitation: whoever has the token becomes a member, if the login is really theirs.

The token is no proof of the address (who invites sees it too), so an existing login proves its password or comes with
a token of its own, and a login without a password is not given one by an invitation of somebody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from frontdesk.core.caller import Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import Conflict, Fault, Forbidden, Invalid, Json, NotAuthenticated, NotFound
from frontdesk.core.events import emit
from frontdesk.core.fields import Field, Wrong
from frontdesk.core.formats import iso_text

from .invites import PATH, expire, hash_token
from .passwords import hash_password, is_password

SHORTEST_PASSWORD = 10
INPUTS = (
    Field("token", is_required=True, is_nullable=False, max_length=200),
    Field("first_name", max_length=120),
    Field("last_name", max_length=120),
    Field("password", max_length=200, is_secret=True),
)
FIND = """
    SELECT i.id, i.organization_id, i.email, i.role, i.status, i.expires_at, i.created_by_user_id, i.deleted_at,
        o.name AS organization, u.id AS user_id, u.password_hash, u.deleted_at AS user_deleted_at,
        EXISTS (SELECT FROM members m WHERE m.user_id = u.id AND m.organization_id <> i.organization_id) AS is_elsewhere
    FROM organizations_users_invites i
    JOIN organizations o ON o.id = i.organization_id AND o.deleted_at IS NULL
    LEFT JOIN users u ON lower(u.email) = lower(i.email)
    WHERE i.token_hash = $1
"""
LOCK = "SELECT status FROM organizations_users_invites WHERE organization_id = $1 AND id = $2 FOR UPDATE"
# Nobody grants a role above their own: that of today, not of yesterday. Without a person it was the operator.
ROLE_OF = """
    SELECT role FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL
"""
ADD_USER = """
    INSERT INTO users (email, first_name, last_name, password_hash, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (lower(email)) DO NOTHING RETURNING id
"""
SET_PASSWORD = """
    UPDATE users SET password_hash = $2, first_name = coalesce($3, first_name), last_name = coalesce($4, last_name),
        updated_at = $5
    WHERE id = $1 AND password_hash IS NULL RETURNING id
"""
ADD_MEMBER = """
    INSERT INTO members (organization_id, user_id, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (organization_id, user_id) WHERE deleted_at IS NULL DO NOTHING RETURNING id
"""
ACCEPT = """
    UPDATE organizations_users_invites SET status = 'accepted', accepted_at = $3, accepted_by_user_id = $4,
        sealed_token = NULL, updated_at = $3, version = version + 1
    WHERE organization_id = $1 AND id = $2
"""


@dataclass(frozen=True)
class Wish:
    """Who wants to accept: the token, and what a new login or a logged-out one brings."""

    token: str
    first_name: str | None = None
    last_name: str | None = None
    password: str | None = None


def read_wish(body: Mapping[str, object]) -> Wish:
    """Raises `Invalid` with every fault."""
    faults, values, known = list[Fault](), dict[str, str | None](), {one.name: one for one in INPUTS}
    for name in body.keys() - known.keys():
        faults.append(Fault(name, "additionalProperties", "is not a field", additionalProperty=name))
    for name, one in known.items():
        try:
            if name in body:
                value = one.accept(body[name])
                values[name] = str(value).strip() or None if value is not None and name != "password" else value  # type: ignore[assignment]
        except Wrong as wrong:
            faults.append(wrong.at(name))
    if not faults and not values.get("token"):
        faults.append(Fault("token", "required", "is required", missingProperty="token"))
    if faults:
        raise Invalid(faults)
    return Wish(**values)  # type: ignore[arg-type]


async def find(door: Door, token: str) -> asyncpg.Record:
    """The invitation of a token, still open. Raises `NotFound`, and `Conflict` with its status where it is over."""
    async with door.database.system() as connection:
        row = await connection.fetchrow(FIND, hash_token(token))
        if row is not None and row["status"] == "pending" and row["expires_at"] <= door.clock.now():
            async with connection.transaction():
                await expire(connection, row["organization_id"], door.clock.now())
            row = await connection.fetchrow(FIND, hash_token(token))
    if row is None:
        raise NotFound("There is no such invitation. Ask for a new one.")
    if row["status"] != "pending":
        raise _over(row["status"])
    return row


def describe(row: asyncpg.Record) -> dict[str, Json]:
    """What the page shows before somebody accepts."""
    expires = iso_text(row["expires_at"])
    return {
        "organization": {"id": row["organization_id"], "name": row["organization"]},
        "email": row["email"],
        "role": row["role"],
        "expires_at": expires,
        "has_login": row["password_hash"] is not None,
    }


async def accept(door: Door, wish: Wish, row: asyncpg.Record, login: int | None) -> dict[str, Json]:
    """Make the person of `row`'s address a member. `login` is the user whose own token came along."""
    hashed = await _prove(wish, row, login)
    now, org = door.clock.now(), row["organization_id"]
    async with door.database.system() as connection, connection.transaction():
        status = await connection.fetchval(LOCK, org, row["id"])
        if status != "pending":
            raise _over(status)
        await _check_inviter(connection, row)
        user_id = row["user_id"]
        if user_id is None:
            names = (wish.first_name, wish.last_name)
            user_id = await connection.fetchval(ADD_USER, row["email"], *names, hashed, now)
        elif hashed is not None:
            await _check_standing(connection, row)
            user_id = await connection.fetchval(SET_PASSWORD, user_id, hashed, wish.first_name, wish.last_name, now)
        if user_id is None:
            raise Conflict("A login was made for this address at the same moment; accept with its password.")
        member_id = await connection.fetchval(ADD_MEMBER, org, user_id, row["role"], now)
        await connection.execute(ACCEPT, org, row["id"], now, user_id)
        if member_id is not None:
            await emit(connection, org, "members", "created", member_id)
        await emit(connection, org, PATH, "updated", row["id"])
    return {**describe(row), "status": "accepted", "user_id": user_id, "has_login": True}


async def _prove(wish: Wish, row: asyncpg.Record, login: int | None) -> str | None:
    """Check that the login is the invited person's; gives the hash of a password that is to be set."""
    if login is not None:
        if login != row["user_id"]:
            raise Forbidden("This invitation is for another address. Log out, or log in with that address.")
        return None
    if row["user_deleted_at"] is not None:
        raise Forbidden("The login of this address was removed.")
    if row["password_hash"] is not None:
        if not wish.password:
            raise Invalid([Fault("password", "required", "is required: the password of your login")])
        # Argon2 takes tens of milliseconds of CPU on purpose: not on the event loop.
        if not await asyncio.to_thread(is_password, row["password_hash"], wish.password):
            raise NotAuthenticated("Invalid login")
        return None
    if row["is_elsewhere"]:
        raise Forbidden("This address has a login without a password in another organization; get one there first.")
    faults = []
    if row["user_id"] is None and not wish.first_name:
        faults.append(Fault("first_name", "required", "is required", missingProperty="first_name"))
    if len(wish.password or "") < SHORTEST_PASSWORD:
        message = f"must have at least {SHORTEST_PASSWORD} characters"
        faults.append(Fault("password", "minLength", message, limit=SHORTEST_PASSWORD))
    if faults:
        raise Invalid(faults)
    return await asyncio.to_thread(hash_password, str(wish.password))


async def _check_inviter(connection: Connection, row: asyncpg.Record) -> None:
    if row["created_by_user_id"] is None:
        return
    held = await connection.fetchval(ROLE_OF, row["organization_id"], row["created_by_user_id"])
    if held is None or Role[held] < max(Role.admin, Role[row["role"]]):
        raise Conflict("Whoever invited you may not give this role any more. Ask for a new invitation.")


async def _check_standing(connection: Connection, row: asyncpg.Record) -> None:
    """Who may invite members must not get at the login of an owner who has no password yet."""
    held = await connection.fetchval(ROLE_OF, row["organization_id"], row["user_id"])
    if held is not None and Role[held] > Role[row["role"]]:
        raise Forbidden("This login has a higher role already; who has at least that role may invite it.")


def _over(status: str) -> Conflict:
    said = {"accepted": "was accepted already", "expired": "has expired", "revoked": "was withdrawn"}[status]
    return Conflict(f"This invitation {said}.", data={"status": status})
