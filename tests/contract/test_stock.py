"""Stock movements: exact, never below nothing, and two at once lose nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import THEIRS, World


async def move(client: httpx.AsyncClient, product: int, quantity: object, **values: object) -> httpx.Response:
    return await client.post("/product-stock-movements", json={"product_id": product, "quantity": quantity, **values})


async def test_a_movement_changes_the_stock_and_says_what_is_left(world: World) -> None:
    product = await world.row("products", stock_quantity=10)
    async with world.client(Role.member) as client:
        moved = (await move(client, product, -3, reason="sale", note="Order 12")).json()
        read = (await client.get(f"/products/{product}")).json()
    assert (moved["resulting_quantity"], moved["reason"]) == (7, "sale")
    assert (read["stock_quantity"], read["version"]) == (7, 2)


async def test_movements_at_once_lose_nothing(world: World) -> None:
    product = await world.row("products", stock_quantity=20)
    async with world.client() as client:
        answers = await asyncio.gather(*(move(client, product, -1) for _ in range(25)))
        read = (await client.get(f"/products/{product}")).json()
    done = [answer.json()["resulting_quantity"] for answer in answers if answer.status_code == 201]
    assert sorted(done) == [*range(20)]
    assert [answer.status_code for answer in answers].count(409) == 5
    assert read["stock_quantity"] == 0


async def test_more_than_there_is_cannot_go_out(world: World) -> None:
    product = await world.row("products", stock_quantity=2)
    async with world.client() as client:
        answer = await move(client, product, -3)
        movements = (await client.get("/product-stock-movements")).json()
    assert answer.status_code == 409
    assert answer.json()["data"] == {"stock_quantity": 2}
    assert movements["total"] == 0


async def test_a_product_without_stock_has_no_movements(world: World) -> None:
    product = await world.row("products")
    async with world.client() as client:
        answer = await move(client, product, 1)
    assert answer.status_code == 400
    assert "stock_quantity" in answer.json()["errors"]["product_id"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"quantity": 0}, "quantity"), ({"quantity": 1.5}, "quantity"), ({"quantity": 2**62}, "quantity"),
        ({"quantity": None}, "quantity"), ({"quantity": 1, "reason": "theft"}, "reason"),
    ],
    ids=["zero", "half", "huge", "null", "reason"],
)  # fmt: skip
async def test_a_wrong_movement_is_refused_by_its_field(world: World, given: dict[str, object], field: str) -> None:
    product = await world.row("products", stock_quantity=2)
    async with world.client() as client:
        answer = await client.post("/product-stock-movements", json={"product_id": product, **given})
    assert answer.status_code == 400
    assert [*answer.json()["errors"]] == [field]


async def test_another_organizations_stock_stays(world: World) -> None:
    theirs = await world.row("products", THEIRS, stock_quantity=5)
    async with world.client() as client:
        answer = await move(client, theirs, -1)
    async with world.client(organization_id=THEIRS) as client:
        read = (await client.get(f"/products/{theirs}")).json()
    assert (answer.status_code, read["stock_quantity"]) == (400, 5)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_movement_stays_as_it_is(world: World, method: str) -> None:
    row = await world.row("product-stock-movements")
    async with world.client() as client:
        answer = await client.request(method, f"/product-stock-movements/{row}", json={})
    assert answer.status_code == 405


async def test_a_movement_tells_that_the_product_changed(world: World) -> None:
    product = await world.row("products", stock_quantity=1)
    async with world.client() as client:
        await move(client, product, 4)
    async with world.database.system() as connection:
        names = await connection.fetch("SELECT name FROM events WHERE row_id = $1 ORDER BY xid, id", product)
    assert "products.updated" in [row["name"] for row in names]
