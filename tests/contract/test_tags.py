"""Tags of contacts over HTTP: as rows of their own, and as a member of the contact."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.world import THEIRS, World


@pytest.fixture
async def client(world: World) -> httpx.AsyncClient:
    return world.client()


async def tag(client: httpx.AsyncClient, name: str, **body: object) -> int:
    answer = await client.post("/tags", json={"name": name, **body})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def contact(client: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await client.post("/contacts", json={"first_name": "Ana", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def names(row: dict[str, object]) -> list[str]:
    return [one["name"] for one in row["tags"]]  # type: ignore[attr-defined]


async def test_a_contact_gets_its_tags_with_one_write(client: httpx.AsyncClient) -> None:
    vip, late = await tag(client, "VIP", color="#f59e0b"), await tag(client, "late")
    made = await contact(client, tag_ids=[vip, late, vip])
    assert made["tags"][1] == {"id": vip, "name": "VIP", "color": "#F59E0B"}  # type: ignore[index]
    one = f"/contacts/{made['id']}"
    assert names((await client.get(one)).json()) == ["late", "VIP"]
    changed = (await client.patch(one, json={"tag_ids": [vip]})).json()
    assert (names(changed), changed["version"]) == (["VIP"], 2)
    assert names((await client.patch(one, json={"first_name": "Bea"})).json()) == ["VIP"]
    assert names((await client.patch(one, json={"tag_ids": []})).json()) == []
    assert (await client.get("/contact-tags")).json()["total"] == 0


async def test_a_selected_answer_shows_tags_only_where_asked(client: httpx.AsyncClient) -> None:
    vip = await tag(client, "VIP")
    one = f"/contacts/{(await contact(client))['id']}"
    answer = await client.patch(f"{one}?$select[]=first_name", json={"tag_ids": [vip]})
    assert set(answer.json()) == {"id", "first_name"}
    answer = await client.patch(f"{one}?$select[]=tags", json={"tag_ids": []})
    assert answer.json()["tags"] == []


async def test_the_rows_between_can_be_written_by_themselves(client: httpx.AsyncClient) -> None:
    vip, row = await tag(client, "VIP"), await contact(client)
    body = {"contact_id": row["id"], "tag_id": vip}
    made = await client.post("/contact-tags", json=body)
    assert made.json()["tag"] == {"id": vip, "name": "VIP", "color": "#6B7280"}
    assert (await client.post("/contact-tags", json=body)).json()["errors"] == {"tag_id": "is taken"}
    assert names((await client.get(f"/contacts/{row['id']}")).json()) == ["VIP"]
    await client.delete(f"/contact-tags/{made.json()['id']}")
    assert names((await client.get(f"/contacts/{row['id']}")).json()) == []


@pytest.mark.parametrize("gone", ["tags", "contacts"])
async def test_the_rows_between_go_with_either_side(client: httpx.AsyncClient, gone: str) -> None:
    vip = await tag(client, "VIP")
    row = await contact(client, tag_ids=[vip])
    await client.delete(f"/{gone}/{vip if gone == 'tags' else row['id']}")
    assert (await client.get("/contact-tags")).json()["total"] == 0


async def test_contacts_are_found_by_a_tag(client: httpx.AsyncClient) -> None:
    vip, late = await tag(client, "VIP"), await tag(client, "late")
    await contact(client, first_name="a", tag_ids=[vip, late])
    await contact(client, first_name="b", tag_ids=[vip])
    await contact(client, first_name="c")
    for query, found in ((f"tag_id={vip}", ["a", "b"]), (f"tag_id={late}&first_name=b", []), ("tag_id=999", [])):
        page = (await client.get(f"/contacts?{query}")).json()
        assert ([row["first_name"] for row in page["data"]], page["total"]) == (found, len(found))
    assert (await client.get("/contacts?tag_id=VIP")).status_code == 400


WRONG = [None, 1, "1", [None], ["a"], [1.5], [{"id": 1}], [0], list(range(1, 52))]


@pytest.mark.parametrize("value", WRONG, ids=str)
async def test_wrong_ids_are_named_and_nothing_is_written(client: httpx.AsyncClient, value: object) -> None:
    answer = await client.post("/contacts", json={"first_name": "Ana", "tag_ids": value})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["tag_ids"])
    assert (await client.get("/contacts")).json()["total"] == 0


async def test_tags_of_others_and_deleted_ones_name_nothing(world: World, client: httpx.AsyncClient) -> None:
    theirs, gone = await tag(world.client(organization_id=THEIRS), "VIP"), await tag(client, "old")
    await client.delete(f"/tags/{gone}")
    for wrong in (theirs, gone):
        answer = await client.post("/contacts", json={"tag_ids": [wrong]})
        assert answer.json()["errors"] == {"tag_ids": f"names no row of tags ({wrong})"}


@pytest.mark.parametrize(("name", "status"), [("vip", 409), (" VIP ", 409), (" ", 400), ("x" * 61, 400), ("V", 201)])
async def test_a_name_is_unique_whatever_its_case(client: httpx.AsyncClient, name: str, status: int) -> None:
    await tag(client, "VIP")
    answer = await client.post("/tags", json={"name": name})
    assert answer.status_code == status
    assert status == 201 or list(answer.json()["errors"]) == ["name"]


@pytest.mark.parametrize("color", ["red", "#fff", "#12345G", "", None, "#1234567"], ids=str)
async def test_a_colour_is_six_digits(client: httpx.AsyncClient, color: object) -> None:
    answer = await client.post("/tags", json={"name": "a", "color": color})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["color"])


async def test_two_writers_at_once_leave_the_tags_of_one_of_them(client: httpx.AsyncClient) -> None:
    ids = [await tag(client, name) for name in "abcd"]
    one = f"/contacts/{(await contact(client))['id']}"
    answers = await asyncio.gather(*(client.patch(one, json={"tag_ids": ids[i : i + 2]}) for i in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    assert names((await client.get(one)).json()) in (["a", "b"], ["b", "c"], ["c", "d"])
