"""Every resource × verb × caller, read off the registry: a later resource is covered by being declared."""

from __future__ import annotations

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.resource import VERBS, Resource, Verb
from frontdesk.registry import make_registry
from tests.world import OURS, ROLES, THEIRS, World

SERVED = [resource for resource in make_registry() if resource.verbs]
# What belongs to one person alone answers no key; its tests have its name.
RESOURCES = [resource for resource in SERVED if not resource.is_personal and resource.under is None]
ACTIONS = [resource for resource in SERVED if resource.under is not None]
TABLES = [resource for resource in RESOURCES if "get" in resource.verbs]
CREATED = [resource for resource in RESOURCES if "create" in resource.verbs and "get" in resource.verbs]
CALLS = [(resource, verb, role) for resource in RESOURCES for verb in VERBS for role in ROLES]
WRITING = {"create": "POST", "patch": "PATCH", "remove": "DELETE", "find": "GET", "get": "GET"}


def named(value: object) -> str | None:
    return value.path if isinstance(value, Resource) else value.name if isinstance(value, Role) else None


async def id_of(world: World, resource: Resource, organization_id: int = OURS) -> int:
    if resource.path == "organizations" or not resource.is_stored:
        return organization_id
    return await world.row(resource.path, organization_id)


def needed(resource: Resource, record: dict[str, object] | None = None) -> str:
    """The parameters that a list must be asked with, by those of `record`; without one, ids that nobody has."""
    return "".join(f"&{name}={record[name] if record else 999_999}" for name in resource.needs)


def url_of(resource: Resource, verb: Verb, row_id: int) -> str:
    if resource.under is not None:
        return resource.url.format(id=row_id)
    return resource.url if verb in ("find", "create") else f"{resource.url}/{row_id}"


async def send(client: httpx.AsyncClient, resource: Resource, verb: Verb, row_id: int, body: object) -> httpx.Response:
    path = url_of(resource, verb, row_id) + (f"?{needed(resource)}" if verb == "find" else "")
    content = {} if verb in ("find", "get", "remove") else {"json": body}
    return await client.request(WRITING[verb], path, **content)  # type: ignore[arg-type]


@pytest.mark.parametrize(("resource", "verb", "role"), CALLS, ids=named)
async def test_a_role_may_do_what_the_declaration_says(
    world: World, resource: Resource, verb: Verb, role: Role
) -> None:
    row_id = await id_of(world, resource) if verb in ("get", "patch", "remove") else 0
    body = await world.body(resource.path) if verb == "create" and verb in resource.verbs else {}
    async with world.client(role) as client:
        answer = await send(client, resource, verb, row_id, body)
    if verb not in resource.verbs:
        assert answer.status_code == 405
    elif role < resource.rights.needed(verb):
        assert answer.status_code == 403
        assert resource.rights.needed(verb).name in answer.json()["message"]
    else:
        assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("resource", SERVED, ids=named)
@pytest.mark.parametrize("headers", [{}, {"x-api-key": "fd_wrong"}, {"authorization": "Bearer x.y.z"}], ids=str)
async def test_a_stranger_gets_nowhere(world: World, resource: Resource, headers: dict[str, str]) -> None:
    async with world.client(None, **headers) as client:
        for verb in resource.verbs:
            answer = await send(client, resource, verb, 1, {"nonsense": 1})
            assert answer.status_code == 401, verb
            assert answer.json()["className"] == "not-authenticated"


@pytest.mark.parametrize("resource", TABLES, ids=named)
async def test_another_organization_sees_nothing(world: World, resource: Resource) -> None:
    row_id = await id_of(world, resource, THEIRS)
    async with world.client() as client:
        for verb in ("get", "patch", "remove"):
            if verb in resource.verbs:
                answer = await send(client, resource, verb, row_id, {})
                assert answer.status_code == 404, (verb, answer.text)
        page = (await client.get(f"/{resource.path}?id={row_id}{needed(resource)}")).json()
    assert page["total"] == 0
    assert page["data"] == []


@pytest.mark.parametrize("resource", TABLES, ids=named)
async def test_a_list_has_the_published_envelope(world: World, resource: Resource) -> None:
    row_id = await id_of(world, resource)
    async with world.client() as client:
        found = f"id={row_id}{needed(resource, (await client.get(f'/{resource.path}/{row_id}')).json())}"
        page = (await client.get(f"/{resource.path}?$limit=1000&$sort[id]=-1&{found}")).json()
        counted = (await client.get(f"/{resource.path}?$limit=0&{found}")).json()
        selected = (await client.get(f"/{resource.path}?$select[]=created_at&{found}")).json()
    assert page["limit"] == 50
    assert (page["total"], page["skip"], len(page["data"])) == (1, 0, 1)
    assert counted == {"total": 1, "limit": 0, "skip": 0, "data": []}
    assert set(selected["data"][0]) == {"id", "created_at"}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.needs], ids=named)
async def test_a_list_that_needs_a_parameter_names_it(world: World, resource: Resource) -> None:
    async with world.client() as client:
        answer = await client.get(f"/{resource.path}?$limit=1")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(resource.needs)


@pytest.mark.parametrize("resource", TABLES, ids=named)
async def test_a_record_has_just_the_members_that_its_schema_shows(world: World, resource: Resource) -> None:
    row_id = await id_of(world, resource)
    name = "".join(part.capitalize() for part in resource.path.split("-"))
    async with world.client() as client:
        record = (await client.get(f"/{resource.path}/{row_id}")).json()
        document = (await client.get("/openapi.json")).json()
    assert set(record) == set(document["components"]["schemas"][name]["properties"])
    assert not any(f.is_secret and f.name in record for f in resource.all_fields)


@pytest.mark.parametrize("resource", CREATED, ids=named)
async def test_what_was_created_can_be_read_and_is_gone_after_its_removal(world: World, resource: Resource) -> None:
    async with world.client() as client:
        created = await client.post(f"/{resource.path}", json=await world.body(resource.path))
        assert created.status_code == 201, created.text
        one = f"/{resource.path}/{created.json()['id']}"
        read = (await client.get(one)).json()
        assert {name: created.json().get(name) for name in read} == read
        if "remove" in resource.verbs:
            removed = await client.delete(one)
            assert removed.status_code == 200, removed.text
            assert (await client.get(one)).status_code == 404


@pytest.mark.parametrize("resource", [r for r in TABLES if "patch" in r.verbs], ids=named)
async def test_a_stale_version_is_refused_and_nothing_changes(world: World, resource: Resource) -> None:
    one = f"/{resource.path}/{await id_of(world, resource)}"
    async with world.client() as client:
        read = await client.get(one)
        version = read.json()["version"]
        assert read.headers["etag"] == f'"{version}"'
        for stale in (str(version + 1), f'"{version + 1}"', f'W/"{version + 1}"'):
            answer = await client.patch(one, json={}, headers={"if-match": stale})
            assert answer.status_code == 409, stale
            assert answer.json()["name"] == "Conflict"
        assert (await client.get(one)).json() == read.json()
        assert (await client.patch(one, json={}, headers={"if-match": "nonsense"})).status_code == 400


@pytest.mark.parametrize("resource", [r for r in RESOURCES if "create" in r.verbs], ids=named)
async def test_an_unknown_field_is_refused_by_its_name(world: World, resource: Resource) -> None:
    body = await world.body(resource.path)
    async with world.client() as client:
        answer = await client.post(f"/{resource.path}", json={**body, "shoe_size": 43})
    error = answer.json()
    assert answer.status_code == 400
    assert error["message"] == "validation failed"
    assert "shoe_size" in error["errors"]
    assert {"/shoe_size"} == {fault["instancePath"] for fault in error["data"]}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if "find" in r.verbs], ids=named)
@pytest.mark.parametrize(
    "query", ["shoe_size=1", "id[$like]=1", "$where=1", "$sort[shoe_size]=1", "$select[]=shoe_size"]
)
async def test_an_unknown_field_or_operator_in_the_query_is_named(world: World, resource: Resource, query: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"/{resource.path}?{query}")
    assert answer.status_code == 400
    assert any(word in answer.json()["message"] for word in ("shoe_size", "$like", "$where"))


@pytest.mark.parametrize("resource", SERVED, ids=named)
async def test_the_key_names_the_organization(world: World, resource: Resource) -> None:
    async with world.client() as client:
        for verb in resource.verbs:
            path = f"{url_of(resource, verb, 1)}?organization_id={THEIRS}"
            answer = await client.request(WRITING[verb], path, json={})
            assert answer.status_code == 400, verb
            assert "organization_id" in answer.json()["errors"]


@pytest.mark.parametrize("resource", ACTIONS, ids=named)
async def test_an_action_asks_for_its_role_and_knows_no_row_of_others(world: World, resource: Resource) -> None:
    mine, theirs = [await world.row(str(resource.under), organization) for organization in (OURS, THEIRS)]
    for verb in resource.verbs:
        async with world.client(Role.member) as client:
            refused = await send(client, resource, verb, mine, {})
            assert (refused.status_code == 403) is (Role.member < resource.rights.needed(verb)), refused.text
        async with world.client() as client:
            assert (await send(client, resource, verb, theirs, {})).status_code == 404


@pytest.mark.parametrize("resource", ACTIONS, ids=named)
async def test_an_action_has_no_address_of_its_own_and_no_other_method(world: World, resource: Resource) -> None:
    one = url_of(resource, "get", await world.row(str(resource.under)))
    async with world.client() as client:
        assert (await client.get(f"/{resource.path}")).status_code == 404
        assert (await client.delete(one)).status_code == 405
        unknown = await client.post(one, json={"shoe_size": 43})
    assert (unknown.status_code, list(unknown.json()["errors"])) == (400, ["shoe_size"])
