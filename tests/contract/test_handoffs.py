"""Hand-offs over HTTP: what they name is checked, who is there says so, and the record is read only."""

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.contract.test_portable_assistants import applied, written
from tests.world import OURS, THEIRS, World

PEOPLE, OTHERS = "human_handoff_config.target", "ai_assistant_handoff_config.targets"


async def assistant(world: World, name: str = "Eva", **fields: Json) -> dict[str, Json]:
    async with world.client(Role.admin) as client:
        models = (await client.get("/ai-models")).json()["data"]
        body = {"name": name, "assistant_type": "conversation", "ai_model_id": models[0]["id"], **fields}
        answer = await client.post("/ai-assistants", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def change(world: World, id: Json, **fields: Json) -> tuple[int, dict[str, Json]]:
    async with world.client(Role.admin) as client:
        answer = await client.patch(f"/ai-assistants/{id}", json=fields)
    return answer.status_code, answer.json()


async def team(world: World, *members: int, organization_id: int = OURS) -> int:
    async with world.client(Role.admin, organization_id) as client:
        id = (await client.post("/teams", json={"name": "Desk"})).json()["id"]
        for user_id in members:
            await client.post("/team-members", json={"team_id": id, "user_id": user_id})
    return int(id)


def people(**target: Json) -> Json:
    return {"enabled": True, "rules": [{"id": "r1", "type": "customer_request"}], "target": target}


def codes(body: dict[str, Json]) -> set[tuple[Json, Json]]:
    return {(w["field"], w["code"]) for w in body["warnings"]}  # type: ignore[union-attr,index,call-overload]


async def test_users_are_members_of_the_organization(world: World) -> None:
    eva, ours, theirs = await assistant(world), world.users[Role.member, OURS], world.users[Role.member, THEIRS]
    status, body = await change(world, eva["id"], human_handoff_config=people(type="user", user_ids=[ours, theirs]))
    assert (status, list(body["errors"])) == (400, [f"{PEOPLE}.user_ids.1"])
    status, body = await change(world, eva["id"], human_handoff_config=people(type="user", user_ids=[ours]))
    assert (status, body["human_handoff_config"]["target"]["user_ids"]) == (200, [ours])  # type: ignore[index,call-overload]


async def test_a_team_of_somebody_else_is_none(world: World) -> None:
    eva, theirs = await assistant(world), await team(world, organization_id=THEIRS)
    status, body = await change(world, eva["id"], human_handoff_config=people(type="team", team_id=theirs))
    assert (status, list(body["errors"])) == (400, [f"{PEOPLE}.team_id"])


async def test_an_empty_team_and_who_has_left_are_told(world: World) -> None:
    eva, empty, gone = await assistant(world), await team(world), world.users[Role.member, OURS]
    _, body = await change(world, eva["id"], human_handoff_config=people(type="team", team_id=empty))
    assert (f"{PEOPLE}.team_id", "team_empty") in codes(body)
    async with world.client(Role.owner) as client:
        (row,) = [m for m in (await client.get("/members")).json()["data"] if m["user_id"] == gone]
        await client.delete(f"/members/{row['id']}")
        await client.delete(f"/teams/{empty}")
    _, body = await change(world, eva["id"], human_handoff_config=people(type="user", user_ids=[gone]))
    assert (f"{PEOPLE}.user_ids.0", "user_gone") in codes(body)
    _, body = await change(world, eva["id"], human_handoff_config=people(type="team", team_id=empty))
    assert (f"{PEOPLE}.team_id", "team_deleted") in codes(body)


def passes_on(*ids: Json) -> Json:
    return {"enabled": True, "targets": [{"assistant_id": id, "when": "invoices"} for id in ids]}


async def test_other_assistants_are_of_the_same_type_and_not_itself(world: World) -> None:
    eva, tickets = await assistant(world), await assistant(world, "Tom", assistant_type="support-ticket")
    targets = passes_on(eva["id"], tickets["id"], 999_999)
    status, body = await change(world, eva["id"], ai_assistant_handoff_config=targets)
    assert (status, sorted(body["errors"])) == (400, [f"{OTHERS}.{i}.assistant_id" for i in range(3)])


async def test_a_cycle_is_told_by_its_names(world: World) -> None:
    eva, ben = await assistant(world), await assistant(world, "Ben")
    status, body = await change(world, eva["id"], ai_assistant_handoff_config=passes_on(ben["id"]))
    assert (status, codes(body) & {(OTHERS, "handoff_cycle")}) == (200, set())
    status, body = await change(world, ben["id"], ai_assistant_handoff_config=passes_on(eva["id"]))
    assert (OTHERS, "handoff_cycle") in codes(body)
    assert "Ben → Eva → Ben" in str(body["warnings"])


async def test_everybody_says_for_themselves_whether_they_are_there(world: World) -> None:
    async with world.client(Role.admin) as client:
        rows = {row["user_id"]: row for row in (await client.get("/members")).json()["data"]}
    own, other = rows[world.users[Role.member, OURS]], rows[world.users[Role.owner, OURS]]
    assert own["is_available"] is True
    async with world.client(Role.member) as client:
        mine = await client.patch(f"/members/{own['id']}", json={"is_available": False})
        theirs = await client.patch(f"/members/{other['id']}", json={"is_available": False})
        role = await client.patch(f"/members/{own['id']}", json={"role": "admin"})
    assert (mine.status_code, mine.json()["is_available"]) == (200, False)
    assert (theirs.status_code, role.status_code) == (403, 403)
    async with world.client(Role.admin) as client:
        assert (await client.patch(f"/members/{own['id']}", json={"is_available": True})).status_code == 200


async def test_hand_offs_are_read_only(world: World) -> None:
    async with world.client(Role.owner) as client:
        assert (await client.get("/ai-handoffs")).json()["data"] == []
        assert (await client.post("/ai-handoffs", json={})).status_code == 405


@pytest.mark.parametrize("member", ["assigned_team_id"])
async def test_a_team_is_named_on_a_ticket(world: World, member: str) -> None:
    desk = await team(world)
    async with world.client(Role.member) as client:
        contact = (await client.post("/contacts", json={"first_name": "Ana"})).json()["id"]
        ticket = (await client.post("/support-tickets", json={"subject": "x", "contact_id": contact})).json()["id"]
        taken = await client.patch(f"/support-tickets/{ticket}", json={member: desk})
        found = (await client.get(f"/support-tickets?{member}={desk}")).json()["data"]
    assert (taken.status_code, taken.json()[member]) == (200, desk)
    assert [row["id"] for row in found] == [ticket]


async def test_in_a_file_people_teams_and_assistants_stand_by_name(world: World) -> None:
    ben, desk = await assistant(world, "Ben"), await team(world)
    eva = await assistant(world)
    target = {"type": "user", "user_ids": [world.users[Role.member, OURS]], "team_id": desk}
    await change(
        world, eva["id"], human_handoff_config=people(**target),  # type: ignore[arg-type]
        ai_assistant_handoff_config=passes_on(ben["id"]),
    )  # fmt: skip
    text = await written(world, int(str(eva["id"])))
    assert "user_emails:\n      - member1@example.com" in text
    assert "team_name: Desk" in text
    assert "assistant_name: Ben" in text
    assert await applied(world, text.replace("name: Eva", "name: Eve")) != eva["id"]
    async with world.client(Role.admin) as client:
        (eve,) = (await client.get("/ai-assistants?name=Eve")).json()["data"]
    _, now = await change(world, eva["id"])
    for name in ("human_handoff_config", "ai_assistant_handoff_config"):
        assert eve[name] == now[name]


async def test_a_restore_brings_the_rules_back(world: World) -> None:
    eva = await assistant(world, human_handoff_config=people())
    await change(world, eva["id"], human_handoff_config=None)
    async with world.client(Role.admin) as client:
        history = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva['id']}")).json()["data"]
        first = min(entry["id"] for entry in history)
        body = {"change_history_id": first}
        back = await client.post("/ai-assistants-restore-from-changes-history", json=body)
    assert back.json()["human_handoff_config"]["rules"] == [{"id": "r1", "type": "customer_request"}]
