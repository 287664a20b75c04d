"""Custom fields over HTTP: definitions, values by name and by key, and the filter by a value."""

from __future__ import annotations

import asyncio

import asyncpg
import httpx
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.custom_values import ENTITIES
from frontdesk.core.resource import Resource
from frontdesk.core.tenancy import custom_query
from frontdesk.registry import make_registry
from tests.world import OURS, THEIRS, World

DEFINED: dict[str, dict[str, object]] = {
    "plan": {"name": "Plan", "type": "select", "options": ["gold", "silver"]},
    "budget": {"name": "Budget (USD)", "key": "budget", "type": "number"},
    "birthday": {"name": "Birthday", "type": "date"},
    "vip": {"name": "VIP", "type": "boolean"},
    "likes": {"name": "Likes", "type": "multi-select", "options": ["tea", "coffee", "milk"]},
    "nickname": {"name": "Nickname"},
}
VALUES = {
    "plan": "gold", "budget": 12345678901234.75, "birthday": "1990-02-28", "vip": False, "likes": ["milk", "tea"],
    "nickname": "Añita\n2",
}  # fmt: skip
NAMES = {key: str(body["name"]) for key, body in DEFINED.items()}
WRONG = [
    ("Plan", "bronze", "must be one of gold, silver"),
    ("Plan", 5, "must be string"),
    ("Budget (USD)", "much", "must be number"),
    ("Budget (USD)", True, "must be number"),
    ("Budget (USD)", 1e15, "must be a number below 100000000000000"),
    ("Birthday", "30/02/1990", "must be a date (YYYY-MM-DD)"),
    ("Birthday", "1990-02-30", "must be a date (YYYY-MM-DD)"),
    ("VIP", "yes", "must be boolean"),
    ("VIP", 1, "must be boolean"),
    ("Likes", "tea", "must be array"),
    ("Likes", ["tea", "wine"], "must be one of tea, coffee, milk"),
    ("Likes", ["tea", "tea"], "must not name an option twice"),
    ("Likes", [["tea"]], "must be string"),
    ("Nickname", "a\x00b", "must not contain control characters"),
    ("Nickname", "x" * 10_001, "must not have more than 10000 characters"),
    ("Nickname", {"$ne": 1}, "must be string"),
    ("plan", "gold", "is not a custom field"),
    ("Nobody's", 1, "is not a custom field"),
]


async def define(client: httpx.AsyncClient, entity: str = "contact", **body: object) -> int:
    answer = await client.post("/custom-fields", json={"entity": entity, **body})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


@pytest.fixture
async def client(world: World) -> httpx.AsyncClient:
    client = world.client()
    for body in DEFINED.values():
        await define(client, **body)
    return client


async def made(client: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await client.post("/contacts", json={"first_name": "Ana", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("member", ["custom_fields_by_key", "custom_fields_by_name"])
async def test_values_come_back_with_their_types_by_name_and_by_key(client: httpx.AsyncClient, member: str) -> None:
    given = VALUES if member.endswith("key") else {NAMES[key]: value for key, value in VALUES.items()}
    created = await made(client, **{member: given})
    read = (await client.get(f"/contacts/{created['id']}")).json()
    page = (await client.get("/contacts?$select[]=custom_fields_by_name")).json()["data"]
    assert created["custom_fields_by_key"] == read["custom_fields_by_key"] == VALUES
    assert read["custom_fields_by_name"] == {NAMES[key]: value for key, value in VALUES.items()}
    assert list(read["custom_fields_by_key"]) == list(DEFINED)
    assert page == [{"id": created["id"], "custom_fields_by_name": read["custom_fields_by_name"]}]


async def test_decimals_keep_every_digit(client: httpx.AsyncClient) -> None:
    for number in ("0.10", "12345678901234.123456789", "-99999999999999.5", "1e3"):
        created = await made(client, custom_fields_by_key={"budget": number})
        text = (await client.get(f"/contacts/{created['id']}?$select[]=custom_fields_by_key")).text
        assert f'"budget" : {number.replace("1e3", "1000")}' in text


async def test_a_patch_changes_the_named_values_only_and_null_empties(client: httpx.AsyncClient) -> None:
    one = f"/contacts/{(await made(client, custom_fields_by_key=VALUES))['id']}"
    changes = {"custom_fields_by_key": {"plan": "silver", "vip": None}, "custom_fields_by_name": {"Birthday": None}}
    answer = (await client.patch(one, json=changes)).json()
    kept = {key: value for key, value in VALUES.items() if key not in ("vip", "birthday")}
    assert answer["custom_fields_by_key"] == {**kept, "plan": "silver"}
    assert answer["version"] == 2
    assert (await client.patch(one, json={"custom_fields_by_key": {}})).json()["version"] == 2


@pytest.mark.parametrize(("name", "value", "message"), WRONG, ids=range(len(WRONG)))
async def test_a_wrong_value_is_named_by_its_path(
    client: httpx.AsyncClient, name: str, value: object, message: str
) -> None:
    one = f"/contacts/{(await made(client))['id']}"
    for answer in (
        await client.post("/contacts", json={"custom_fields_by_name": {name: value}}),
        await client.patch(one, json={"custom_fields_by_name": {name: value}}),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"] == {f"custom_fields_by_name.{name}": message}


@pytest.mark.parametrize("value", [None, [], "x", 1, [1]], ids=str)
async def test_a_member_that_is_no_object_is_refused(client: httpx.AsyncClient, value: object) -> None:
    answer = await client.post("/contacts", json={"custom_fields_by_key": value})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["custom_fields_by_key"])


async def test_the_stored_column_is_nobodys_field(client: httpx.AsyncClient) -> None:
    assert (await client.post("/contacts", json={"custom_fields": {"1": 2}})).status_code == 400
    assert (await client.get("/contacts?custom_fields=1")).status_code == 400
    assert (await client.get("/contacts?$select[]=custom_fields")).status_code == 400


async def test_a_record_that_was_read_can_be_sent_back_with_one_member_changed(client: httpx.AsyncClient) -> None:
    record = await made(client, custom_fields_by_key=VALUES)
    one = f"/contacts/{record['id']}"
    names = {**record["custom_fields_by_name"], "Plan": "silver"}  # type: ignore[dict-item]
    answer = (await client.patch(one, json={**record, "custom_fields_by_name": names})).json()
    assert answer["custom_fields_by_key"] == {**VALUES, "plan": "silver"}


async def test_two_different_values_for_one_field_are_refused(client: httpx.AsyncClient) -> None:
    body = {"custom_fields_by_name": {"Plan": "gold"}, "custom_fields_by_key": {"plan": "silver"}}
    answer = await client.post("/contacts", json=body)
    assert answer.json()["errors"] == {"custom_fields_by_key.plan": "differs from custom_fields_by_name.Plan"}


async def test_two_writers_of_different_values_lose_nothing(client: httpx.AsyncClient) -> None:
    one = f"/contacts/{(await made(client))['id']}"
    wanted = {"plan": "gold", "nickname": "a", "vip": True, "birthday": "2000-01-01"}
    changes = ({"custom_fields_by_key": {key: value}} for key, value in wanted.items())
    answers = await asyncio.gather(*(client.patch(one, json=change) for change in changes))
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get(one)).json()["custom_fields_by_key"] == wanted


async def test_a_required_field_is_needed_to_create_and_cannot_be_emptied(client: httpx.AsyncClient) -> None:
    before = await made(client)
    await define(client, name="Source", is_required=True)
    for values in ({}, {"Source": None}, {"Source": ""}):
        answer = await client.post("/contacts", json={"first_name": "Bob", "custom_fields_by_name": values})
        assert answer.json()["errors"] == {"custom_fields_by_name.Source": "is required"}
    old = await client.patch(f"/contacts/{before['id']}", json={"custom_fields_by_key": {"source": None, "vip": True}})
    assert old.status_code == 200
    new = await made(client, custom_fields_by_key={"source": "fair"})
    answer = await client.patch(f"/contacts/{new['id']}", json={"custom_fields_by_key": {"source": None}})
    assert answer.json()["errors"] == {"custom_fields_by_key.source": "is required and cannot be emptied"}


async def test_what_comes_in_by_itself_is_not_refused_for_a_required_field(world: World) -> None:
    async with world.client() as client:
        await define(client, "contact", name="Source", is_required=True)
        answer = await client.post("/support-tickets", json={"subject": "Help", "contact_email": "new@example.com"})
        assert answer.status_code == 201, answer.text
        await define(client, "ticket", name="Area", is_required=True)
        answer = await client.post("/support-tickets", json={"subject": "Help", "contact_email": "new@example.com"})
        assert answer.json()["errors"] == {"custom_fields_by_name.Area": "is required"}
    mail = {"subject": "Help", "contact_id": await world.row("contacts")}
    made = await world.door.call(Caller(OURS, None, Role.system), "support-tickets", "create", data=mail)
    assert made.value["custom_fields_by_name"] == {}


async def test_a_removed_option_stays_where_it_is_stored_and_nowhere_else(client: httpx.AsyncClient) -> None:
    record = await made(client, custom_fields_by_key={"plan": "gold", "likes": ["tea", "milk"]})
    one = f"/contacts/{record['id']}"
    fields = {row["key"]: row["id"] for row in (await client.get("/custom-fields")).json()["data"]}
    await client.patch(f"/custom-fields/{fields['plan']}", json={"options": ["silver"]})
    await client.patch(f"/custom-fields/{fields['likes']}", json={"options": ["tea", "coffee"]})
    assert (await client.get(one)).json()["custom_fields_by_key"] == {"plan": "gold", "likes": ["tea", "milk"]}
    assert (await client.patch(one, json=record)).status_code == 200
    added = {"custom_fields_by_key": {"likes": ["tea", "milk", "coffee"]}}
    assert (await client.patch(one, json=added)).status_code == 200
    assert (await client.post("/contacts", json={"custom_fields_by_key": {"plan": "gold"}})).status_code == 400


async def test_a_deleted_definition_hides_its_values_for_good(client: httpx.AsyncClient) -> None:
    one = f"/contacts/{(await made(client, custom_fields_by_key={'nickname': 'A', 'vip': True}))['id']}"
    found = (await client.get("/custom-fields?key=nickname")).json()["data"][0]
    await client.delete(f"/custom-fields/{found['id']}")
    assert (await client.get(one)).json()["custom_fields_by_name"] == {"VIP": True}
    await define(client, name="Nickname")
    assert (await client.get(one)).json()["custom_fields_by_name"] == {"VIP": True}


async def test_a_renamed_definition_renames_its_values(client: httpx.AsyncClient) -> None:
    one = f"/contacts/{(await made(client, custom_fields_by_key={'nickname': 'A'}))['id']}"
    found = (await client.get("/custom-fields?key=nickname")).json()["data"][0]
    await client.patch(f"/custom-fields/{found['id']}", json={"name": "Called", "key": "ignored", "type": "date"})
    record = (await client.get(one)).json()
    assert (record["custom_fields_by_name"], record["custom_fields_by_key"]) == ({"Called": "A"}, {"nickname": "A"})


FOUND = {
    "custom_fields_by_key[plan]=gold": {"a"},
    "custom_fields_by_name[Plan]=silver": {"b"},
    "custom_fields_by_name[Budget+(USD)]=10.0": {"a", "b"},
    "custom_fields_by_key[vip]=false": {"b"},
    "custom_fields_by_key[vip]=null": {"c"},
    "custom_fields_by_key[birthday]=2000-01-01": {"a"},
    "custom_fields_by_key[likes]=tea": {"a", "b"},
    "custom_fields_by_key[likes]=tea&custom_fields_by_key[plan]=gold": {"a"},
    "custom_fields_by_key[nickname]=null": {"c"},
    "$or[0][custom_fields_by_key][plan]=gold&$or[1][first_name]=c": {"a", "c"},
    "custom_fields_by_key[plan]=gold&first_name=b": set(),
}
PEOPLE = {
    "a": {"plan": "gold", "budget": 10, "vip": True, "birthday": "2000-01-01", "likes": ["coffee", "tea"]},
    "b": {"plan": "silver", "budget": "10.000", "vip": False, "likes": ["tea"]},
    "c": {"nickname": "null"},
}


@pytest.mark.parametrize("query", FOUND)
async def test_the_filter_by_a_value_finds(client: httpx.AsyncClient, query: str) -> None:
    for first_name, values in PEOPLE.items():
        await made(client, first_name=first_name, custom_fields_by_key=values)
    page = (await client.get(f"/contacts?{query}")).json()
    assert {row["first_name"] for row in page["data"]} == FOUND[query]
    assert page["total"] == len(FOUND[query])


async def test_no_value_is_null_in_the_body_form(client: httpx.AsyncClient) -> None:
    for first_name, values in PEOPLE.items():
        await made(client, first_name=first_name, custom_fields_by_key=values)
    query = {"custom_fields_by_name": {"Nickname": None, "Plan": "gold"}}
    page = (await client.request("GET", "/contacts", json={"query": query})).json()
    assert [row["first_name"] for row in page["data"]] == ["a"]


REFUSED = {
    "custom_fields_by_key[shoe]=1": "custom_fields_by_key.shoe",
    "custom_fields_by_key=1": "custom_fields_by_key",
    "custom_fields_by_key[plan][$ne]=gold": "custom_fields_by_key.plan",
    "custom_fields_by_key[budget]=x": "custom_fields_by_key.budget",
    "custom_fields_by_key[vip]=1": "custom_fields_by_key.vip",
    "$sort[custom_fields_by_key]=1": "custom_fields_by_key",
}


@pytest.mark.parametrize("query", REFUSED)
async def test_a_filter_that_cannot_be_read_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/contacts?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [REFUSED[query]])


async def test_another_organization_has_its_own_fields(world: World, client: httpx.AsyncClient) -> None:
    theirs = world.client(organization_id=THEIRS)
    assert (await theirs.get("/custom-fields")).json()["total"] == 0
    assert (await theirs.post("/contacts", json={"custom_fields_by_name": {"Plan": "gold"}})).status_code == 400
    await define(theirs, name="Plan", type="number")
    row = (await theirs.post("/contacts", json={"custom_fields_by_key": {"plan": 5}})).json()
    assert row["custom_fields_by_name"] == {"Plan": 5}
    assert (await client.get("/contacts?custom_fields_by_key[plan]=gold")).json()["total"] == 0


KEYS = {"Plan (año)": "plan_ano", "  Größe  ": "grosse", "2nd line": "field_2nd_line", "名前": "field", "a": "a"}


@pytest.mark.parametrize("name", KEYS)
async def test_the_key_is_made_from_the_name(world: World, name: str) -> None:
    async with world.client() as client:
        for number, suffix in enumerate(("", "_2", "_3")):
            body = {"entity": "deal", "name": name + "." * number}
            row = (await client.post("/custom-fields", json=body)).json()
            assert row["key"] == KEYS[name] + suffix
        assert row["position"] == 2


BROKEN: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "name"),
    ({"name": " \t"}, "name"),
    ({"name": "a", "key": "A b"}, "key"),
    ({"name": "a", "key": "1a"}, "key"),
    ({"name": "a", "type": "colour"}, "type"),
    ({"name": "a", "entity": "user"}, "entity"),
    ({"name": "a", "type": "select"}, "options"),
    ({"name": "a", "type": "select", "options": []}, "options"),
    ({"name": "a", "type": "select", "options": ["b", " b"]}, "options"),
    ({"name": "a", "type": "select", "options": [""]}, "options"),
    ({"name": "a", "type": "multi-select", "options": [str(i) for i in range(201)]}, "options"),
    ({"name": "a", "type": "text", "options": ["b"]}, "options"),
]


@pytest.mark.parametrize(("body", "path"), BROKEN, ids=range(len(BROKEN)))
async def test_a_broken_definition_is_refused(world: World, body: dict[str, object], path: str) -> None:
    async with world.client() as client:
        answer = await client.post("/custom-fields", json={"entity": "contact", **body})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path])


@pytest.mark.parametrize(("body", "path"), [({"name": "Plan"}, "name"), ({"name": "x", "key": "plan"}, "key")])
async def test_name_and_key_are_unique_for_an_entity(client: httpx.AsyncClient, body: object, path: str) -> None:
    answer = await client.post("/custom-fields", json={"entity": "contact", **body})  # type: ignore[dict-item]
    assert (answer.status_code, answer.json()["errors"]) == (409, {path: "is taken"})
    await define(client, "deal", **body)  # type: ignore[arg-type]


async def test_definitions_made_at_once_get_keys_and_positions_of_their_own(world: World) -> None:
    async with world.client() as client:
        names = ["A b", "A.b", "A-b", "A_b"]
        await asyncio.gather(*(define(client, name=name) for name in names))
        rows = (await client.get("/custom-fields")).json()["data"]
    assert {row["key"] for row in rows} == {"a_b", "a_b_2", "a_b_3", "a_b_4"}
    assert [row["position"] for row in rows] == [0, 1, 2, 3]


RESOURCES = [resource for resource in make_registry() if resource.has_custom_fields]


def test_every_kind_of_record_that_a_definition_may_name_is_there() -> None:
    assert {ENTITIES[resource.path] for resource in RESOURCES} == set(ENTITIES.values()) - {"reservation"}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
async def test_each_kind_of_record_has_its_own_fields(world: World, resource: Resource) -> None:
    async with world.client() as client:
        await define(client, "contact" if resource.path != "contacts" else "deal", name="Other")
        await define(client, ENTITIES[resource.path], name="Code")
        body = {**await world.body(resource.path), "custom_fields_by_name": {"Code": "x"}}
        made = (await client.post(f"/{resource.path}", json=body)).json()
        assert made["custom_fields_by_key"] == {"code": "x"}, made
        changed = await client.patch(f"/{resource.path}/{made['id']}", json={"custom_fields_by_key": {"code": "y"}})
        assert changed.json()["custom_fields_by_name"] == {"Code": "y"}
        page = (await client.get(f"/{resource.path}?custom_fields_by_key[code]=y")).json()
        assert [row["id"] for row in page["data"]] == [made["id"]]
        answer = await client.post(f"/{resource.path}", json={**body, "custom_fields_by_name": {"Other": "x"}})
    assert answer.json()["errors"] == {"custom_fields_by_name.Other": "is not a custom field"}


async def test_the_most_that_an_organization_defines_for_a_record_still_works(world: World) -> None:
    async with world.client() as client:
        for number in range(200):
            await world.row("custom-fields", name=f"Field {number}", key=f"f{number}", position=number)
        answer = await client.post("/custom-fields", json={"entity": "contact", "name": "One more"})
        assert (answer.status_code, answer.json()["name"]) == (422, "Unprocessable")
        values = {f"f{number}": str(number) for number in range(200)}
        assert (await made(client, custom_fields_by_key=values))["custom_fields_by_key"] == values


async def test_any_text_and_number_comes_back_as_it_was_sent(client: httpx.AsyncClient) -> None:
    for text in ('"', "\\", "null", "{}", "'); --", "\u2028", "🦷", " ", "", "\t\r\n", "a" * 10_000, "%_"):
        sent = {"nickname": text, "budget": len(text) / 8, "likes": []}
        row = await made(client, custom_fields_by_key=sent)
        assert row["custom_fields_by_key"] == {"budget": len(text) / 8, "likes": [], "nickname": text}


async def test_a_member_reads_definitions_and_an_admin_makes_them(world: World) -> None:
    async with world.client(Role.member) as client:
        assert (await client.get("/custom-fields")).status_code == 200
        assert (await client.post("/custom-fields", json={"entity": "deal", "name": "x"})).status_code == 403
    async with world.client(Role.admin) as client:
        await define(client, "deal", name="x")


MANY = """
    INSERT INTO contacts (organization_id, first_name, system_type, custom_fields, created_at, updated_at)
    SELECT $1, n::text, 'contact', CASE WHEN n % 10 = 0 THEN jsonb_build_object($2::text, n::text) ELSE '{}' END,
        now(), now() FROM generate_series(1, 50000) n
"""


async def test_the_filter_uses_its_index(world: World, database_url: str) -> None:
    client = world.client()
    code = await define(client, name="Code")
    owner = await asyncpg.connect(database_url)
    await owner.execute(MANY, OURS, str(code))
    await owner.execute("VACUUM ANALYZE contacts")
    await owner.close()
    query = custom_query(world.registry["contacts"].table).replace("wanted", f'\'{{"{code}": "500"}}\'::jsonb')
    async with world.database.system() as connection:  # the role that the function runs as
        await connection.execute(f"SET app.org = '{OURS}'")
        plan = await connection.fetch(f"EXPLAIN {query}")
    page = (await client.get("/contacts?custom_fields_by_key[code]=500")).json()
    assert "ix_contacts_custom_fields" in str(plan)
    assert [row["first_name"] for row in page["data"]] == ["500"]
