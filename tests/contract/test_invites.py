"""Invitations: who may invite whom, what the token opens, and what it never opens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, PASSWORD, THEIRS, USER, World, email_of

PATH = "/organizations-users-invites"
NEW = {"first_name": "Marta", "last_name": "Ruiz", "password": "ten letters at least"}


async def invite(world: World, email: str = "marta@example.com", role: str = "member", by: Role = Role.admin) -> str:
    async with world.client(by) as client:
        answer = await client.post(PATH, json={"email": email, "role": role, "organization_id": OURS})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def accept(world: World, token: str, headers: Mapping[str, str] | None = None, **body: object) -> httpx.Response:
    async with world.client(None, **(headers or {})) as client:
        return await client.post(f"{PATH}-accept", json={"token": token, **body})


async def log_in(world: World, email: str, password: str = PASSWORD) -> httpx.Response:
    async with world.client(None) as client:
        return await client.post("/authentication", json={"strategy": "local", "email": email, "password": password})


async def run(world: World, sql: str, *arguments: object) -> None:
    async with world.database.system() as connection:
        await connection.execute(sql, *arguments)


async def test_the_answer_has_the_published_members_and_the_token_once(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = await client.post(PATH, json={"email": "marta@example.com", "role": "member"})
        read = await client.get(f"{PATH}/{made.json()['id']}")
        listed = await client.get(PATH)
    body = made.json()
    assert {"id", "organization_id", "email", "created_by_user_id", "role", "status", "token", "expires_at"} <= set(
        body
    )
    assert body["status"] == "pending"
    assert body["organization"] == {"id": OURS, "name": "Ours"}
    assert body["created_by_user"]["email"] == email_of(Role.admin)
    assert body["link"].endswith(f"/invites#{body['token']}")
    assert "FRONTDESK_SMTP_URL" in body["warning"]
    for other in (read, listed):
        assert body["token"] not in other.text
        assert "hash" not in other.text


async def test_only_the_hash_of_a_token_is_stored(world: World) -> None:
    token = await invite(world)
    async with world.database.system() as connection:
        stored = str(await connection.fetchrow("SELECT * FROM organizations_users_invites"))
        told = str(await connection.fetch("SELECT data FROM events"))
    assert token not in stored + told
    assert "token_hash" not in told


async def test_a_new_person_becomes_a_member_and_logs_in(world: World) -> None:
    token = await invite(world, role="admin")
    answer = await accept(world, token, **NEW)
    assert answer.status_code == 201
    assert answer.json()["organization"] == {"id": OURS, "name": "Ours"}
    assert (await log_in(world, "marta@example.com", NEW["password"])).status_code == 201
    async with world.client(Role.owner) as client:
        members = (await client.get("/members?role=admin")).json()["data"]
        invites = (await client.get(PATH)).json()["data"]
    assert "Marta" in [member["user"]["first_name"] for member in members]
    assert (invites[0]["status"], invites[0]["accepted_by_user_id"]) == ("accepted", answer.json()["user_id"])


async def test_a_token_is_good_for_one_time(world: World) -> None:
    token = await invite(world)
    assert (await accept(world, token, **NEW)).status_code == 201
    again = await accept(world, token, **NEW)
    assert (again.status_code, again.json()["data"]) == (409, {"status": "accepted"})


async def test_two_at_once_make_one_member(world: World) -> None:
    token = await invite(world)
    answers = await asyncio.gather(*(accept(world, token, **NEW) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    async with world.database.system() as connection:
        assert await connection.fetchval("SELECT count(*) FROM users WHERE email = 'marta@example.com'") == 1


async def test_an_existing_login_proves_its_password(world: World) -> None:
    email = email_of(Role.member, THEIRS)
    token = await invite(world, email)
    for body in ({}, {"password": "wrong"}, {**NEW, "password": "stolen token, new password"}):
        assert (await accept(world, token, **body)).status_code in (400, 401)
    assert (await accept(world, token, password=PASSWORD)).status_code == 201
    assert (await log_in(world, email)).status_code == 201


async def test_guessing_that_password_is_slowed_down(world: World) -> None:
    token = await invite(world, email_of(Role.member, THEIRS))
    answers = [await accept(world, token, password="wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert (await log_in(world, email_of(Role.member, THEIRS))).status_code == 429


async def test_a_login_of_another_organization_accepts_with_its_own_token(world: World) -> None:
    email = email_of(Role.member, THEIRS)
    bearer = {"authorization": f"Bearer {(await log_in(world, email)).json()['accessToken']}"}
    token = await invite(world, email, "admin")
    assert (await accept(world, token, bearer)).status_code == 201
    async with world.client(None, **bearer) as client:
        names = [row["name"] for row in (await client.get("/organizations")).json()["data"]]
        assert (await client.get(f"/api-keys?organization_id={OURS}")).status_code == 200
        assert (await client.get(f"/api-keys?organization_id={THEIRS}")).status_code == 403
    assert names == ["Ours", "Theirs"]


async def test_somebody_elses_login_accepts_nothing(world: World) -> None:
    bearer = {"authorization": f"Bearer {(await log_in(world, email_of(Role.owner, THEIRS))).json()['accessToken']}"}
    token = await invite(world)
    assert (await accept(world, token, bearer, **NEW)).status_code == 403
    assert (await accept(world, token, {"authorization": "Bearer x.y.z"}, **NEW)).status_code == 401
    assert (await accept(world, token, **NEW)).status_code == 201


async def test_an_invitation_gives_no_password_to_a_login_of_others(world: World) -> None:
    await run(world, USER, "silent@example.com", None)
    await run(
        world,
        "INSERT INTO members (organization_id, user_id, role, created_at, updated_at)"
        " SELECT 2, id, 'owner', now(), now() FROM users WHERE email = 'silent@example.com'",
    )
    token = await invite(world, "silent@example.com")
    assert (await accept(world, token, **NEW)).status_code == 403
    assert (await log_in(world, "silent@example.com", NEW["password"])).status_code == 401


async def test_a_login_without_a_password_of_nobody_else_gets_one(world: World) -> None:
    await run(world, USER, "marta@example.com", None)
    assert (await accept(world, await invite(world), **NEW)).status_code == 201
    assert (await log_in(world, "marta@example.com", NEW["password"])).status_code == 201


@pytest.mark.parametrize("role", ["admin", "owner"])
async def test_nobody_invites_above_their_own_role(world: World, role: str) -> None:
    async with world.client(Role.member) as client:
        assert (await client.post(PATH, json={"email": "a@example.com", "role": role})).status_code == 403
    async with world.client(Role.admin) as client:
        answer = await client.post(PATH, json={"email": "a@example.com", "role": role})
    assert answer.status_code == (403 if role == "owner" else 201)


@pytest.mark.parametrize(
    "change", ["UPDATE members SET role = 'member'", "UPDATE members SET deleted_at = now()"], ids=["demoted", "left"]
)
async def test_who_lost_the_right_has_invited_nobody(world: World, change: str) -> None:
    token = await invite(world, role="admin")
    await run(world, f"{change} WHERE organization_id = 1 AND user_id = $1", world.users[(Role.admin, OURS)])
    answer = await accept(world, token, **NEW)
    assert (answer.status_code, "may not give this role" in answer.json()["message"]) == (409, True)


async def test_a_member_and_an_invited_address_are_not_invited_again(world: World) -> None:
    await invite(world, "Marta@example.com")
    async with world.client(Role.admin) as client:
        twice = await client.post(PATH, json={"email": "marta@Example.com", "role": "member"})
        member = await client.post(PATH, json={"email": email_of(Role.owner).upper(), "role": "member"})
    assert (twice.status_code, set(twice.json()["errors"])) == (409, {"email"})
    assert (member.status_code, set(member.json()["errors"])) == (409, {"email"})


async def test_a_revoked_invitation_opens_nothing(world: World) -> None:
    token = await invite(world)
    async with world.client(Role.admin) as client:
        one = (await client.get(PATH)).json()["data"][0]["id"]
        assert (await client.delete(f"{PATH}/{one}")).json()["status"] == "revoked"
        shown = (await client.get(f"{PATH}?deleted_at[$ne]=null")).json()["data"]
    answer = await accept(world, token, **NEW)
    assert (answer.status_code, answer.json()["data"]) == (409, {"status": "revoked"})
    assert [row["status"] for row in shown] == ["revoked"]


async def test_an_accepted_one_is_not_revoked(world: World) -> None:
    await accept(world, await invite(world), **NEW)
    async with world.client(Role.admin) as client:
        one = (await client.get(PATH)).json()["data"][0]["id"]
        assert (await client.delete(f"{PATH}/{one}")).status_code == 409


async def test_an_invitation_ends_after_a_day(world: World) -> None:
    token = await invite(world)
    async with world.client(Role.admin) as client:
        made = (await client.get(PATH)).json()["data"][0]
    assert made["expires_at"][8:10] != made["created_at"][8:10]
    await run(world, "UPDATE organizations_users_invites SET expires_at = now() - interval '1 second'")
    answer = await accept(world, token, **NEW)
    assert (answer.status_code, answer.json()["data"]) == (409, {"status": "expired"})
    async with world.client(Role.admin) as client:
        assert (await client.get(f"{PATH}?status=expired")).json()["total"] == 1
        assert (await client.get(f"{PATH}?status=pending")).json()["total"] == 0
    await invite(world)  # the address is free again


async def test_sending_again_makes_a_new_token_and_ends_the_old_one(world: World) -> None:
    old = await invite(world)
    await run(world, "UPDATE organizations_users_invites SET expires_at = now() - interval '1 second'")
    async with world.client(Role.admin) as client:
        one = (await client.get(PATH)).json()["data"][0]["id"]
        again = await client.post(f"{PATH}-resend", json={"invite_id": one})
    assert (again.status_code, again.json()["status"], again.json()["id"]) == (201, "pending", one)
    assert (await accept(world, old, **NEW)).status_code == 404
    assert (await accept(world, again.json()["token"], **NEW)).status_code == 201
    async with world.client(Role.admin) as client:
        assert (await client.post(f"{PATH}-resend", json={"invite_id": one})).status_code == 409


async def test_sending_again_minds_rights_and_tenants(world: World) -> None:
    theirs = await world.row("organizations-users-invites", THEIRS)
    await invite(world, role="owner", by=Role.owner)
    async with world.client(Role.admin) as client:
        ours = (await client.get(PATH)).json()["data"][0]["id"]
        assert (await client.post(f"{PATH}-resend", json={"invite_id": theirs})).status_code == 400
        assert (await client.post(f"{PATH}-resend", json={"invite_id": ours})).status_code == 403


async def test_the_page_learns_who_invites_as_what(world: World) -> None:
    token = await invite(world)
    async with world.client(None) as client:
        said = (await client.post(f"{PATH}-lookup", json={"token": token})).json()
        missing = await client.post(f"{PATH}-lookup", json={"token": "fdi_x"})
    assert said["organization"] == {"id": OURS, "name": "Ours"}
    assert (said["email"], said["role"], said["has_login"]) == ("marta@example.com", "member", False)
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"token"}), ({"token": 1}, {"token"}), ({"token": "x" * 201}, {"token"}), ({"token": None}, {"token"}),
        ({"token": "x", "shoe_size": 43}, {"shoe_size"}), ({"token": "x", "first_name": 5}, {"first_name"}),
        ({"token": "x", "first_name": "a\x00b", "last_name": "x" * 121}, {"first_name", "last_name"}),
    ],
)  # fmt: skip
async def test_each_fault_of_a_body_is_named(world: World, body: dict[str, object], fields: set[str]) -> None:
    async with world.client(None) as client:
        answer = await client.post(f"{PATH}-accept", json=body)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == fields


async def test_a_new_login_needs_a_name_and_a_password(world: World) -> None:
    answer = await accept(world, await invite(world), password="short")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"first_name", "password"})


async def test_the_page_and_its_files_are_safe_and_the_token_is_not_in_its_address(world: World) -> None:
    async with world.client(None) as client:
        page = await client.get("/invites")
        files = [await client.get(f"/invites/{name}") for name in ("page.js", "page.css")]
        wrong = [await client.get(f"/invites/{name}") for name in ("fdi_token", "..%2Finvites.py", "index.txt")]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert [answer.status_code for answer in (*files, *wrong)] == [200, 200, 404, 404, 404]


@pytest.mark.parametrize("email", ["", "x", "a@b@c", "a@example.com\nBcc: b@example.com", 5, None])
async def test_only_addresses_are_invited(world: World, email: object) -> None:
    async with world.client(Role.admin) as client:
        answer = await client.post(PATH, json={"email": email, "role": "member"})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"email"})


async def test_an_admin_gets_at_no_owners_login_by_an_invitation(world: World) -> None:
    token = await invite(world)
    async with world.client(Role.owner) as client:
        added = await client.post("/members", json={"email": "marta@example.com", "role": "owner"})
    assert added.status_code == 201
    assert (await accept(world, token, **NEW)).status_code == 403
    assert (await log_in(world, "marta@example.com", NEW["password"])).status_code == 401
