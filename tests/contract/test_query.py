"""The query language on real rows: what each operator finds, in the URL form and in the body form."""

from __future__ import annotations

import asyncpg
import pytest

from frontdesk.core.search import search_query
from tests.world import World

PEOPLE = [("Ana", "Torres", None), ("Bob", "Miller", 5), ("José", "Núñez", 7), ("50%", "a_b", 9)]
COMPANIES = """
    INSERT INTO companies (id, organization_id, name, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT id, 1, id::text, now(), now() FROM unnest(ARRAY[5, 7, 9]) AS id
"""
URLS = {
    "first_name=Ana": {"Ana"},
    "first_name[$ne]=Ana&$limit=50": {"Bob", "José", "50%"},
    "company_id=": {"Ana"},
    "company_id=null": {"Ana"},
    "company_id[$ne]=null": {"Bob", "José", "50%"},
    "company_id[$in][]=5&company_id[$in][]=null": {"Ana", "Bob"},
    "company_id[$nin][]=5": {"José", "50%"},
    "company_id[$gt]=5": {"José", "50%"},
    "company_id[$gte]=5&company_id[$lt]=9": {"Bob", "José"},
    "company_id[$lte]=5": {"Bob"},
    "$or[0][first_name]=Ana&$or[1][company_id]=9": {"Ana", "50%"},
    "$and[0][company_id][$gt]=5&$and[1][$or][0][first_name]=Jos%C3%A9": {"José"},
    "first_name=50%25": {"50%"},
    "searchTerm=jose": {"José"},
    "searchTerm=NUNEZ+JOS": {"José"},
    "searchTerm=%25": {"50%"},
    "searchTerm=a_b": {"50%"},
    "searchTerm=zzz": set(),
    "created_at[$gte]=2026-01-01T00:00:00Z&created_at[$lt]=2026-01-06": {"Ana", "Bob", "José", "50%"},
}
BODIES = [
    ({"first_name": "Ana"}, {"Ana"}),
    ({"company_id": None}, {"Ana"}),
    ({"last_name": {"$ne": None}, "$limit": 50}, {"Ana", "Bob", "José", "50%"}),
    ({"company_id": {"$in": [5, None]}}, {"Ana", "Bob"}),
    ({"$or": [{"first_name": "Bob"}, {"company_id": {"$gt": 8}}]}, {"Bob", "50%"}),
]


@pytest.fixture
async def people(world: World) -> World:
    async with world.database.system() as connection:
        await connection.execute(COMPANIES)
    for first, last, company in PEOPLE:
        await world.row("contacts", first_name=first, last_name=last, company_id=company)
    return world


@pytest.mark.parametrize("query", URLS)
async def test_the_url_form_finds(people: World, query: str) -> None:
    async with people.client() as client:
        page = (await client.get(f"/contacts?{query}")).json()
    assert {row["first_name"] for row in page["data"]} == URLS[query]
    assert page["total"] == len(URLS[query])


@pytest.mark.parametrize(("query", "expected"), BODIES, ids=range(len(BODIES)))
async def test_the_body_form_finds(people: World, query: dict[str, object], expected: set[str]) -> None:
    async with people.client() as client:
        page = (await client.request("GET", "/contacts", json={"query": query})).json()
    assert {row["first_name"] for row in page["data"]} == expected


async def test_pages_follow_each_other_without_overlap(people: World) -> None:
    async with people.client() as client:
        pages = [(await client.get(f"/contacts?$limit=1&$skip={i}&$sort[system_type]=1")).json() for i in range(4)]
    assert len({page["data"][0]["id"] for page in pages}) == 4


async def test_sorting_by_several_fields(people: World) -> None:
    async with people.client() as client:
        page = (await client.get("/contacts?$sort[system_type]=1&$sort[first_name]=-1&$select[]=first_name")).json()
    assert [row["first_name"] for row in page["data"]] == ["José", "Bob", "Ana", "50%"]


async def test_members_without_an_order_can_be_selected_but_not_compared(people: World) -> None:
    async with people.client() as client:
        chosen = await client.get("/inbox-channels?$select[]=allowed_origins&$select[]=limits")
        compared = [await client.get(f"/inbox-channels?{wrong}") for wrong in ("limits=1", "$sort[limits]=1")]
    assert chosen.status_code == 200
    assert [answer.status_code for answer in compared] == [400, 400]


async def test_deleted_rows_are_seen_only_when_asked_for(people: World) -> None:
    async with people.client() as client:
        await client.delete("/contacts/1")
        live = (await client.get("/contacts")).json()
        gone = (await client.get("/contacts?deleted_at[$ne]=null")).json()
    assert live["total"] == 3
    assert [row["first_name"] for row in gone["data"]] == ["Ana"]


async def test_a_search_uses_its_index(people: World, database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO contacts (organization_id, first_name, system_type, created_at, updated_at)"
        " SELECT 1, md5(i::text), 'contact', now(), now() FROM generate_series(1, 20000) i"
    )
    await owner.execute("VACUUM ANALYZE contacts")
    await owner.close()
    query = search_query(people.registry["contacts"].table)
    for name, value in {"with_deleted": "false", "most": "10001", "term": "'ana torres'"}.items():
        query = query.replace(name, value)
    async with people.database.system() as connection:  # the role that the search function runs as
        await connection.execute("SET app.org = '1'")
        plan = await connection.fetch(f"EXPLAIN {query}")
    assert "ix_contacts_search_text" in str(plan)
