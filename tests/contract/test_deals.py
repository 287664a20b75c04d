"""Deals over HTTP: where they stand, how they end, what is joined to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from frontdesk.core.caller import Role
from tests.sales import Sales, make, make_pipeline, make_sales
from tests.world import OURS, THEIRS, World

CLOSING = "2027-03-31T00:00:00.000Z"


@pytest.fixture
async def sales(world: World) -> AsyncIterator[Sales]:
    async with world.client() as client:
        yield await make_sales(world, client)


async def test_a_new_deal_stands_at_the_beginning(sales: Sales) -> None:
    deal = await sales.deal()
    assert (deal["amount"], deal["currency"], deal["status"]) == ("0.00", "USD", "open")
    assert (deal["pipeline_id"], deal["pipeline_stage_id"]) == (sales.pipeline["id"], sales.stages[0]["id"])
    assert (deal["won_date"], deal["lost_date"], deal["lost_reason"]) == (None, None, None)
    assert (deal["dealProducts"], deal["products_total_with_tax"]) == ([], "0.00")


async def test_the_joined_members_are_the_published_ones(world: World, sales: Sales) -> None:
    user = world.users[(Role.owner, OURS)]
    company = await make(sales.client, "companies", name="Northwind", owned_by_user_id=user)
    contact = await make(
        sales.client, "contacts", first_name="Ana", last_name="Torres", phone="5550102030", phone_country_code="+1",
        company_id=company["id"],
    )  # fmt: skip
    deal = await sales.deal(
        contact_id=contact["id"], company_id=company["id"], owned_by_user_id=user, expected_close_date=CLOSING
    )
    assert deal["pipeline"] == {"id": sales.pipeline["id"], "name": "Sales"}
    assert deal["pipelineStage"] == {"id": sales.stages[0]["id"], "name": "New", "pipeline_id": sales.pipeline["id"]}
    assert deal["company"] == {
        "id": company["id"], "name": "Northwind", "organization_id": OURS, "created_by_user_id": user,
        "owned_by_user_id": user,
    }  # fmt: skip
    assert deal["contact"] == {
        "id": contact["id"], "first_name": "Ana", "last_name": "Torres", "email": None, "phone": "5550102030",
        "phone_country_code": "+1", "company_id": company["id"], "avatar_url": None,
    }  # fmt: skip
    assert deal["owner"] == {"id": user, "first_name": None, "last_name": None, "email": "owner1@example.com"}
    assert deal["expected_close_date"] == CLOSING


@pytest.mark.parametrize(
    ("given", "shown"),
    [(25000, "25000.00"), ("25000", "25000.00"), (19.999, "20.00"), ("0.005", "0.01"), (0, "0.00")],
    ids=str,
)
async def test_an_amount_is_a_decimal_of_two_places(sales: Sales, given: object, shown: str) -> None:
    deal = await sales.deal(amount=given)
    assert deal["amount"] == shown
    assert (await sales.client.get("/deals", params={"amount": shown})).json()["total"] == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"amount": -1}, "amount"), ({"amount": "much"}, "amount"), ({"amount": 1e15}, "amount"),
        ({"amount": None}, "amount"), ({"amount": True}, "amount"), ({"currency": "XYZ"}, "currency"),
        ({"currency": "eur"}, "currency"), ({"status": "paused"}, "status"), ({"name": None}, "name"),
        ({"pipeline_id": None}, "pipeline_id"), ({"pipeline_stage_id": 999}, "pipeline_stage_id"),
        ({"pipeline_id": 999}, "pipeline_id"), ({"contact_id": 999}, "contact_id"), ({"company_id": 999}, "company_id"),
        ({"owned_by_user_id": 999}, "owned_by_user_id"), ({"expected_close_date": "soon"}, "expected_close_date"),
        ({"lost_reason": "Price"}, "lost_reason"), ({"status": "won", "lost_date": CLOSING}, "lost_date"),
        ({"lost_reason": "x" * 1001}, "lost_reason"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_wrong_value_is_named(sales: Sales, body: dict[str, object], named: str) -> None:
    answer = await sales.client.post("/deals", json={"name": "Website", **body})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [named])
    assert await sales.refused(await sales.deal(), **body) == {named}


@pytest.mark.parametrize(
    ("name", "path"),
    [("contact_id", "contacts"), ("company_id", "companies"), ("pipeline_stage_id", "pipeline-stages"),
     ("pipeline_id", "pipelines")],
)  # fmt: skip
async def test_another_organizations_rows_cannot_be_named(world: World, sales: Sales, name: str, path: str) -> None:
    theirs = await world.row(path, THEIRS)
    assert await sales.refused(await sales.deal(), **{name: theirs}) == {name}


async def test_a_stage_brings_its_pipeline(sales: Sales) -> None:
    other, [first, second] = await make_pipeline(sales.client, "Renewals", "Due", "Late")
    deal = await sales.deal(pipeline_stage_id=second["id"])
    assert deal["pipeline_id"] == other["id"]
    back = await sales.change(deal, pipeline_stage_id=sales.stages[2]["id"])
    assert (back["pipeline_id"], back["pipelineStage"]["name"]) == (sales.pipeline["id"], "Signing")
    moved = await sales.change(back, pipeline_id=other["id"])
    assert (moved["pipeline_id"], moved["pipeline_stage_id"]) == (other["id"], first["id"])


async def test_a_stage_of_another_pipeline_is_refused(sales: Sales) -> None:
    _, [due] = await make_pipeline(sales.client, "Renewals", "Due")
    body = {"pipeline_id": sales.pipeline["id"], "pipeline_stage_id": due["id"]}
    answer = await sales.client.post("/deals", json={"name": "Website", **body})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["pipeline_stage_id"])


async def test_a_pipeline_of_conversations_takes_no_deals(sales: Sales) -> None:
    care, [asked] = await make_pipeline(sales.client, "Care", "Asked", entity="conversations")
    deal = await sales.deal()
    assert await sales.refused(deal, pipeline_id=care["id"]) == {"pipeline_id"}
    assert await sales.refused(deal, pipeline_stage_id=asked["id"]) == {"pipeline_stage_id"}


async def test_without_a_pipeline_the_first_step_is_told(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/deals", json={"name": "Website"})
    assert answer.status_code == 400
    assert "no pipeline" in answer.json()["errors"]["pipeline_id"]


async def test_winning_and_losing_keep_status_and_dates_in_step(sales: Sales) -> None:
    deal = await sales.deal()
    won = await sales.change(deal, status="won")
    assert won["won_date"] is not None
    lost = await sales.change(won, lost_date=CLOSING, lost_reason="Price")
    assert (lost["status"], lost["won_date"], lost["lost_date"], lost["lost_reason"]) == (
        "lost",
        None,
        CLOSING,
        "Price",
    )
    again = await sales.change(lost, status="open")
    assert (again["status"], again["lost_date"], again["lost_reason"]) == ("open", None, None)


async def test_a_record_that_was_read_can_be_sent_back(sales: Sales) -> None:
    won = await sales.change(await sales.deal(amount="10.50"), status="won")
    same = await sales.change(won, **won)
    assert {**same, "version": 0, "updated_at": ""} == {**won, "version": 0, "updated_at": ""}
    lost = await sales.change(won, **{**won, "status": "lost"})
    assert (lost["status"], lost["won_date"]) == ("lost", None)
    _, [due] = await make_pipeline(sales.client, "Renewals", "Due")
    assert (await sales.change(lost, **{**lost, "pipeline_stage_id": due["id"]}))["pipelineStage"]["name"] == "Due"


async def test_deals_are_found_by_every_field_and_by_name(sales: Sales) -> None:
    deal = await sales.deal(name="Página web", amount="12.50", currency="EUR", pipeline_stage_id=sales.stages[1]["id"])
    await sales.deal(name="Shop", amount="7")
    for query in (
        {"pipeline_stage_id": deal["pipeline_stage_id"]}, {"currency": "EUR"}, {"amount[$gt]": "10"},
        {"searchTerm": "pagina"}, {"name": "Página web"}, {"status": "open", "$sort[amount]": "-1", "amount[$ne]": "7"},
    ):  # fmt: skip
        page = (await sales.client.get("/deals", params=query)).json()
        assert [row["id"] for row in page["data"]] == [deal["id"]], query


async def test_what_is_deleted_leaves_the_deal(sales: Sales) -> None:
    contact = await make(sales.client, "contacts", first_name="Ana")
    company = await make(sales.client, "companies", name="Northwind")
    deal = await sales.deal(contact_id=contact["id"], company_id=company["id"])
    await sales.client.delete(f"/contacts/{contact['id']}")
    await sales.client.delete(f"/companies/{company['id']}")
    left = (await sales.client.get(f"/deals/{deal['id']}")).json()
    assert (left["contact_id"], left["contact"], left["company_id"], left["company"]) == (None, None, None, None)


async def test_of_two_changes_at_once_with_the_same_version_one_is_told(sales: Sales) -> None:
    deal = await sales.deal()
    headers = {"if-match": str(deal["version"])}
    answers = await asyncio.gather(
        *(
            sales.client.patch(f"/deals/{deal['id']}", json=body, headers=headers)
            for body in ({"amount": 5}, {"name": "Shop"}, {"status": "won"}, {"expected_close_date": CLOSING})
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    stored = (await sales.client.get(f"/deals/{deal['id']}")).json()
    assert stored == next(answer.json() for answer in answers if answer.status_code == 200)


async def test_changes_at_once_of_different_members_are_all_kept(sales: Sales) -> None:
    deal = await sales.deal()
    bodies = [{"amount": 5}, {"name": "Shop"}, {"status": "won"}, {"pipeline_stage_id": sales.stages[1]["id"]}]
    await asyncio.gather(*(sales.change(deal, **body) for body in bodies))
    stored = (await sales.client.get(f"/deals/{deal['id']}")).json()
    assert (stored["amount"], stored["name"], stored["status"], stored["version"]) == ("5.00", "Shop", "won", 5)


async def test_a_deal_has_custom_values(sales: Sales) -> None:
    await make(sales.client, "custom-fields", entity="deal", name="Source", type="select", options=["fair", "web"])
    deal = await sales.deal(custom_fields_by_name={"Source": "fair"})
    assert (deal["custom_fields_by_name"], deal["status"]) == ({"Source": "fair"}, "open")
    won = await sales.change(deal, status="won", custom_fields_by_key={"source": "web"})
    assert (won["custom_fields_by_name"], won["status"]) == ({"Source": "web"}, "won")
    found = (await sales.client.get("/deals", params={"custom_fields_by_key[source]": "web"})).json()
    assert [row["id"] for row in found["data"]] == [deal["id"]]


async def test_turning_points_are_told(world: World, sales: Sales) -> None:
    deal = await sales.deal()
    for body in (
        {"pipeline_stage_id": sales.stages[1]["id"]}, {"status": "won"}, {"status": "won", "amount": 5},
        {"lost_date": CLOSING, "pipeline_stage_id": sales.stages[2]["id"]}, {"status": "open"}, {"name": "Shop"},
    ):  # fmt: skip
        await sales.change(deal, **body)
    async with world.database.system() as connection:
        rows = await connection.fetch(
            "SELECT name FROM events WHERE resource = 'deals' AND name <> 'deals.updated' ORDER BY xid, id"
        )
    told = ["created", "stage_changed", "won", "lost", "stage_changed", "reopened"]
    assert [row["name"] for row in rows] == [f"deals.{name}" for name in told]
