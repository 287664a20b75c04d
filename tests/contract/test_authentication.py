"""Logging in, renewing, logging out, and keys: what opens the API and what stops opening it."""

from __future__ import annotations

import asyncio

from frontdesk.core.caller import Role
from tests.world import OURS, PASSWORD, THEIRS, World, email_of

LOCAL = {"strategy": "local", "email": email_of(Role.admin), "password": PASSWORD}


async def token_of(world: World, **body: str) -> str:
    async with world.client(None) as client:
        return str((await client.post("/authentication", json={**LOCAL, **body})).json()["accessToken"])


async def test_a_login_opens_the_api_until_it_ends(world: World) -> None:
    token = await token_of(world)
    async with world.client(None, authorization=f"Bearer {token}") as client:
        assert (await client.get("/contacts")).status_code == 200
        assert (await client.delete("/authentication")).status_code == 200
        ended = await client.get("/contacts")
    assert ended.status_code == 401
    assert "Log in again" in ended.json()["message"]


async def test_the_answer_has_the_published_shape(world: World) -> None:
    async with world.client(None) as client:
        answer = await client.post("/authentication", json=LOCAL)
    body = answer.json()
    assert answer.status_code == 201
    assert body["authentication"] == {"strategy": "local"}
    assert set(body["user"]) == {"id", "email", "name", "avatar", "createdAt", "updatedAt"}


async def test_a_token_renews(world: World) -> None:
    token = await token_of(world)
    async with world.client(None) as client:
        answer = await client.post("/authentication", json={"strategy": "jwt", "accessToken": token})
    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == LOCAL["email"]


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(world: World) -> None:
    async with world.client(None) as client:
        wrong = await client.post("/authentication", json={**LOCAL, "password": "wrong"})
        unknown = await client.post("/authentication", json={**LOCAL, "email": "nobody@example.com"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_guessing_passwords_is_slowed_down(world: World) -> None:
    async with world.client(None) as client:
        answers = [await client.post("/authentication", json={**LOCAL, "password": "no"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_login_in_two_organizations_chooses(world: World) -> None:
    user = world.users[(Role.admin, OURS)]
    async with world.database.system() as connection:
        await connection.execute(
            "INSERT INTO members (organization_id, user_id, role, created_at, updated_at)"
            " VALUES ($1, $2, 'member', now(), now())", THEIRS, user,
        )  # fmt: skip
    token = await token_of(world)
    async with world.client(None, authorization=f"Bearer {token}") as client:
        assert (await client.get("/contacts")).status_code == 400
        assert [row["name"] for row in (await client.get("/organizations")).json()["data"]] == ["Ours", "Theirs"]
        assert (await client.get("/organizations?searchTerm=theirs")).json()["total"] == 1
        assert (await client.get(f"/organizations/{THEIRS}")).status_code == 200
        assert (await client.get(f"/contacts?organization_id={THEIRS}")).status_code == 200
        assert (await client.get(f"/api-keys?organization_id={OURS}")).status_code == 200
        assert (await client.get(f"/api-keys?organization_id={THEIRS}")).status_code == 403
        assert (await client.get("/contacts?organization_id=77")).status_code == 403


async def test_a_key_is_shown_once_and_ends_when_it_is_removed(world: World) -> None:
    async with world.client(Role.admin) as client:
        made = (await client.post("/api-keys", json={"name": "Website"})).json()
        listed = (await client.get("/api-keys")).text
    assert made["key"].startswith("fd_")
    assert made["key"] not in listed
    async with world.client(None, **{"x-api-key": made["key"]}) as client:
        assert (await client.get("/contacts")).status_code == 200
    async with world.client(Role.admin) as client:
        await client.delete(f"/api-keys/{made['id']}")
    async with world.client(None, **{"x-api-key": made["key"]}) as client:
        assert (await client.get("/contacts")).status_code == 401


async def test_nobody_grants_a_role_above_their_own(world: World) -> None:
    body = {"email": "new@example.com", "role": "owner"}
    async with world.client(Role.admin) as client:
        refused = await client.post("/members", json=body)
        granted = await client.post("/members", json={**body, "role": "admin"})
    assert refused.status_code == 403
    assert granted.status_code == 201
    assert granted.json()["user"]["email"] == "new@example.com"


async def test_the_last_owner_stays(world: World) -> None:
    async with world.client(Role.owner) as client:
        owner = (await client.get("/members?role=owner")).json()["data"][0]["id"]
        demoted = await client.patch(f"/members/{owner}", json={"role": "member"})
        removed = await client.delete(f"/members/{owner}")
    assert demoted.status_code == removed.status_code == 400
    assert "at least one owner" in demoted.json()["message"]


async def test_two_owners_who_remove_each_other_at_once_leave_one(world: World) -> None:
    async with world.client(Role.owner) as client:
        first = (await client.get("/members?role=owner")).json()["data"][0]["id"]
        second = (await client.post("/members", json={"email": "second@example.com", "role": "owner"})).json()["id"]
        answers = await asyncio.gather(
            client.patch(f"/members/{first}", json={"role": "member"}), client.delete(f"/members/{second}")
        )
    async with world.client(Role.admin) as client:
        assert (await client.get("/members?role=owner&$limit=0")).json()["total"] == 1
    assert sorted(answer.status_code for answer in answers) in ([200, 400], [200, 403])


async def test_a_login_of_another_organization_is_not_added_without_its_person(world: World) -> None:
    theirs = {"email": email_of(Role.admin, THEIRS), "role": "member", "password": "set by somebody else"}
    async with world.client(Role.owner) as client:
        refused = await client.post("/members", json=theirs)
    assert refused.status_code == 409
    assert refused.json()["errors"] == {"email": "already has a login in another organization, and has to be invited"}


async def test_a_member_who_left_can_come_back(world: World) -> None:
    async with world.client(Role.owner) as client:
        made = (await client.post("/members", json={"email": "new@example.com", "role": "member"})).json()
        await client.delete(f"/members/{made['id']}")
        again = await client.post("/members", json={"email": "new@example.com", "role": "admin"})
    assert again.status_code == 201
    assert again.json()["user_id"] == made["user_id"]


async def test_who_is_a_member_already_is_named_by_the_address(world: World) -> None:
    async with world.client(Role.owner) as client:
        await client.post("/members", json={"email": "new@example.com", "role": "member"})
        again = await client.post("/members", json={"email": "New@example.com", "role": "member"})
    assert again.status_code == 409
    assert again.json()["errors"] == {"email": "is a member of the organization already"}
