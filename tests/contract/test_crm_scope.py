"""Scope `own` on rows that hang on the customer by way of others: their company, their deals, the lines of those."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.errors import Forbidden, Invalid, NotFound
from tests.world import OURS, THEIRS, World


@dataclass
class Customer:
    """A contact with a company, a deal and a line of it."""

    contacts: int
    companies: int
    deals: int
    deal_products: int

    def id_of(self, path: str) -> int:
        return int(getattr(self, path.replace("-", "_")))


@dataclass
class Two:
    """Two customers of one organization, a stranger of another, and the conversation in which one of them writes."""

    world: World
    ana: Customer
    bob: Customer
    stranger: Customer
    conversation: int

    def caller(self, contact_id: int | None, *, is_verified: bool = True) -> Caller:
        scope = Scope(self.conversation, contact_id, is_verified)
        return Caller(OURS, None, Role.member, scope=scope, via="tool", conversation_id=self.conversation)

    async def found(self, caller: Caller, path: str, **query: object) -> list[int]:
        page = (await self.world.door.call(caller, path, "find", query=query)).value
        return [row["id"] for row in page["data"]]  # type: ignore[index, union-attr, call-overload, misc]


async def customer(world: World, organization_id: int = OURS) -> Customer:
    company = await world.row("companies", organization_id)
    contact = await world.row("contacts", organization_id, company_id=company)
    deal = await world.row("deals", organization_id, contact_id=contact, company_id=company)
    return Customer(contact, company, deal, await world.row("deal-products", organization_id, deal_id=deal))


@pytest.fixture
async def two(world: World) -> Two:
    ana, bob, stranger = await customer(world), await customer(world), await customer(world, THEIRS)
    return Two(world, ana, bob, stranger, await world.row("conversations", contact_id=ana.contacts))


PATHS = ["companies", "deals", "deal-products"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_verified_customer_reaches_what_is_theirs_and_no_more(two: Two, path: str) -> None:
    ana = two.caller(two.ana.contacts)
    assert await two.found(ana, path) == [two.ana.id_of(path)]
    assert (await two.world.door.call(ana, path, "get", id=two.ana.id_of(path))).id == two.ana.id_of(path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["get", "patch", "remove"])
async def test_anothers_rows_are_as_if_they_did_not_exist(two: Two, path: str, verb: str) -> None:
    for row_id in (two.bob.id_of(path), two.stranger.id_of(path)):
        with pytest.raises(NotFound):
            await two.world.door.call(two.caller(two.ana.contacts), path, verb, id=row_id, data={})  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("contact", ["ana", None])
async def test_who_only_claims_to_be_somebody_reaches_nothing(two: Two, path: str, contact: str | None) -> None:
    caller = two.caller(two.ana.contacts if contact else None, is_verified=False)
    assert await two.found(caller, path) == []


@pytest.mark.parametrize("path", PATHS)
async def test_no_query_reaches_further(two: Two, path: str) -> None:
    theirs = two.bob.id_of(path)
    for query in ({"id": theirs}, {"$or": [{"id": theirs}, {"id": {"$gt": 0}}]}, {"id": {"$ne": two.ana.id_of(path)}}):
        assert set(await two.found(two.caller(two.ana.contacts), path, **query)) <= {two.ana.id_of(path)}


async def test_a_company_is_lost_with_the_contact_who_led_to_it(two: Two) -> None:
    async with two.world.database.system() as connection:
        await connection.execute("UPDATE contacts SET company_id = NULL WHERE id = $1", two.ana.contacts)
    assert await two.found(two.caller(two.ana.contacts), "companies") == []


async def test_a_deal_is_made_for_the_customer_who_asks(two: Two) -> None:
    ana = two.caller(two.ana.contacts)
    made = (await two.world.door.call(ana, "deals", "create", data={"name": "Shop"})).value
    assert (made["contact_id"], made["created_in_conversation_id"]) == (two.ana.contacts, two.conversation)
    with pytest.raises(Invalid) as refused:
        await two.world.door.call(ana, "deals", "create", data={"name": "Shop", "contact_id": two.bob.contacts})
    assert list(refused.value.errors) == ["contact_id"]


@pytest.mark.parametrize("name", ["company_id", "pipeline_stage_id"])
async def test_a_deal_names_nothing_of_others(two: Two, name: str) -> None:
    theirs = two.bob.companies if name == "company_id" else await two.world.row("pipeline-stages", THEIRS)
    with pytest.raises(Invalid) as refused:
        await two.world.door.call(two.caller(two.ana.contacts), "deals", "patch", id=two.ana.deals, data={name: theirs})
    assert list(refused.value.errors) == [name]


async def test_a_line_is_added_to_an_own_deal_only(two: Two) -> None:
    line = {"product_id": await two.world.row("products", status="active"), "quantity": 1, "price": 5}
    ana = two.caller(two.ana.contacts)
    made = (await two.world.door.call(ana, "deal-products", "create", data={**line, "deal_id": two.ana.deals})).value
    assert made["total_amount_with_tax"] == "5.00"
    for deal in (two.bob.deals, two.stranger.deals):
        with pytest.raises(Invalid):
            await two.world.door.call(ana, "deal-products", "create", data={**line, "deal_id": deal})


async def test_owners_are_named_by_the_organization_only(two: Two) -> None:
    for path in ("deals", "companies"):
        with pytest.raises(Invalid) as refused:
            await two.world.door.call(
                two.caller(two.ana.contacts), path, "patch", id=two.ana.id_of(path), data={"owned_by_user_id": 1}
            )
        assert refused.value.errors == {"owned_by_user_id": "cannot be set in this conversation"}


@pytest.mark.parametrize("path", ["pipelines", "pipeline-stages", "currencies"])
async def test_what_a_deal_is_made_of_is_read_and_never_changed(two: Two, path: str) -> None:
    row_id = await two.world.row(path)
    assert row_id in await two.found(two.caller(None, is_verified=False), path, **{"$limit": 50})
    with pytest.raises(Forbidden):
        await two.world.door.call(two.caller(two.ana.contacts), path, "patch", id=row_id, data={})
