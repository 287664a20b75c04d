"""Search: whole words first, then parts of words, then what is written alike; exact to a limit; by its indexes."""

from __future__ import annotations

import asyncpg
import pytest

from frontdesk.core import query, statements
from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.search import alike_query, parts_query, search_query, whole_words_query
from frontdesk.core.statements import find_statement
from tests.world import OURS, THEIRS, World

PRODUCTS = [
    ("Dental cleaning", "Removes tartar with ultrasound", "CLEAN-01"),
    ("Whitening kit", "For home, after a cleaning", "KIT-7"),
    ("Electric toothbrush", None, "BRUSH-2"),
    ("Toothpaste, mint", None, None),
    ("Limpieza facial", "Crema y masaje", None),
    ("Blanqueamiento láser", None, "BL-100"),
]
FOUND = {
    "cleaning": ["Dental cleaning", "Whitening kit"],
    "clean": ["Dental cleaning", "Whitening kit"],
    "CLEANING dental": ["Dental cleaning"],
    "claening": ["Dental cleaning"],
    "dentl cleanin": ["Dental cleaning"],
    "tothbrush": ["Electric toothbrush"],
    "tooth": ["Electric toothbrush", "Toothpaste, mint"],
    "toothpast": ["Toothpaste, mint"],
    "blanqeamiento": ["Blanqueamiento láser"],
    "LASER": ["Blanqueamiento láser"],
    "limpiesa": ["Limpieza facial"],
    "brush-2": ["Electric toothbrush"],
    "KIT7": ["Whitening kit"],
    "xylophone": [],
    "zq": [],
    "%": [],
    "'; drop table products": [],
}


@pytest.fixture
async def shop(world: World) -> World:
    for name, description, sku in PRODUCTS:
        await world.row("products", name=name, description=description, sku=sku)
    await world.row("products", THEIRS, name="Dental cleaning, claening, tothbrush")
    return world


async def find(world: World, search: str, **more: str) -> dict[str, object]:
    async with world.client(Role.member) as client:
        return (await client.get("/products", params={"searchTerm": search, **more})).json()  # type: ignore[no-any-return]


def names(page: dict[str, object]) -> list[str]:
    return [row["name"] for row in page["data"]]  # type: ignore[index, attr-defined]


@pytest.mark.parametrize("search", FOUND)
async def test_products_are_found_best_first(shop: World, search: str) -> None:
    page = await find(shop, search)
    assert names(page)[: len(FOUND[search]) or 1] == FOUND[search]
    assert page["total"] == len(page["data"])  # type: ignore[arg-type]
    assert "total_is_minimum" not in page


async def test_a_word_that_is_there_keeps_out_what_is_only_alike(shop: World) -> None:
    await shop.row("products", name="Cleanings")
    assert names(await find(shop, "cleanings")) == ["Cleanings"]


async def test_other_conditions_and_an_order_hold_in_a_search_too(shop: World) -> None:
    await shop.row("products", name="Cleaning cloth", status="inactive")
    active = await find(shop, "cleaning", status="active")
    ordered = await find(shop, "cleaning", **{"$sort[name]": "-1"})
    assert "Cleaning cloth" not in names(active)
    assert names(ordered) == sorted(names(ordered), reverse=True)


async def test_pages_of_a_search_follow_its_order(shop: World) -> None:
    whole = names(await find(shop, "tooth"))
    pages = [names(await find(shop, "tooth", **{"$limit": "1", "$skip": str(i)})) for i in range(2)]
    assert [name for page in pages for name in page] == whole


async def test_deleted_products_are_found_only_among_the_deleted(shop: World) -> None:
    async with shop.client() as client:
        await client.delete("/products/1")
    assert "Dental cleaning" not in names(await find(shop, "claening"))
    assert names(await find(shop, "claening", **{"deleted_at[$ne]": "null"})) == ["Dental cleaning"]


async def test_a_change_is_found_at_once(shop: World) -> None:
    async with shop.client() as client:
        await client.patch("/products/1", json={"name": "Scaling", "description": None, "sku": None})
    assert names(await find(shop, "scalling")) == ["Scaling"]
    assert names(await find(shop, "dental")) == []


async def test_totals_are_exact_to_a_limit_and_say_when_they_are_not(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_statement.cache_clear()
    monkeypatch.setattr(statements, "COUNTED", 2)
    monkeypatch.setattr(query, "COUNTED", 2)
    two, three = await find(shop, "cleaning"), await find(shop, "e")
    filtered = await find(shop, "e", status="active")
    find_statement.cache_clear()
    assert (two["total"], "total_is_minimum" in two) == (2, False)
    assert (three["total"], three["total_is_minimum"]) == (2, True)
    assert (filtered["total"], filtered["total_is_minimum"]) == (2, True)


MANY = """
    INSERT INTO {} (organization_id, {}, created_at, updated_at)
    SELECT 1, {}, now(), now() FROM generate_series(1, {}) i
"""


async def fill(url: str, table: str, columns: str, values: str, rows: int) -> None:
    owner = await asyncpg.connect(url)
    await owner.execute("SET app.org = '1'")
    await owner.execute(MANY.format(table, columns, values, rows))
    await owner.execute(f"VACUUM ANALYZE {table}")
    await owner.close()


async def test_what_a_scope_leaves_is_searched_whole(world: World, database_url: str) -> None:
    """More rows match than a search gives; the one of this conversation is none of the first."""
    await fill(database_url, "contacts", "first_name, system_type", "'Ana', 'contact'", 10_050)
    mine = await world.row("contacts", first_name="Ana Mía")
    conversation = await world.row("conversations", contact_id=mine)
    scope = Scope(conversation_id=conversation, contact_id=mine, is_verified=True)
    caller = Caller(OURS, None, Role.member, via="assistant", scope=scope)
    page = (await world.door.call(caller, "contacts", "find", query={"searchTerm": "ana mia"})).value
    every = (
        await world.door.call(Caller(OURS, None, Role.owner), "contacts", "find", query={"searchTerm": "ana"})
    ).value
    assert [row["id"] for row in page["data"]] == [mine]  # type: ignore[index, union-attr, call-overload]
    assert (every["total"], every["total_is_minimum"]) == (10_000, True)


async def test_a_condition_does_not_hide_what_comes_after_the_first_ten_thousand(
    world: World, database_url: str
) -> None:
    await fill(database_url, "contacts", "first_name, system_type", "'Ana', 'contact'", 10_050)
    await world.row("contacts", first_name="Ana", email="ana@example.com")
    async with world.client() as client:
        page = (await client.get("/contacts?searchTerm=ana&email=ana@example.com")).json()
    assert (page["total"], len(page["data"])) == (1, 1)
    assert "total_is_minimum" not in page


TERM = {
    "folded_term": "'claening'", "word_patterns": "(ARRAY['%clean%'])", "wanted_words": "'cleaning'::tsquery",
    "with_deleted": "false", "most": "10001", "term": "'clean'",
}  # fmt: skip
PLANS = {
    "whole words": (whole_words_query, "ix_products_search_words"),
    "parts": (parts_query, "ix_products_search_text"),
    "alike": (alike_query, "ix_products_search_names"),
    "without order": (search_query, "ix_products_search_text"),
}


@pytest.mark.parametrize("which", PLANS)
async def test_each_way_of_searching_uses_its_index(world: World, database_url: str, which: str) -> None:
    """As the role that the function runs as, with the search's words in place of its variables."""
    make, index = PLANS[which]
    await fill(database_url, "products", "name, status, type", "md5(i::text), 'active', 'service'", 10_000)
    statement = make(world.registry["products"].table)
    for name, value in TERM.items():
        statement = statement.replace(name, value)
    async with world.database.system() as connection:
        await connection.execute("SET app.org = '1'")
        plan = await connection.fetch(f"EXPLAIN {statement}")
    assert index in str(plan)


@pytest.mark.parametrize("path", ["products", "contacts", "product-categories"])
async def test_the_application_goes_from_the_ids_found_to_their_rows(
    world: World, database_url: str, path: str
) -> None:
    """As `frontdesk_app`, under the policies: no scan of the organization's rows."""
    columns = {"products": ("name, status, type", "md5(i::text), 'active', 'service'"),
               "contacts": ("first_name, system_type", "md5(i::text), 'contact'"),
               "product-categories": ("name", "md5(i::text)")}  # fmt: skip
    table = path.replace("-", "_")
    await fill(database_url, table, *columns[path], 10_000)
    statement = find_statement(world.registry[path], (), (), ("id",), True, "", False)
    values = {"org": OURS, "term": "abc", "limit": 10, "skip": 0, "id": None}
    async with world.database.reading(OURS) as connection:
        rows = await connection.fetch(f"EXPLAIN {statement.sql}", *statement.arguments(values))
    plan = "\n".join(row[0] for row in rows)
    assert f"Index Scan using uq_{table}_organization_id_id" in plan or f"Index Scan using pk_{table}" in plan
    assert "Seq Scan" not in plan


async def test_one_misspelt_name_is_found_among_many(world: World, database_url: str) -> None:
    await fill(database_url, "products", "name, status, type", "md5(i::text), 'active', 'service'", 10_000)
    await world.row("products", name="Dental cleaning")
    assert names(await find(world, "dental claening")) == ["Dental cleaning"]
