"""Activities and their types over HTTP: the published shape, the rules of a write, and the list at 50,000 rows."""

from __future__ import annotations

import re

import asyncpg
import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.statements import find_statement
from tests.world import OURS, THEIRS, World

CALL: dict[str, object] = {"subject": "Call back", "activity_type": "call"}
TIMED = {**CALL, "start_date": "2026-03-02", "start_time": "14:30:00", "end_time": "15:00"}


async def plan(client: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await client.post("/activities", json={**CALL, **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_activity_looks_as_published(world: World) -> None:
    async with world.client() as client:
        ids = {f"{name}_id": await world.row(path) for name, path in (("deal", "deals"), ("company", "companies"))}
        contact = (await client.post("/contacts", json={"first_name": "Ana", "last_name": "Torres"})).json()["id"]
        place = {"lat": 40.4, "lng": -3.7, "address": "Calle Mayor 1"}
        made = await plan(client, **TIMED, **ids, contact_id=contact, location_geocoded=place)
        row = (await client.get(f"/activities/{made['id']}")).json()
    assert row == made
    assert (row["start_date"], row["start_time"], row["end_date"]) == ("2026-03-02", "14:30:00", "2026-03-02")
    assert (row["end_time"], row["duration"], row["timezone"]) == ("15:00:00", 30, "UTC")
    assert (row["done"], row["done_at"], row["location_geocoded"]) == (False, None, place)
    assert row["contact"] == {"id": contact, "full_name": "Ana Torres"}
    assert (row["deal"]["id"], row["company"]["id"]) == (ids["deal_id"], ids["company_id"])
    assert row["assigned_to_user"] == {"id": world.users[(Role.owner, OURS)], "full_name": ""}
    assert row["created_by_user"] == row["assigned_to_user"]


async def test_who_is_named_is_assigned_and_nobody_may_be(world: World) -> None:
    async with world.client() as client:
        member = world.users[(Role.member, OURS)]
        assert (await plan(client, assigned_to_user_id=member))["assigned_to_user_id"] == member
        assert (await plan(client, assigned_to_user_id=None))["assigned_to_user"] is None
        stranger = world.users[(Role.member, THEIRS)]
        answer = await client.post("/activities", json={**CALL, "assigned_to_user_id": stranger})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["assigned_to_user_id"])


async def test_the_time_zone_is_the_organizations_unless_given(world: World) -> None:
    async with world.client() as client:
        await client.patch(f"/organizations/{OURS}", json={"timezone": "America/Bogota"})
        old = await plan(client)
        assert old["timezone"] == "America/Bogota"
        assert (await plan(client, timezone="Asia/Kolkata"))["timezone"] == "Asia/Kolkata"
        await client.patch(f"/organizations/{OURS}", json={"timezone": "UTC"})
        assert (await client.get(f"/activities/{old['id']}")).json()["timezone"] == "America/Bogota"


async def test_done_is_stamped_and_can_be_taken_back(world: World) -> None:
    async with world.client() as client:
        one = f"/activities/{(await plan(client))['id']}"
        done = (await client.patch(one, json={"done": True})).json()
        again = (await client.patch(one, json={"done": True, "note": "x", "done_at": None})).json()
        undone = (await client.patch(one, json={"done": False})).json()
        assert (await plan(client, done=True))["done_at"] is not None
    assert done["done_at"] == again["done_at"] is not None
    assert (undone["done"], undone["done_at"]) == (False, None)


async def test_a_record_sent_back_with_a_new_start_is_moved(world: World) -> None:
    async with world.client() as client:
        made = await plan(client, **TIMED)
        moved = (await client.patch(f"/activities/{made['id']}", json={**made, "start_time": "16:00:00"})).json()
        same = (await client.patch(f"/activities/{made['id']}", json=moved)).json()
    assert (moved["end_time"], moved["duration"]) == ("16:30:00", 30)
    assert (same["end_time"], same["duration"]) == ("16:30:00", 30)


WRONG: list[tuple[dict[str, object], str]] = [
    ({"subject": None}, "subject"),
    ({"activity_type": "lunch"}, "activity_type"),
    ({"activity_type": "Call"}, "activity_type"),
    ({"start_date": "2026-02-30"}, "start_date"),
    ({"start_date": "0001-01-01", "start_time": "10:00"}, "start_date"),
    ({"start_time": "14:30"}, "start_time"),
    ({"start_date": "2026-03-02", "start_time": "14:30+02:00"}, "start_time"),
    ({"start_date": "2026-03-02", "start_time": "25:00"}, "start_time"),
    ({**TIMED, "duration": 45}, "duration"),
    ({**TIMED, "end_time": "14:00"}, "end_time"),
    ({"duration": -1}, "duration"),
    ({"duration": 1.5}, "duration"),
    ({"duration": 1_000_000}, "duration"),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": None}, "timezone"),
    ({"contact_id": 999_999}, "contact_id"),
    ({"done": None}, "done"),
    ({"location_geocoded": {"lat": 91, "lng": 0}}, "location_geocoded"),
    ({"location_geocoded": {"lat": True, "lng": 0}}, "location_geocoded"),
    ({"location_geocoded": {"lat": 1}}, "location_geocoded"),
    ({"location_geocoded": {"lat": 1, "lng": 2, "zoom": 3}}, "location_geocoded"),
    ({"location_geocoded": [1, 2]}, "location_geocoded"),
    ({"location_geocoded": {"lat": 1, "lng": 2, "address": 3}}, "location_geocoded"),
]


@pytest.mark.parametrize(("body", "path"), WRONG, ids=range(len(WRONG)))
async def test_a_wrong_value_is_named(world: World, body: dict[str, object], path: str) -> None:
    async with world.client() as client:
        one = f"/activities/{(await plan(client))['id']}"
        for answer in (await client.post("/activities", json={**CALL, **body}), await client.patch(one, json=body)):
            assert (answer.status_code, list(answer.json()["errors"])) == (400, [path]), answer.text


@pytest.mark.parametrize("name", ["contacts", "deals", "companies"])
async def test_what_it_is_about_must_be_ours_and_may_go(world: World, name: str) -> None:
    field = {"contacts": "contact_id", "deals": "deal_id", "companies": "company_id"}[name]
    async with world.client() as client:
        answer = await client.post("/activities", json={**CALL, field: await world.row(name, THEIRS)})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        ours = await world.row(name)
        one = f"/activities/{(await plan(client, **{field: ours}))['id']}"
        assert (await client.delete(f"/{name}/{ours}")).status_code == 200
        assert (await client.get(one)).json()[field] is None


async def test_a_type_is_named_by_a_key_made_of_its_name(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/activity-types", json={"name": "Customer Training", "color": "#4f46e5"})
        kind = answer.json()
        assert (kind["key"], kind["color"]) == ("customer_training", "#4F46E5")
        made = await plan(client, activity_type="customer_training")
        await client.delete(f"/activity-types/{kind['id']}")
        kept = await client.patch(f"/activities/{made['id']}", json={**made, "subject": "Training"})
        assert (kept.status_code, kept.json()["activity_type"]) == (200, "customer_training")
        refused = await client.post("/activities", json={**CALL, "activity_type": "customer_training"})
    assert refused.json()["errors"] == {"activity_type": "must be the key of an activity type: call"}


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [
        ({"name": "Call"}, "name", 409), ({"name": "Ring", "key": "call"}, "key", 409), ({"name": " "}, "name", 400),
        ({"name": "x", "color": "red"}, "color", 400), ({"name": "x", "key": "A"}, "key", 400),
    ],
)  # fmt: skip
async def test_a_wrong_type_is_refused(world: World, body: dict[str, object], path: str, status: int) -> None:
    async with world.client() as client:
        answer = await client.post("/activity-types", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [path])


async def test_a_member_plans_activities_and_an_admin_makes_their_types(world: World) -> None:
    async with world.client(Role.member) as client:
        await plan(client)
        assert (await client.post("/activity-types", json={"name": "x"})).status_code == 403
        assert (await client.get("/activity-types")).json()["total"] == 1


ROWS = """
    INSERT INTO activities (
        organization_id, subject, activity_type, timezone, done, assigned_to_user_id, start_date, start_time,
        created_at, updated_at
    ) SELECT $1, 'a ' || n, 'call', 'UTC', n % 2 = 0, CASE n % 50 WHEN 0 THEN $2::bigint END,
        date '2026-01-01' + n % 365, time '08:00' + n % 10 * interval '1 hour', now(), now()
    FROM generate_series(1, 50000) n
"""


async def test_a_users_days_are_read_by_their_index(world: World, database_url: str) -> None:
    user = world.users[(Role.member, OURS)]
    owner = await asyncpg.connect(database_url)
    await owner.execute(ROWS, OURS, user)
    await owner.execute("VACUUM ANALYZE activities")
    await owner.close()
    where = (("assigned_to_user_id", "$eq"), ("start_date", "$gte"), ("start_date", "$lte"))
    sort = (("start_date", 1), ("start_time", 1))
    resource = world.registry["activities"]
    statement = find_statement(resource, where, sort, None, False, "", False)
    values = {"org": OURS, "p0": user, "p1": "2026-03-01", "p2": "2026-03-31", "limit": 50, "skip": 0}
    async with world.database.reading(OURS) as connection:
        sql = re.sub(r"\$(\d+)", lambda m: f"'{statement.arguments(values)[int(m[1]) - 1]}'", statement.sql)
        found = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}"))
    assert "ix_activities_assigned_to_user_id_start_date_start_time on activities" in found, found
    assert "Seq Scan on activities" not in found, found
