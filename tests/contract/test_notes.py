"""Notes over HTTP: what a note may be on, and what becomes of it."""

from __future__ import annotations

import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, THEIRS, World

TARGETS = {"contact_id": "contacts", "deal_id": "deals", "company_id": "companies"}
MESSAGE = "exactly one of contact_id, deal_id, company_id is needed"


@pytest.mark.parametrize("field", TARGETS)
async def test_a_note_is_on_one_thing_and_goes_with_it(world: World, field: str) -> None:
    row_id = await world.row(TARGETS[field])
    async with world.client(Role.member) as client:
        made = (await client.post("/notes", json={"text": "Prefers mornings.", field: row_id})).json()
        assert {name: made[name] for name in TARGETS} == {**dict.fromkeys(TARGETS), field: row_id}
        assert made["is_internal"] is True
        assert made["created_by_user"]["id"] == world.users[(Role.member, OURS)]
        assert (await client.get(f"/notes?{field}={row_id}")).json()["total"] == 1
        assert (await client.delete(f"/{TARGETS[field]}/{row_id}")).status_code == 200
        assert (await client.get(f"/notes/{made['id']}")).status_code == 404


async def test_a_note_on_nothing_or_on_two_things_is_refused(world: World) -> None:
    both = {"contact_id": await world.row("contacts"), "deal_id": await world.row("deals")}
    async with world.client() as client:
        for body, paths in (({}, ["contact_id"]), (both, [*both]), (dict.fromkeys(TARGETS), ["contact_id"])):
            answer = await client.post("/notes", json={"text": "x", **body})
            assert (answer.status_code, answer.json()["errors"]) == (400, dict.fromkeys(paths, MESSAGE))


@pytest.mark.parametrize("field", TARGETS)
async def test_a_note_on_somebody_elses_row_is_refused(world: World, field: str) -> None:
    row_id = await world.row(TARGETS[field], THEIRS)
    async with world.client() as client:
        answer = await client.post("/notes", json={"text": "x", field: row_id})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_a_note_stays_on_what_it_was_written_on(world: World) -> None:
    contact_id, deal_id = await world.row("contacts"), await world.row("deals")
    async with world.client() as client:
        made = (await client.post("/notes", json={"text": "x", "contact_id": contact_id})).json()
        change = {"deal_id": deal_id, "contact_id": None, "text": "y"}
        changed = (await client.patch(f"/notes/{made['id']}", json=change)).json()
    assert (changed["text"], changed["contact_id"], changed["deal_id"]) == ("y", contact_id, None)
