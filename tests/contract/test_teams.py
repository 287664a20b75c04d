"""Teams and who is in them."""

from __future__ import annotations

import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, THEIRS, World


async def test_a_team_has_members(world: World) -> None:
    user = world.users[(Role.member, OURS)]
    async with world.client(Role.admin) as client:
        team = (await client.post("/teams", json={"name": "Front office"})).json()
        assert team["members"] == []
        made = (await client.post("/team-members", json={"team_id": team["id"], "user_id": user})).json()
        assert made["user"] == {"id": user, "email": "member1@example.com", "first_name": None, "last_name": None}
        read = (await client.get(f"/teams/{team['id']}")).json()
        assert read["members"] == [{"id": made["id"], "user_id": user}]
        assert (await client.get(f"/team-members?user_id={user}")).json()["total"] == 1
        await client.delete(f"/teams/{team['id']}")
        assert (await client.get("/team-members")).json()["total"] == 0


async def test_nobody_is_in_a_team_twice(world: World) -> None:
    async with world.client() as client:
        body = {"team_id": await world.row("teams"), "user_id": world.users[(Role.member, OURS)]}
        assert (await client.post("/team-members", json=body)).status_code == 201
        assert (await client.post("/team-members", json=body)).json()["errors"] == {"user_id": "is taken"}


@pytest.mark.parametrize("organization_id", [THEIRS, None])
async def test_only_a_member_of_the_organization_can_be_in_a_team(world: World, organization_id: int | None) -> None:
    stranger = world.users[(Role.member, organization_id)] if organization_id else 999_999
    async with world.client() as client:
        body = {"team_id": await world.row("teams"), "user_id": stranger}
        answer = await client.post("/team-members", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["user_id"])


async def test_who_leaves_the_organization_leaves_its_teams(world: World) -> None:
    user = world.users[(Role.member, OURS)]
    async with world.client() as client:
        await client.post("/team-members", json={"team_id": await world.row("teams"), "user_id": user})
        member = (await client.get(f"/members?user_id={user}")).json()["data"][0]["id"]
        assert (await client.delete(f"/members/{member}")).status_code == 200
        assert (await client.get("/team-members")).json()["total"] == 0


async def test_a_team_of_another_organization_has_no_room(world: World) -> None:
    async with world.client() as client:
        body = {"team_id": await world.row("teams", THEIRS), "user_id": world.users[(Role.member, OURS)]}
        answer = await client.post("/team-members", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["team_id"])
