"""Contacts and companies over HTTP: joins, flags, and phone numbers with their country."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.sales import Row, make, patched
from tests.world import OURS, THEIRS, World

PERSON = {"id", "first_name", "last_name"}


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


def phone_of(row: Row) -> tuple[str | None, str | None, str | None]:
    return row["phone"], row["phone_country_code"], row["phone_country_iso"]


@pytest.mark.parametrize(
    ("path", "flag", "names"),
    [("contacts", "fastJoinForContactList", ["company", "owner"]),
     ("companies", "fastJoinForCompanyList", ["creator", "owner"])],
)  # fmt: skip
async def test_a_list_joins_when_its_flag_says_so(
    world: World, client: httpx.AsyncClient, path: str, flag: str, names: list[str]
) -> None:
    row = await make(client, path, **await world.body(path), owned_by_user_id=world.users[(Role.member, OURS)])
    plain = (await client.get(f"/{path}", params={"$limit": 25})).json()["data"][0]
    full = (await client.get(f"/{path}", params={"$limit": 25, flag: "true"})).json()["data"][0]
    assert sorted(set(full) - set(plain)) == names
    assert set(full["owner"]) == PERSON
    assert full["owner"] == row["owner"]
    assert (await client.get(f"/{path}", params={flag: "perhaps"})).status_code == 400


async def test_the_company_of_a_contact_is_one_of_ours(world: World, client: httpx.AsyncClient) -> None:
    company = await make(client, "companies", name="Northwind")
    contact = await make(client, "contacts", first_name="Ana", company_id=company["id"])
    assert contact["company"] == {"id": company["id"], "name": "Northwind"}
    for wrong in (await world.row("companies", THEIRS), 999):
        answer = await patched(client, "contacts", contact, company_id=wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["company_id"])
    await client.delete(f"/companies/{company['id']}")
    left = (await client.get(f"/contacts/{contact['id']}")).json()
    assert (left["company_id"], left["company"], left["version"]) == (None, None, 2)


async def test_the_creator_of_a_company_is_who_made_it(world: World, client: httpx.AsyncClient) -> None:
    company = await make(client, "companies", name="Northwind")
    assert company["creator"] == {"id": world.users[(Role.owner, OURS)], "first_name": None, "last_name": None}
    assert company["owner"] is None


@pytest.mark.parametrize(
    ("body", "named"),
    [({"website": "northwind"}, "website"), ({"website": "javascript:alert(1)"}, "website"), ({"name": ""}, None),
     ({"website": "ftp://a.example"}, "website"), ({"size": "x" * 61}, "size"), ({"name": None}, "name")],
    ids=str,
)  # fmt: skip
async def test_a_company_is_checked(client: httpx.AsyncClient, body: dict[str, object], named: str | None) -> None:
    answer = await client.post("/companies", json={"name": "Northwind", **body})
    assert answer.status_code == (400 if named else 201)
    assert list(answer.json().get("errors", {})) == ([named] if named else [])


async def test_national_digits_are_kept_as_they_are_given(client: httpx.AsyncClient) -> None:
    body = {"phone": "5550102030", "phone_country_code": "+1", "phone_country_iso": "US"}
    assert phone_of(await make(client, "contacts", **body)) == ("5550102030", "+1", "US")


async def test_a_number_with_its_plus_brings_its_country(client: httpx.AsyncClient) -> None:
    contact = await make(client, "contacts", phone="+34 600 111 222")
    assert phone_of(contact) == ("+34 600 111 222", "+34", "ES")
    moved = (await patched(client, "contacts", contact, phone="+57 300 1234567")).json()
    assert phone_of(moved) == ("+57 300 1234567", "+57", "CO")
    same = (await patched(client, "contacts", contact, **moved)).json()
    assert phone_of(same) == phone_of(moved)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"phone": "123456"}, "phone"), ({"phone": "call me"}, "phone"), ({"phone": "+1 650 253 0000"}, None),
        ({"phone_country_code": "+34"}, "phone_country_iso"), ({"phone_country_iso": "ES"}, "phone_country_iso"),
        ({"phone_country_code": "34"}, "phone_country_code"), ({"phone_country_iso": "XX"}, "phone_country_iso"),
        ({"phone_country_code": "+34", "phone_country_iso": "ES"}, "phone_country_code"),
        ({"phone": None}, None), ({"first_name": "Ana"}, None),
    ],
    ids=str,
)  # fmt: skip
async def test_a_number_must_fit_its_country(
    client: httpx.AsyncClient, body: dict[str, object], named: str | None
) -> None:
    contact = await make(client, "contacts", phone="6502530000", phone_country_code="+1", phone_country_iso="US")
    answer = await patched(client, "contacts", contact, **body)
    assert (answer.status_code, list(answer.json().get("errors", {}))) == (
        400 if named else 200,
        [named] if named else [],
    )


@pytest.mark.parametrize(
    "name", ["first_name", "email", "phone", "phone_country_iso", "company_id", "owned_by_user_id"]
)
async def test_a_contact_is_found_by_each_field(world: World, client: httpx.AsyncClient, name: str) -> None:
    company = await make(client, "companies", name="Northwind")
    ana = await make(
        client, "contacts", first_name="Ana", email="ana@example.com", phone="600111222", phone_country_iso="ES",
        company_id=company["id"], owned_by_user_id=world.users[(Role.member, OURS)],
    )  # fmt: skip
    await make(client, "contacts", first_name="Bob")
    assert [row["id"] for row in (await client.get("/contacts", params={name: ana[name]})).json()["data"]] == [
        ana["id"]
    ]


@pytest.mark.parametrize("term", ["ana", "TÓRRES", "600111", "example.com", "ana torr"])
async def test_a_contact_is_found_by_words(client: httpx.AsyncClient, term: str) -> None:
    await make(client, "contacts", first_name="Ana", last_name="Torres", email="ana@example.com", phone="600111222")
    await make(client, "contacts", first_name="Bob")
    page = (await client.get("/contacts", params={"searchTerm": term})).json()
    assert [row["first_name"] for row in page["data"]] == ["Ana"]
