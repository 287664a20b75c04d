"""Contacts that may be the same person: suggested as pairs that can be merged as they are."""

from __future__ import annotations

import pytest

from frontdesk.core.fields import Plain
from tests.world import OURS, THEIRS, World


async def suggested(world: World, query: str = "") -> dict[str, object]:
    async with world.client() as client:
        answer = await client.get(f"/contact-duplicates{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids_of(page: dict[str, object]) -> list[tuple[int, int]]:
    return [(row["contact_id"], row["merged_contact_id"]) for row in page["data"]]  # type: ignore[attr-defined, index]


async def add(world: World, *rows: dict[str, Plain], organization_id: int = OURS) -> list[int]:
    return [await world.row("contacts", organization_id, **row) for row in rows]


async def test_the_same_address_is_a_pair_however_it_is_written(world: World) -> None:
    ids = await add(world, {"email": "Ana@example.com"}, {"email": "ana@example.com"}, {"email": "ben@example.com"})
    page = await suggested(world)
    row = page["data"][0]  # type: ignore[index]
    assert (page["total"], row["reasons"]) == (1, ["email"])
    assert (row["contact"]["id"], row["merged_contact"]["email"]) == (ids[0], "ana@example.com")


@pytest.mark.parametrize(
    "rows",
    [
        [{"phone": "+34 600 111 222"}, {"phone": "600111222", "phone_country_code": "+34"}],
        [{"phone": "(212) 555-0143", "phone_country_code": "+1"}, {"phone": "+1 2125550143"}],
    ],
    ids=["Spain", "United States"],
)
async def test_the_same_number_is_a_pair_however_it_is_written(world: World, rows: list[dict[str, Plain]]) -> None:
    ids = await add(world, *rows, {"phone": "600111222", "phone_country_code": "+49"})
    assert ids_of(await suggested(world)) == [(ids[0], ids[1])]


async def test_a_pair_for_two_reasons_is_told_once(world: World) -> None:
    twin: dict[str, Plain] = {"email": "a@example.com", "phone": "+34600111222"}
    await add(world, twin, twin)
    page = await suggested(world)
    assert [row["reasons"] for row in page["data"]] == [["email", "phone"]]  # type: ignore[attr-defined]


async def test_a_group_is_pairs_with_its_oldest_and_comes_in_pages(world: World) -> None:
    same: dict[str, Plain] = {"email": "a@example.com"}
    ids = await add(world, same, same, same, same)
    pages = [await suggested(world, f"?$limit=2&$skip={skip}") for skip in (0, 2, 4)]
    assert [page["total"] for page in pages] == [3, 3, 3]
    assert [pair for page in pages for pair in ids_of(page)] == [(ids[0], later) for later in ids[1:]]
    assert (await suggested(world, "?$limit=0"))["data"] == []


async def test_deleted_merged_and_other_organizations_contacts_are_none(world: World) -> None:
    same: dict[str, Plain] = {"email": "a@example.com"}
    ours = await add(world, same, same)
    await add(world, same, same, organization_id=THEIRS)
    async with world.client() as client:
        (pair,) = (await client.get("/contact-duplicates")).json()["data"]
        body = {name: pair[name] for name in ("contact_id", "merged_contact_id")}
        assert (await client.post("/contact-merges", json=body)).status_code == 201
    assert ids_of({"data": [pair]}) == [(ours[0], ours[1])]
    assert (await suggested(world))["total"] == 0


@pytest.mark.parametrize("query", ["?email=a", "?$sort[id]=1", "?$select[]=id", "?searchTerm=a", "?contact_id=1"])
async def test_other_parameters_are_refused(world: World, query: str) -> None:
    async with world.client() as client:
        assert (await client.get(f"/contact-duplicates{query}")).status_code == 400


@pytest.mark.parametrize(
    ("key", "index"),
    [("lower(email)", "ix_contacts_lower_email"), ("phone_digits", "ix_contacts_phone_digits")],
    ids=["email", "phone"],
)
async def test_groups_come_in_the_order_of_an_index(world: World, key: str, index: str) -> None:
    column = "email" if "email" in key else key
    sql = (
        "EXPLAIN SELECT array_agg(id) FROM contacts WHERE organization_id = 1 AND deleted_at IS NULL"
        f" AND {column} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
    )
    async with world.database.transaction(OURS) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashagg = off")
        plan = "\n".join(row[0] for row in await connection.fetch(sql))
    assert index in plan
