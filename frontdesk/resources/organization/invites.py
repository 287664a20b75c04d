"""Invitations of people to the organization: by e-mail, or by a link that is passed on.

The token is in the answer to the creation, once; the database keeps its hash, and until the mail is sent also the token
itself, sealed. Accepting is `invite_acceptance.py`, the mail `invite_mails.py`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Index, text

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Conflict, Fault, Forbidden, Invalid, Json
from frontdesk.core.events import emit
from frontdesk.core.fields import Field, Plain
from frontdesk.core.formats import check_email
from frontdesk.core.jobs import enqueue
from frontdesk.core.joins import joined
from frontdesk.core.resource import Resource, Rights

PATH = "organizations-users-invites"
DOORBELL = "invite-mail"
LIFETIME = timedelta(hours=24)
PREFIX = "fdi_"
NO_MAIL = "No e-mail was sent: this installation has no mail server (FRONTDESK_SMTP_URL). Pass the link on yourself."

IS_MEMBER = """
    SELECT 1 FROM members m JOIN users u ON u.id = m.user_id
    WHERE m.organization_id = $1 AND lower(u.email) = lower($2) AND m.deleted_at IS NULL
"""
# What somebody is changing at this moment is left to them.
EXPIRE = """
    UPDATE organizations_users_invites
    SET status = 'expired', sealed_token = NULL, updated_at = $2, version = version + 1
    WHERE organization_id = $1 AND id IN (
        SELECT id FROM organizations_users_invites
        WHERE organization_id = $1 AND status = 'pending' AND expires_at <= $2 FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""
REVOKE = """
    UPDATE organizations_users_invites SET status = 'revoked', sealed_token = NULL
    WHERE organization_id = $1 AND id = $2 AND status = 'pending'
"""
LOCK = """
    SELECT status, role FROM organizations_users_invites
    WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE
"""
RENEW = """
    UPDATE organizations_users_invites SET status = 'pending', token_hash = $3, sealed_token = $4, expires_at = $5,
        email_status = $6, email_due_at = $7, email_attempts = 0, email_error = NULL, updated_at = $8,
        version = version + 1
    WHERE organization_id = $1 AND id = $2
"""


def hash_token(token: str) -> str:
    """Tokens carry 256 random bits, so one SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def link_to(door: Door, token: str) -> str:
    """The token stands behind the #, which browsers send to no server: it is in no log and in no referrer."""
    return f"{door.mail.base_url}/invites#{token}"


def issue(door: Door, token: str) -> dict[str, Plain]:
    """What the row keeps of a new token."""
    now, is_on = door.clock.now(), door.mail.is_on
    return {
        "status": "pending",
        "token_hash": hash_token(token),
        "sealed_token": door.vault.seal(token) if is_on else None,
        "expires_at": now + LIFETIME,
        "email_status": "queued" if is_on else "off",
        "email_due_at": now if is_on else None,
    }


async def expire(connection: Connection, organization_id: int, now: datetime) -> None:
    """Invitations whose time is over are so in the table too before anybody looks."""
    rows = await connection.fetch(EXPIRE, organization_id, now)
    if rows:
        await emit(connection, organization_id, PATH, "updated", *(row["id"] for row in rows))


def _refuse_above(call: Call, role: str) -> None:
    if Role[role] > call.caller.role:
        raise Forbidden(f"You are {call.caller.role.name}; the role {role} is above yours.")


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        assert call.before is not None
        if call.before["status"] == "accepted":
            raise Conflict("This invitation was accepted; remove the member instead.")
        await call.connection.execute(REVOKE, call.organization_id, call.id)
        return
    _refuse_above(call, str(call.data["role"]))
    if await call.connection.fetchval(IS_MEMBER, call.organization_id, call.data["email"]):
        message = "is a member of the organization already"
        raise Conflict(f"The address {message}.", errors={"email": message})
    token = PREFIX + secrets.token_urlsafe(32)
    call.data |= issue(call.door, token)
    call.extra |= shown(call.door, token)


def shown(door: Door, token: str) -> dict[str, Json]:
    """What only the answer that makes a token tells."""
    said: dict[str, Json] = {"token": token, "link": link_to(door, token)}
    return said if door.mail.is_on else {**said, "warning": NO_MAIL}


async def _finish(call: Call) -> None:
    if call.verb == "create" and call.door.mail.is_on:
        assert call.answer is not None
        await enqueue(call.connection, DOORBELL, call.organization_id, cast(int, call.answer.id))


async def _expire_first(
    door: Door, caller: Caller, query: Mapping[str, object], tx: Connection | None
) -> Mapping[str, object]:
    async with door.database.transaction(caller.organization_id) if tx is None else nullcontext(tx) as connection:
        await expire(connection, caller.organization_id, door.clock.now())
    return query


async def _resend(call: Call) -> Json:
    """A new token, a new day, and the mail once more; the old link is dead."""
    invite_id, door, org = cast(int, call.data["invite_id"]), call.door, call.organization_id
    row = await call.connection.fetchrow(LOCK, org, invite_id)
    if row is None:
        raise Invalid([Fault("invite_id", "reference", f"names no row of {PATH}", id=invite_id)])
    if row["status"] not in ("pending", "expired"):
        raise Conflict(f"This invitation was {row['status']}.")
    _refuse_above(call, row["role"])
    token, now = PREFIX + secrets.token_urlsafe(32), door.clock.now()
    new = issue(door, token)
    kept = [new[name] for name in ("token_hash", "sealed_token", "expires_at", "email_status", "email_due_at")]
    await call.connection.execute(RENEW, org, invite_id, *kept, now)
    await emit(call.connection, org, PATH, "updated", invite_id)
    if door.mail.is_on:
        await enqueue(call.connection, DOORBELL, org, invite_id)
    invite = await call.call(PATH, "get", id=invite_id)
    return {**invite.value, **shown(door, token)}


FIELDS: tuple[Field, ...] = (
    Field(
        "email", is_required=True, is_nullable=False, write="create", max_length=254, check=check_email,
        example="marta@example.com",
    ),
    Field(
        "role", is_required=True, is_nullable=False, write="create", choices=("member", "admin", "owner"),
        example="member", description="What the invited person will be; not above the role of who invites.",
    ),
    Field(
        "status", is_nullable=False, default="pending", write="never",
        choices=("pending", "accepted", "revoked", "expired"),
    ),
    Field("token_hash", is_nullable=False, write="never", is_shown=False),
    Field("sealed_token", write="never", is_shown=False),
    Field("expires_at", "moment", is_nullable=False, write="never"),
    Field("accepted_at", "moment", write="never"),
    Field("accepted_by_user_id", "integer", references="users", is_global_reference=True, write="never"),
    Field(
        "email_status", is_nullable=False, default="off", write="never", choices=("off", "queued", "sent", "failed"),
        description="off: the installation has no mail server.",
    ),
    Field("email_error", write="never", description="Why the last attempt to send the mail did not succeed."),
    Field("email_attempts", "small", is_nullable=False, default=0, write="never", is_shown=False),
    Field("email_due_at", "moment", write="never", is_shown=False),
)  # fmt: skip

invites = Resource(
    path=PATH,
    singular="invitation",
    area="organization",
    description=(
        "Invitations, good for 24 hours. The answer to the creation holds the `token` and the `link`, once; deleting "
        "revokes. `POST /organizations-users-invites-accept` accepts."
    ),
    verbs=("find", "get", "create", "remove"),
    tells={"updated": "An invitation was sent again, was accepted, or ran out."},
    rights=Rights(read=Role.admin, write=Role.admin),
    fields=FIELDS,
    joins={
        "organization": joined("organizations", "organization_id", "id", "name"),
        "created_by_user": joined("users", "created_by_user_id", "id", "email", "first_name", "last_name"),
    },
    unique=(("token_hash",),),
    constraints=(
        Index(
            "uq_organizations_users_invites_email", "organization_id", text("lower(email)"), unique=True,
            postgresql_where=text("status = 'pending' AND deleted_at IS NULL"),
        ),
        Index(
            "ix_organizations_users_invites_email_due_at", "email_due_at",
            postgresql_where=text("email_status = 'queued' AND status = 'pending'"),
        ),
    ),
    rewrite=_expire_first,
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip

invites_resend = Resource(
    path=f"{PATH}-resend",
    singular="invitation",
    area="organization",
    description="Sends an invitation again: a new token for another 24 hours; the old link is dead.",
    of=PATH,
    verbs=("create",),
    rights=Rights(write=Role.admin),
    is_told=False,
    fields=tuple(replace(one, write="never", is_required=False) for one in FIELDS),
    joins=invites.joins,
    extra_input=(
        Field("invite_id", "integer", is_required=True, is_nullable=False, references=PATH, write="create", example=1),
    ),
    handlers={"create": _resend},
)
