"""The door over the whole registry: nothing that a caller says breaks it, and no row leaves its organization."""

import itertools
from asyncio import gather
from collections.abc import Coroutine

import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Database
from frontdesk.core.door import Answer
from frontdesk.core.errors import ApiError, Forbidden, Invalid, Json, NotFound
from frontdesk.registry import make_registry
from tests.tools_world import ANA, BOB, HERE, ORGANIZATION, STRANGER, World, make_world

PATHS = [resource.path for resource in make_registry()]
OWNER = Caller(1, 1, Role.owner, via="jwt")
HOSTILE: list[object] = [
    "' OR 1=1 --", "\x00", "\ud800", "1;DROP TABLE contacts", "$1", ":term", "%(x)s", "\\", "%", "x" * 100_000,
    10**30, 2**31, 2**63, -(2**63) - 1, 1e308, float("nan"), float("inf"), -0.0, True, None, "", [], {}, [[1]], [None],
    {"$gt": 1}, {"a": "\x00"}, {"a": ["\ud800"]}, {"a": float("nan")}, "NaN", "1e400", "1e1000000000", "1e-1000",
    "9" * 5000, "²", "१२", "1_000", "0x10", "null", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "2020-02-30", "24:00:00",
]  # fmt: skip
OPERATORS = ["$gt", "$ne", "$in", "$nin", "$like", "", "$or"]


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


async def answered(world: World, path: str, verb: str, **arguments: object) -> None:
    """The call ends in an answer or in an expected error that blames the caller."""
    try:
        await world.door.call(OWNER, path, verb, **arguments)  # type: ignore[arg-type]
    except ApiError as error:
        if error.status >= 500:
            raise


@pytest.mark.parametrize("path", PATHS)
async def test_no_condition_breaks_a_find(world: World, path: str) -> None:
    resource = world.door.registry[path]
    if "find" not in resource.verbs:
        return
    one_of_each_kind = {f.kind: f for f in resource.all_fields}.values()
    for f, value in itertools.product(one_of_each_kind, HOSTILE):
        await answered(world, path, "find", query={f.name: value})
        for operator in OPERATORS:
            operand = [value] if operator in ("$in", "$nin") else value
            await answered(world, path, "find", query={f.name: {operator: operand}})


@pytest.mark.parametrize("path", PATHS)
async def test_no_name_or_paging_breaks_a_find(world: World, path: str) -> None:
    names = ["$limit", "$skip", "$sort", "$select", "searchTerm", "$or", "$and", *world.door.registry[path].filters]
    for value in HOSTILE:
        queries: list[dict[str, object]] = [{name: value} for name in names]
        queries += [{str(value): 1}, {"$sort": {str(value): 1}}, {"$sort": {"id": value}}, {"$select": [value]}]
        queries += [{"$or": [value]}, {"$and": [{"id": value}]}, {"id": {str(value): 1}}]
        for query in queries:
            await answered(world, path, "find", query=query)


@pytest.mark.parametrize("path", PATHS)
async def test_no_body_breaks_a_write(world: World, path: str) -> None:
    resource = world.door.registry[path]
    complete = {f.name: f.example for f in resource.fields if f.is_required}
    for name, value in itertools.product([*resource.input_fields, "' OR", "\ud800"], HOSTILE):
        await answered(world, path, "create", data={**complete, name: value})
        await answered(world, path, "patch", id=1, data={name: value})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [Role.member, Role.admin])
async def test_a_verb_above_the_role_is_forbidden(world: World, path: str, role: Role) -> None:
    resource = world.door.registry[path]
    for verb in resource.verbs:
        if resource.rights.needed(verb) > role:
            with pytest.raises(Forbidden):
                await world.door.call(Caller(1, None, role), path, verb, id=1, data={})


FOREIGN: list[tuple[str, int]] = [("contacts", STRANGER), ("notes", 5), ("products", 3), ("organizations", 2)]


@pytest.mark.parametrize(("path", "row_id"), FOREIGN)
async def test_another_organizations_row_does_not_exist(world: World, path: str, row_id: int) -> None:
    resource = world.door.registry[path]
    for verb in (verb for verb in ("get", "patch", "remove") if verb in resource.verbs):
        with pytest.raises(NotFound):
            await world.door.call(OWNER, path, verb, id=row_id, data={})  # type: ignore[arg-type]
    for query in ({"id": row_id}, {"$or": [{"id": row_id}]}, {"id": {"$nin": []}}):
        found = await world.door.call(OWNER, path, "find", query=query)
        assert row_id not in [row["id"] for row in found.value["data"]]


@pytest.mark.parametrize(("path", "row_id"), FOREIGN)
async def test_the_database_hides_what_a_forgotten_filter_would_show(world: World, path: str, row_id: int) -> None:
    table = world.door.registry[path].table.name
    async with world.database.transaction(1) as connection:
        assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE id = {row_id}") == 0
        assert await connection.execute(f"UPDATE {table} SET version = 9 WHERE id = {row_id}") == "UPDATE 0"
        assert await connection.execute(f"DELETE FROM {table} WHERE id = {row_id}") == "DELETE 0"
        assert await connection.fetchval("SELECT count(*) FROM search_contacts('stranger')") == 0


@pytest.mark.parametrize("contact_id", [STRANGER, 999, 0, -1])
async def test_a_reference_stays_in_the_organization(world: World, contact_id: int) -> None:
    with pytest.raises(Invalid) as refused:
        await world.door.call(ORGANIZATION, "notes", "create", data={"text": "x", "contact_id": contact_id})
    assert refused.value.errors == {"contact_id": "names no row of contacts"}


SORTS: list[tuple[dict[str, Json], list[int]]] = [
    ({"$sort": {"first_name": 1}}, [ANA, BOB, 3]),
    ({"$sort": {"first_name": "-1"}}, [3, BOB, ANA]),
    ({"$or": [{"first_name": "Ana"}, {"$and": [{"id": 2}, {"last_name": {"$ne": None}}]}]}, [ANA, BOB]),
    ({"last_name": None}, [3]),
    ({"last_name": {"$in": [None, "Torres"]}}, [ANA, 3]),
    ({"id": {"$in": []}}, []),
    ({"searchTerm": "ana tor"}, [ANA]),
    ({"searchTerm": "100%"}, []),
    ({"searchTerm": "_"}, []),
]


@pytest.mark.parametrize(("query", "expected"), SORTS)
async def test_queries_find_what_they_say(world: World, query: dict[str, Json], expected: list[int]) -> None:
    found = (await world.door.call(ORGANIZATION, "contacts", "find", query=query)).value
    assert [row["id"] for row in found["data"]] == expected
    assert found["total"] == len(expected)


async def test_the_same_shape_with_other_values_is_another_query(world: World) -> None:
    for name, expected in (("Ana", ANA), ("Bob", BOB), ("Visitor", 3)):
        found = await world.door.call(ORGANIZATION, "contacts", "find", query={"first_name": name})
        assert [row["id"] for row in found.value["data"]] == [expected]


async def test_hooks_see_the_whole_row_whatever_is_selected(world: World) -> None:
    query = {"$select": ["status"]}
    closed = await world.door.call(OWNER, "conversations", "patch", id=HERE, data={"status": "closed"}, query=query)
    assert closed.value == {"id": HERE, "status": "closed"}
    assert await world.rows(f"SELECT epoch FROM conversations WHERE id = {HERE}") == [{"epoch": 2}]


async def test_a_secret_or_hidden_field_is_never_named(world: World) -> None:
    for resource in world.door.registry:
        # Where a joined member has the name of a hidden column, the name is the join's.
        for f in (f for f in resource.all_fields if not f.is_readable and f.name not in resource.joins):
            for query in ({f.name: "x"}, {"$sort": {f.name: 1}}, {"$select": [f.name]}):
                with pytest.raises(ApiError, match=r"Unknown field|not supported"):
                    await world.door.call(OWNER, resource.path, "find", query=query)


async def test_of_two_changes_with_the_same_version_one_wins(world: World) -> None:
    def change(name: str) -> Coroutine[object, object, Answer]:
        return world.door.call(OWNER, "contacts", "patch", id=ANA, data={"last_name": name}, if_match=1)

    results = await gather(*(change(str(i)) for i in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Answer"] + ["Conflict"] * 7
