"""Making an organization, which only the operator does: its rows to begin with, and the way in for its owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from frontdesk.core.caller import Caller, Role
from frontdesk.core.door import Door
from frontdesk.core.errors import Invalid
from frontdesk.core.fields import Plain, Wrong

from .invites import PATH, invites
from .organizations import organizations
from .starting_rows import add_starting_rows

ADD = """
    INSERT INTO organizations
        (name, timezone, currency, subscription_status, ai_daily_budget, rate_limit, created_at, updated_at)
    VALUES ($1, $2, $3, 'active', 10, $4, $5, $5) RETURNING id
"""
FIND_USER = "SELECT id FROM users WHERE lower(email) = lower($1) AND deleted_at IS NULL"
ADD_USER = "INSERT INTO users (email, created_at, updated_at) VALUES ($1, $2, $2) RETURNING id"
ADD_MEMBER = """
    INSERT INTO members (organization_id, user_id, role, created_at, updated_at) VALUES ($1, $2, 'owner', $3, $3)
"""
LIST = """
    SELECT o.id, o.name, o.rate_limit, count(m.id) AS members FROM organizations o
    LEFT JOIN members m ON m.organization_id = o.id AND m.deleted_at IS NULL
    WHERE o.deleted_at IS NULL GROUP BY o.id ORDER BY o.id
"""
SET_LIMIT = """
    UPDATE organizations SET rate_limit = $2, updated_at = $3, version = version + 1
    WHERE id = $1 AND deleted_at IS NULL RETURNING name
"""


@dataclass(frozen=True)
class Wish:
    """What the operator asks for. `wants_key`: the owner gets an API key at once, before they have accepted."""

    name: str
    owner_email: str
    timezone: str = "UTC"
    currency: str = "USD"
    rate_limit: str | None = None
    wants_key: bool = False


@dataclass(frozen=True)
class Founded:
    """The new organization. `link` is the owner's invitation; `mail_is_sent` says that a worker mails it as well."""

    id: int
    link: str
    expires_at: str
    mail_is_sent: bool
    api_key: str | None


async def found(door: Door, wish: Wish) -> Founded:
    """All of it in one transaction. Raises `Invalid` naming what is wrong."""
    name, email, timezone, currency = _checked(wish)
    now = door.clock.now()
    async with door.database.system() as tx, tx.transaction():
        organization_id = await tx.fetchval(ADD, name, timezone, currency, wish.rate_limit, now)
        operator = Caller(organization_id, None, Role.system)
        await add_starting_rows(door, operator, tx)
        # Before the owner is a member, whom nobody invites.
        answer = await door.call(operator, PATH, "create", data={"email": email, "role": "owner"}, tx=tx)
        key: str | None = None
        if wish.wants_key:
            user_id = await tx.fetchval(FIND_USER, email) or await tx.fetchval(ADD_USER, email, now)
            await tx.execute(ADD_MEMBER, organization_id, user_id, now)
            owner = Caller(organization_id, user_id, Role.owner)
            made = await door.call(owner, "api-keys", "create", data={"name": "First key"}, tx=tx)
            key = str(made.value["key"])
    invite = answer.value
    return Founded(organization_id, str(invite["link"]), str(invite["expires_at"]), door.mail.is_on, key)


async def list_all(door: Door) -> list[tuple[int, str, str | None, int]]:
    """Id, name, own rate limit and number of members of each organization."""
    async with door.database.system() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in await connection.fetch(LIST)]


async def set_limit(door: Door, organization_id: int, limit: str | None) -> str | None:
    """Give an organization a rate limit of its own; None is the installation's. Returns its name, or None."""
    async with door.database.system() as connection:
        return cast("str | None", await connection.fetchval(SET_LIMIT, organization_id, limit, door.clock.now()))


def _checked(wish: Wish) -> tuple[Plain, ...]:
    faults, values = [], []
    for resource, field, value in (
        (organizations, "name", wish.name.strip() or None),
        (invites, "email", wish.owner_email),
        (organizations, "timezone", wish.timezone),
        (organizations, "currency", wish.currency),
    ):
        try:
            values.append(resource.by_name[field].accept(value))
        except Wrong as wrong:
            faults.append(wrong.at(field))
    if faults:
        raise Invalid(faults)
    return tuple(values)
