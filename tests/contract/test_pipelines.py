"""Pipelines and their stages over HTTP: order, names, and what cannot be deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.sales import Sales, make, make_pipeline, make_sales
from tests.world import World


@pytest.fixture
async def sales(world: World) -> AsyncIterator[Sales]:
    async with world.client() as client:
        yield await make_sales(world, client)


async def test_a_pipeline_shows_its_stages_in_their_order(sales: Sales) -> None:
    last = sales.stages[-1]
    await sales.client.patch(f"/pipeline-stages/{last['id']}", json={"position": 0})
    shown = (await sales.client.get(f"/pipelines/{sales.pipeline['id']}")).json()
    assert [stage["name"] for stage in shown["stages"]] == ["Signing", "New", "Offer"]
    listed = (await sales.client.get("/pipeline-stages", params={"pipeline_id": sales.pipeline["id"]})).json()
    assert [(stage["name"], stage["position"]) for stage in listed["data"]] == [
        ("Signing", 0),
        ("New", 1),
        ("Offer", 2),
    ]


async def test_what_is_new_comes_last_of_its_kind(sales: Sales) -> None:
    renewals = await make(sales.client, "pipelines", name="Renewals")
    care = await make(sales.client, "pipelines", name="Care", entity="conversations")
    assert (sales.pipeline["position"], renewals["position"], care["position"]) == (1, 2, 1)


async def test_names_are_unique_where_they_stand_together(sales: Sales) -> None:
    stage = {"name": "Offer", "pipeline_id": sales.pipeline["id"]}
    for path, body in (("pipelines", {"name": "Sales"}), ("pipeline-stages", stage)):
        answer = await sales.client.post(f"/{path}", json=body)
        assert (answer.status_code, answer.json()["errors"]) == (409, {"name": "is taken"})
    await make_pipeline(sales.client, "Sales", "Offer", entity="conversations")


async def test_a_deleted_name_is_free_again(sales: Sales) -> None:
    await sales.client.delete(f"/pipeline-stages/{sales.stages[1]['id']}")
    await make(sales.client, "pipeline-stages", name="Offer", pipeline_id=sales.pipeline["id"])


@pytest.mark.parametrize("body", [{"entity": "tickets"}, {"name": None}, {"position": -1}, {"position": 1.5}], ids=str)
async def test_a_wrong_value_is_named(sales: Sales, body: dict[str, object]) -> None:
    answer = await sales.client.post("/pipelines", json={"name": "Other", **body})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [*body])


async def test_what_deals_stand_in_is_not_deleted(sales: Sales) -> None:
    deal = await sales.deal()
    for path, row in (("pipeline-stages", sales.stages[0]), ("pipelines", sales.pipeline)):
        answer = await sales.client.delete(f"/{path}/{row['id']}")
        assert (answer.status_code, "deals" in answer.json()["message"]) == (409, True)
    await sales.client.delete(f"/deals/{deal['id']}")
    assert (await sales.client.delete(f"/pipelines/{sales.pipeline['id']}")).status_code == 200
    assert (await sales.client.get(f"/pipeline-stages/{sales.stages[0]['id']}")).status_code == 404


async def test_what_conversations_stand_in_is_not_deleted(world: World, sales: Sales) -> None:
    care, [asked] = await make_pipeline(sales.client, "Care", "Asked", entity="conversations")
    await world.row("conversations", pipeline_id=care["id"], pipeline_stage_id=asked["id"])
    for path, row in (("pipeline-stages", asked), ("pipelines", care)):
        answer = await sales.client.delete(f"/{path}/{row['id']}")
        assert (answer.status_code, "conversations" in answer.json()["message"]) == (409, True)


async def test_no_deal_comes_to_stand_in_a_stage_that_is_being_deleted(sales: Sales) -> None:
    for stage in sales.stages:
        made, removed = await asyncio.gather(
            sales.client.post("/deals", json={"name": "Website", "pipeline_stage_id": stage["id"]}),
            sales.client.delete(f"/pipeline-stages/{stage['id']}"),
        )
        assert (made.status_code, removed.status_code) in {(201, 409), (400, 200)}


async def test_a_deal_that_names_nothing_never_falls_into_what_is_being_deleted(sales: Sales) -> None:
    made, removed = await asyncio.gather(
        sales.client.post("/deals", json={"name": "Website"}),
        sales.client.delete(f"/pipelines/{sales.pipeline['id']}"),
    )
    assert (made.status_code, removed.status_code) in {(201, 409), (400, 200)}
