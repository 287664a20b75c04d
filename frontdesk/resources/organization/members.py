"""Members: which user has which role in the organization. Nobody grants a role above their own."""

from __future__ import annotations

from typing import cast

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Table, exists, func, select

from frontdesk.assistants.departed import release_open
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import BadRequest, Conflict, Fault, Forbidden, Invalid, Json
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_email
from frontdesk.core.resource import Filter, Resource, Rights

from .passwords import hash_password
from .users import users

ADD_USER = """
    INSERT INTO users (email, first_name, last_name, password_hash, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (lower(email)) DO NOTHING RETURNING id
"""
FIND_OUR_USER = """
    SELECT u.id FROM users u
    WHERE lower(u.email) = lower($1)
        AND EXISTS (SELECT FROM members m WHERE m.user_id = u.id AND m.organization_id = $2)
"""
IS_MEMBER = "SELECT 1 FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"
# Two owners who remove each other at once would each count the other one.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('owners'), $1)"
OTHER_OWNERS = """
    SELECT count(*) FROM members
    WHERE organization_id = $1 AND id <> $2 AND role = 'owner' AND deleted_at IS NULL
"""


def _user(source: FromClause) -> ScalarSelect[object]:
    row = func.json_build_object(
        "id", users.c.id, "email", users.c.email, "first_name", users.c.first_name, "last_name", users.c.last_name
    )
    return select(row).where(users.c.id == source.c.user_id).correlate(source).scalar_subquery()


def _has_words(table: Table, term: ColumnElement[object]) -> ColumnElement[bool]:
    """People whose name or address has the words in this order. An organization has few enough to look at each."""
    shown = func.frontdesk_fold(func.concat_ws(" ", users.c.first_name, users.c.last_name, users.c.email))
    found = func.strpos(shown, func.frontdesk_fold(func.trim(term))) > 0
    return exists(select(users.c.id).where(users.c.id == table.c.user_id, found))


def _refuse_others(call: Call) -> None:
    """Everybody says for themselves whether they are there; the rest of a member is an admin's."""
    if call.caller.role >= Role.admin or call.verb != "patch":
        return
    assert call.before is not None
    is_own = call.caller.user_id is not None and call.before["user_id"] == call.caller.user_id
    changed = [name for name, value in call.data.items() if call.before.get(name) != value]
    if changed and not (is_own and changed == ["is_available"]):
        raise Forbidden("You may change only your own is_available; the rest needs the role admin.")


async def _prepare(call: Call) -> None:
    _refuse_others(call)
    wanted = call.data.get("role")
    held = call.before.get("role") if call.before else None
    for role in (wanted, held):
        if role is not None and Role[str(role)] > call.caller.role:
            raise Forbidden(f"You are {call.caller.role.name}; the role {role} is above yours.")
    loses_owner = held == "owner" and (call.verb == "remove" or wanted not in (None, "owner"))
    if loses_owner:
        await call.connection.execute(LOCK, call.organization_id)
    if loses_owner and not await call.connection.fetchval(OTHER_OWNERS, call.organization_id, call.id):
        raise BadRequest("An organization keeps at least one owner.", errors={"role": "is the last owner"})
    if call.verb == "create":
        await _find_or_make_user(call)
    if call.verb == "remove":
        await _leave_teams(call)
        assert call.before is not None
        user_id = cast(int, call.before["user_id"])
        await release_open(call.connection, call.organization_id, user_id, call.door.clock.now())


async def _leave_teams(call: Call) -> None:
    """A team never has a user who may not see what it works on."""
    assert call.before is not None
    query = {"user_id": call.before["user_id"], "$limit": 50, "$select": ["id"]}
    while rows := (await call.call("team-members", "find", query=query)).value["data"]:
        for row in rows:  # type: ignore[union-attr]
            await call.call("team-members", "remove", id=row["id"])  # type: ignore[index,call-overload,arg-type]


async def _find_or_make_user(call: Call) -> None:
    data = call.data
    password = data.get("password")
    if password is not None and len(str(password)) < 10:
        raise Invalid([Fault("password", "minLength", "must have at least 10 characters", limit=10)])
    hashed = hash_password(str(password)) if password else None
    now = call.door.clock.now()
    # Users belong to the installation, so the system role finds or makes them.
    async with call.door.database.system() as connection:
        found = await connection.fetchval(
            ADD_USER, data["email"], data.get("first_name"), data.get("last_name"), hashed, now
        ) or await connection.fetchval(FIND_OUR_USER, data["email"], call.organization_id)
    if found is None:
        # Whoever set that login's password elsewhere would be let in here: only the person can say yes.
        message = "already has a login in another organization, and has to be invited"
        raise Conflict(f"The address {message}.", errors={"email": message})
    if await call.connection.fetchval(IS_MEMBER, call.organization_id, found):
        message = "is a member of the organization already"
        raise Conflict(f"The address {message}.", errors={"email": message})
    data["user_id"] = found


PERSON: tuple[Field, ...] = (
    Field(
        "email",
        is_required=True,
        is_nullable=False,
        write="create",
        max_length=254,
        check=check_email,
        example="marta@example.com",
    ),
    Field("first_name", write="create", max_length=120),
    Field("last_name", write="create", max_length=120),
    Field("password", write="create", max_length=200, is_secret=True),
)
_EXAMPLE: Json = "member"

members = Resource(
    path="members",
    singular="member",
    area="organization",
    description="Users of the organization and their roles.",
    rights=Rights(write=Role.admin, patch=Role.member),
    has_author=False,
    fields=(
        Field("user_id", "integer", is_nullable=False, references="users", is_global_reference=True, write="never"),
        Field(
            "role", is_required=True, is_nullable=False, choices=("member", "admin", "owner"), example=_EXAMPLE,
            description="member: CRM, messaging, tickets; admin: also settings; owner: also the organization.",
        ),
        Field(
            "is_available", "boolean", is_nullable=False, default=True,
            description="Whether hand-offs reach this person now. Everybody may change their own.",
        ),
    ),
    extra_input=PERSON,
    joins={"user": _user},
    filters={"searchTerm": Filter("text", _has_words, "Part of a name or an e-mail address.")},
    unique=(("user_id",),),
    prepare=_prepare,
)  # fmt: skip
