"""Products: families of variants, categories, prices in the organization's currency, media."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, THEIRS, World


async def create(client: httpx.AsyncClient, **values: object) -> httpx.Response:
    return await client.post("/products", json={"name": "Shirt", **values})


async def id_of(client: httpx.AsyncClient, **values: object) -> int:
    answer = await create(client, **values)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def test_a_product_shows_category_and_currency(world: World) -> None:
    category = await world.row("product-categories", name="Clothes")
    async with world.client(Role.member) as client:
        made = (await create(client, product_category_id=category, price=999.995, type="product")).json()
        page = (await client.get(f"/products?product_category_id={category}&$select[]=currency")).json()
    assert made["category"] == {"id": category, "name": "Clothes"}
    assert (made["price"], made["currency"], made["media"], made["main_media_path"]) == (1000.0, "USD", [], None)
    assert page["data"] == [{"id": made["id"], "currency": "USD"}]


async def test_the_currency_is_the_organizations_and_read_only(world: World) -> None:
    async with world.client() as client:
        made = (await create(client, currency="JPY")).json()
        await client.patch(f"/organizations/{OURS}", json={"currency": "EUR"})
        read = (await client.get(f"/products/{made['id']}")).json()
    assert (made["currency"], read["currency"]) == ("USD", "EUR")


async def test_a_deleted_category_leaves_its_products_without_one(world: World) -> None:
    category = await world.row("product-categories")
    product = await world.row("products", product_category_id=category)
    async with world.client() as client:
        await client.delete(f"/product-categories/{category}")
        read = (await client.get(f"/products/{product}")).json()
    assert (read["product_category_id"], read["category"]) == (None, None)


WRONG = {
    "price": -1, "stock_quantity": -1, "status": "sold", "type": "food", "product_category_id": 999, "parent_id": 999,
    "name": "", "is_variant": "yes", "sku": 7,
}  # fmt: skip


@pytest.mark.parametrize("field", [name for name in WRONG if name != "name"])
async def test_a_wrong_value_is_refused_by_its_name(world: World, field: str) -> None:
    async with world.client() as client:
        answer = await create(client, **{field: WRONG[field]})
    assert answer.status_code == 400
    assert [*answer.json()["errors"]] == [field]


async def test_a_variant_is_one_by_its_parent(world: World) -> None:
    async with world.client() as client:
        parent = await id_of(client)
        made = (await create(client, parent_id=parent)).json()
        freed = (await client.patch(f"/products/{made['id']}", json={"parent_id": None})).json()
    assert (made["is_variant"], made["parent_id"]) == (True, parent)
    assert (freed["is_variant"], freed["parent_id"]) == (False, None)


async def test_a_variant_may_wait_for_its_parent(world: World) -> None:
    async with world.client() as client:
        made = (await create(client, is_variant=True)).json()
        unknown = (await create(client, is_variant=None)).json()
        found = (await client.get("/products?is_variant=null")).json()
    assert (made["is_variant"], made["parent_id"]) == (True, None)
    assert [row["id"] for row in found["data"]] == [unknown["id"]]


@pytest.mark.parametrize("said", [False, None])
async def test_what_has_a_parent_cannot_say_that_it_is_no_variant(world: World, said: bool | None) -> None:
    async with world.client() as client:
        parent = await id_of(client)
        answer = await create(client, parent_id=parent, is_variant=said)
        variant = await id_of(client, parent_id=parent)
        changed = await client.patch(f"/products/{variant}", json={"is_variant": said})
    assert [answer.status_code, changed.status_code] == [400, 400]
    assert "is_variant" in answer.json()["errors"]


async def test_families_have_two_levels(world: World) -> None:
    async with world.client() as client:
        parent = await id_of(client)
        variant = await id_of(client, parent_id=parent)
        other = await id_of(client)
        below = await create(client, parent_id=variant)
        above = await client.patch(f"/products/{parent}", json={"parent_id": other})
        itself = await client.patch(f"/products/{other}", json={"parent_id": other})
    assert [answer.status_code for answer in (below, above, itself)] == [400, 400, 400]
    assert all([*answer.json()["errors"]] == ["parent_id"] for answer in (below, above, itself))


async def test_two_that_want_to_be_each_others_parent_do_not_both_succeed(world: World) -> None:
    async with world.client() as client:
        one, two = await id_of(client), await id_of(client)
        answers = await asyncio.gather(
            client.patch(f"/products/{one}", json={"parent_id": two}),
            client.patch(f"/products/{two}", json={"parent_id": one}),
        )
        rows = (await client.get("/products")).json()["data"]
    assert {answer.status_code for answer in answers} <= {200, 400, 409}
    assert sum(row["parent_id"] is not None for row in rows) <= 1


async def test_variants_go_with_their_parent(world: World) -> None:
    async with world.client() as client:
        parent = await id_of(client)
        await create(client, parent_id=parent)
        await client.post("/product-media", json={"product_id": parent, "url": "https://example.com/a.png"})
        await client.delete(f"/products/{parent}")
        left = (await client.get("/products")).json()
        media = (await client.get("/product-media")).json()
    assert (left["total"], media["total"]) == (0, 0)


@pytest.mark.parametrize("field", ["parent_id", "product_category_id"])
async def test_another_organizations_rows_cannot_be_named(world: World, field: str) -> None:
    path = "products" if field == "parent_id" else "product-categories"
    theirs = await world.row(path, THEIRS)
    async with world.client() as client:
        answer = await create(client, **{field: theirs})
    assert answer.status_code == 400
    assert "names no row" in answer.json()["errors"][field]


NAMES = ["Dental Hygiene", "Higiene íntima", "50% off", "a_b"]
PARTS = {
    "hyg": {"Dental Hygiene"}, "HIGIENE": {"Higiene íntima"}, "intima": {"Higiene íntima"},
    "tal hy": {"Dental Hygiene"},
    "hygiene dental": set(), "%25": {"50% off"}, "a_b": {"a_b"}, "_": {"a_b"}, "": {*NAMES}, "zz": set(),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
async def test_a_category_is_found_by_a_part_of_its_name(world: World, part: str) -> None:
    for name in NAMES:
        await world.row("product-categories", name=name)
    await world.row("product-categories", THEIRS, name="Dental hygiene, 50% a_b")
    async with world.client() as client:
        page = (await client.get(f"/product-categories?name={part}")).json()
    assert {row["name"] for row in page["data"]} == PARTS[part]
    assert page["total"] == len(PARTS[part])


async def test_a_categorys_name_takes_operators_too(world: World) -> None:
    for name in NAMES:
        await world.row("product-categories", name=name)
    async with world.client() as client:
        page = (await client.get("/product-categories?name[$in][]=a_b&name[$in][]=a")).json()
    assert [row["name"] for row in page["data"]] == ["a_b"]


async def test_media_stand_in_their_order_and_the_first_is_the_main_one(world: World) -> None:
    product = await world.row("products")
    async with world.client() as client:
        for name in ("one", "two"):
            body = {"product_id": product, "url": f"https://example.com/{name}.png", "alt": name}
            last = (await client.post("/product-media", json=body)).json()
        await client.patch(f"/product-media/{last['id']}", json={"position": 0})
        await client.patch("/product-media/1", json={"position": 5})
        shown = (await client.get(f"/products/{product}")).json()
    assert last["position"] == 1
    assert [medium["alt"] for medium in shown["media"]] == ["two", "one"]
    assert shown["main_media_path"] == "https://example.com/two.png"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "s3_key"), ({"url": "http://example.com/a.png"}, "url"), ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://e.com/a", "s3_key": "x"}, "s3_key"), ({"s3_key": "../../etc/passwd"}, "s3_key"),
        ({"url": "https://e.com/a", "position": -1}, "position"),
    ],
    ids=["neither", "no tls", "script", "both", "traversal", "position"],
)  # fmt: skip
async def test_media_that_cannot_be_are_refused(world: World, given: dict[str, object], field: str) -> None:
    product = await world.row("products")
    async with world.client() as client:
        answer = await client.post("/product-media", json={"product_id": product, **given})
    assert answer.status_code == 400
    assert [*answer.json()["errors"]] == [field]
