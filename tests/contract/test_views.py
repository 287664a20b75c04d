"""Saved views: what may be saved, who sees it, and what it does to the conversations list."""

from __future__ import annotations

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.world import OURS, THEIRS, World

WRONG: list[tuple[dict[str, Json], str]] = [
    ({"shoe_size": 1}, "query.shoe_size"),
    ({"status": {"$like": "o"}}, "query.status"),
    ({"unread_count": {"$gt": "many"}}, "query.unread_count"),
    ({"$sort": {"shoe_size": 1}}, "query.shoe_size"),
    ({"$where": "1"}, "query.$where"),
    ({"$limit": 50}, "query"),
    ({"view_id": 1}, "query"),
    ({"$and": [{"$or": [{"view_id": 1}]}]}, "query"),
]


async def made(world: World, role: Role = Role.owner, organization_id: int = OURS, **fields: Json) -> int:
    async with world.client(role, organization_id) as client:
        answer = await client.post("/views", json={"name": "A view", "query": {}, **fields})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def ids(world: World, query: str, role: Role = Role.owner) -> list[int]:
    async with world.client(role) as client:
        answer = await client.get(f"/conversations?{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


@pytest.mark.parametrize(("query", "path"), WRONG)
async def test_a_query_that_the_list_would_refuse_cannot_be_saved(
    world: World, query: dict[str, Json], path: str
) -> None:
    async with world.client() as client:
        answer = await client.post("/views", json={"name": "A view", "query": query})
    assert answer.status_code == 400
    assert path in answer.json()["errors"]


async def test_a_private_view_exists_for_its_author_alone(world: World) -> None:
    private = await made(world, Role.member, is_shared=False)
    shared = await made(world, Role.member)
    for role, seen in ((Role.member, [private, shared]), (Role.owner, [shared])):
        async with world.client(role) as client:
            assert [row["id"] for row in (await client.get("/views")).json()["data"]] == seen
            is_seen = private in seen
            assert (await client.get(f"/views/{private}")).status_code == (200 if is_seen else 404)
            assert (await client.get(f"/conversations?view_id={private}")).status_code == (200 if is_seen else 400)


async def test_a_member_changes_no_view_of_somebody_else(world: World) -> None:
    theirs, own = await made(world), await made(world, Role.member)
    async with world.client(Role.member) as client:
        assert (await client.patch(f"/views/{theirs}", json={"name": "Mine"})).status_code == 403
        assert (await client.delete(f"/views/{theirs}")).status_code == 403
        assert (await client.patch(f"/views/{own}", json={"name": "Mine"})).status_code == 200
    async with world.client(Role.admin) as client:
        assert (await client.delete(f"/views/{own}")).status_code == 200


async def test_a_new_view_comes_last(world: World) -> None:
    await made(world, position=7)
    last = await made(world)
    async with world.client() as client:
        assert (await client.get(f"/views/{last}")).json()["position"] == 8


async def test_a_view_narrows_the_list_and_given_conditions_narrow_it_further(world: World) -> None:
    unread = await world.row("conversations", unread_count=2)
    await world.row("conversations", unread_count=0)
    closed = await world.row("conversations", unread_count=1, status="closed")
    view = await made(world, query={"unread_count": {"$gt": 0}})
    assert set(await ids(world, f"view_id={view}")) == {unread, closed}
    assert await ids(world, f"view_id={view}&status=closed") == [closed]
    assert await ids(world, f"view_id={view}&unread_count=0") == []
    assert await ids(world, f"view_id={view}&$and[0][status]=open&$or[0][unread_count]=2") == [unread]


async def test_the_order_of_a_view_gives_way_to_a_given_one(world: World) -> None:
    first, second = await world.row("conversations"), await world.row("conversations")
    view = await made(world, query={"$sort": {"id": -1}, "waitingResponseOnly": False})
    assert await ids(world, f"view_id={view}") == [second, first]
    assert await ids(world, f"view_id={view}&$sort[id]=1") == [first, second]


@pytest.mark.parametrize("value", ["0", "99", "abc", "", "null", "1.5", "[]"])
async def test_a_view_that_is_not_there_is_named(world: World, value: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"/conversations?view_id={value}")
    assert answer.status_code == 400
    assert "view_id" in answer.json()["errors"]


async def test_another_organizations_view_is_not_there(world: World) -> None:
    view = await made(world, organization_id=THEIRS)
    async with world.client() as client:
        assert (await client.get(f"/conversations?view_id={view}")).status_code == 400


async def test_a_view_of_a_field_that_is_gone_says_so(world: World) -> None:
    view = await world.row("views")
    async with world.database.system() as connection:
        await connection.execute("""UPDATE views SET query = '{"mood": "bad"}' WHERE id = $1""", view)
    async with world.client() as client:
        answer = await client.get(f"/conversations?view_id={view}")
    assert answer.status_code == 400
    assert "mood" in answer.json()["message"]
    assert "view_id" in answer.json()["errors"]
