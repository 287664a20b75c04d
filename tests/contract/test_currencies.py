"""The organization's currencies: one default, the same as the organization says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.sales import Row, make
from tests.world import OURS, World


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        await make(client, "currencies", code="USD")
        yield client


async def state(client: httpx.AsyncClient) -> tuple[str, list[str]]:
    """The organization's currency, and the codes of those that are the default."""
    rows = (await client.get("/currencies", params={"is_default": "true"})).json()["data"]
    organization = (await client.get(f"/organizations/{OURS}")).json()
    return organization["currency"], [row["code"] for row in rows]


async def by_code(client: httpx.AsyncClient, code: str) -> Row:
    row: Row = (await client.get("/currencies", params={"code": code})).json()["data"][0]
    return row


async def test_the_organizations_currency_is_the_default(client: httpx.AsyncClient) -> None:
    row = await by_code(client, "USD")
    assert (row["name"], row["symbol"], row["is_default"]) == ("US Dollar", "$", True)
    euro = await make(client, "currencies", code="EUR")
    assert (euro["name"], euro["symbol"], euro["is_default"]) == ("Euro", "€", False)
    assert await state(client) == ("USD", ["USD"])


async def test_another_default_is_the_organizations_currency_too(client: httpx.AsyncClient) -> None:
    euro = await make(client, "currencies", code="EUR", is_default=True)
    assert await state(client) == ("EUR", ["EUR"])
    dollar = await by_code(client, "USD")
    await client.patch(f"/currencies/{dollar['id']}", json={"is_default": True})
    assert await state(client) == ("USD", ["USD"])
    assert (await client.get(f"/currencies/{euro['id']}")).json()["version"] == 2


@pytest.mark.parametrize("is_known", [True, False])
async def test_the_organizations_currency_brings_its_row(client: httpx.AsyncClient, is_known: bool) -> None:
    if is_known:
        await make(client, "currencies", code="COP", symbol="$", name="Peso")
    changed = await client.patch(f"/organizations/{OURS}", json={"currency": "COP"})
    assert changed.json()["currency"] == "COP"
    assert await state(client) == ("COP", ["COP"])
    assert (await by_code(client, "COP"))["name"] == ("Peso" if is_known else "Colombian Peso")


async def test_there_is_always_a_default(client: httpx.AsyncClient) -> None:
    one = f"/currencies/{(await by_code(client, 'USD'))['id']}"
    for answer in (await client.delete(one), await client.patch(one, json={"is_default": False})):
        assert (answer.status_code, list(answer.json()["errors"])) == (409, ["is_default"])
    assert await state(client) == ("USD", ["USD"])


@pytest.mark.parametrize("code", ["XYZ", "usd", "", "EURO", None, 978])
async def test_what_is_no_currency_is_refused(client: httpx.AsyncClient, code: object) -> None:
    answer = await client.post("/currencies", json={"code": code})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["code"])


async def test_a_currency_is_there_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/currencies", json={"code": "USD"})
    assert (answer.status_code, answer.json()["errors"]) == (409, {"code": "is taken"})


async def test_of_many_that_become_the_default_at_once_one_is(client: httpx.AsyncClient) -> None:
    rows = [await make(client, "currencies", code=code) for code in ("EUR", "GBP", "CHF", "COP")]
    answers = await asyncio.gather(
        *(client.patch(f"/currencies/{row['id']}", json={"is_default": True}) for row in rows),
        client.patch(f"/organizations/{OURS}", json={"currency": "EUR"}),
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    organization, defaults = await state(client)
    assert defaults == [organization]


async def test_a_member_reads_and_an_admin_changes(world: World, client: httpx.AsyncClient) -> None:
    euro = await make(client, "currencies", code="EUR")
    async with world.client(Role.member) as member, world.client(Role.admin) as admin:
        assert (await member.patch(f"/currencies/{euro['id']}", json={"is_default": True})).status_code == 403
        assert (await admin.patch(f"/currencies/{euro['id']}", json={"is_default": True})).status_code == 200
    assert await state(client) == ("EUR", ["EUR"])


async def test_a_deal_takes_the_default_unless_it_says_another(client: httpx.AsyncClient) -> None:
    pipeline = await make(client, "pipelines", name="Sales")
    await make(client, "pipeline-stages", name="New", pipeline_id=pipeline["id"])
    await client.patch(f"/organizations/{OURS}", json={"currency": "EUR"})
    assert (await make(client, "deals", name="A"))["currency"] == "EUR"
    assert (await make(client, "deals", name="B", currency="JPY"))["currency"] == "JPY"
