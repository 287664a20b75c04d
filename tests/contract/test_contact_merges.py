"""Merging contacts: all that hangs on one hangs on the other, once, whoever asks and whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.errors import ApiError, Forbidden
from frontdesk.core.fields import Plain
from frontdesk.core.schema import metadata
from frontdesk.migrations.tables import WITHOUT_RESOURCE
from frontdesk.registry import make_registry
from frontdesk.resources.crm.contact_merges import gather
from frontdesk.resources.crm.merge_plan import UNTOUCHED, places
from tests.world import NOW, OURS, THEIRS, World

PLACES = [place for place in places(make_registry()) if place.resource is not None]
# Lists of ids that a person chose once; recipients were frozen from them.
LISTS = {("email_broadcasts", "contact_ids")}


async def pair(world: World, kept: dict[str, Plain] | None = None, merged: dict[str, Plain] | None = None) -> list[int]:
    return [await world.row("contacts", **(kept or {})), await world.row("contacts", **(merged or {}))]


async def merge(world: World, ids: list[int], role: Role = Role.member, **more: object) -> httpx.Response:
    async with world.client(role) as client:
        body = {"contact_id": ids[0], "merged_contact_id": ids[1], **more}
        return await client.post("/contact-merges", json=body)


async def contact(world: World, contact_id: int) -> dict[str, object]:
    async with world.database.system() as connection:
        return dict(await connection.fetchrow("SELECT * FROM contacts WHERE id = $1", contact_id) or {})


async def fetch(world: World, sql: str, *arguments: object) -> list[object]:
    async with world.database.system() as connection:
        return [row[0] for row in await connection.fetch(sql, *arguments)]


def test_every_column_that_names_a_contact_is_covered() -> None:
    covered = {(place.table, place.column) for place in places(make_registry())} | LISTS
    named = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.c
        if column.name.removesuffix("s").endswith("contact_id") and table.name != UNTOUCHED.replace("-", "_")
    }
    assert named <= covered
    assert "webchat_visitors" in {table.name for table in WITHOUT_RESOURCE}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.table}.{place.column}")
async def test_each_kind_of_row_moves(world: World, place: object) -> None:
    ids = await pair(world)
    row_id = await world.row(place.resource.path, **{place.column: ids[1]})  # type: ignore[attr-defined]
    answer = await merge(world, ids)
    assert answer.status_code == 201, answer.text
    found = await fetch(world, f"SELECT {place.column} FROM {place.table} WHERE id = $1", row_id)  # type: ignore[attr-defined]
    assert found == [ids[0]]
    assert answer.json()["moved"] == {place.resource.path: 1}  # type: ignore[attr-defined]


async def test_the_kept_one_gets_what_it_lacks_and_the_other_is_gone(world: World) -> None:
    merged: dict[str, Plain] = {
        "first_name": "A.", "email": "ana@example.com", "phone": "5550102030", "phone_country_code": "+1",
        "channel_whatsapp_wa_id": "15550102030",
    }  # fmt: skip
    ids = await pair(world, {"first_name": "Ana", "phone": "123456", "phone_country_code": "+34"}, merged)
    answer = await merge(world, ids)
    kept, gone = await contact(world, ids[0]), await contact(world, ids[1])
    assert (kept["first_name"], kept["email"], kept["channel_whatsapp_wa_id"]) == (
        "Ana",
        "ana@example.com",
        "15550102030",
    )
    assert (kept["phone"], kept["phone_country_code"]) == ("123456", "+34")
    assert (gone["merged_into_contact_id"], gone["deleted_at"] is None) == (ids[0], False)
    assert answer.json()["merged_values"] == merged
    async with world.client() as client:
        assert (await client.get(f"/contacts/{ids[1]}")).status_code == 404


async def test_a_person_chooses_whose_value_wins(world: World) -> None:
    ids = await pair(
        world,
        {"first_name": "Ana", "phone": "123456", "phone_country_code": "+34", "phone_country_iso": "ES"},
        {"first_name": "Anita", "phone": "5550102030", "phone_country_code": "+1", "email": "a@example.com"},
    )
    assert (await merge(world, ids, fields={"phone": "merged", "email": "kept"})).status_code == 201
    kept = await contact(world, ids[0])
    assert (kept["first_name"], kept["email"]) == ("Ana", None)
    # A number comes with its country, or is another number.
    assert (kept["phone"], kept["phone_country_code"], kept["phone_country_iso"]) == ("5550102030", "+1", None)


async def test_custom_values_are_merged_by_their_fields(world: World) -> None:
    async with world.client(Role.owner) as client:
        for name in ("Plan", "Size", "City"):
            await client.post("/custom-fields", json={"entity": "contact", "name": name, "type": "text"})
        kept = (await client.post("/contacts", json={"custom_fields_by_name": {"Plan": "A", "Size": "S"}})).json()
        gone = {"Plan": "B", "Size": "L", "City": "Lima"}
        merged = (await client.post("/contacts", json={"custom_fields_by_name": gone})).json()
        ids = [kept["id"], merged["id"]]
        assert (await merge(world, ids, fields={"custom_fields_by_key.size": "merged"})).status_code == 201
        values = (await client.get(f"/contacts/{ids[0]}")).json()["custom_fields_by_name"]
    assert values == {"Plan": "A", "Size": "L", "City": "Lima"}


async def test_a_tag_that_both_have_is_there_once(world: World) -> None:
    ids = await pair(world)
    both, own = await world.row("tags", name="VIP"), await world.row("tags", name="Spring")
    for contact_id, tag_id in ((ids[0], both), (ids[1], both), (ids[1], own)):
        await world.row("contact-tags", contact_id=contact_id, tag_id=tag_id)
    assert (await merge(world, ids)).json()["moved"] == {"contact-tags": 1}
    assert await fetch(world, "SELECT tag_id FROM contact_tags WHERE contact_id = $1 ORDER BY 1", ids[0]) == [both, own]
    assert await fetch(world, "SELECT count(*) FROM contact_tags") == [2]


async def test_a_mail_that_both_got_stays_with_who_got_it(world: World) -> None:
    ids = await pair(world)
    broadcast = await world.row("email-broadcasts")
    rows = [
        await world.row(
            "email-broadcast-recipients", email_broadcast_id=broadcast, contact_id=i, unsubscribe_key=f"k{i}"
        )
        for i in ids
    ]
    assert (await merge(world, ids)).json()["moved"] == {}
    sql = "SELECT contact_id FROM email_broadcast_recipients WHERE id = ANY($1::bigint[]) ORDER BY id"
    assert await fetch(world, sql, rows) == ids


async def test_who_opted_out_stays_out(world: World) -> None:
    ids = await pair(world, {}, {"opted_out_at": NOW})
    await merge(world, ids)
    assert (await contact(world, ids[0]))["opted_out_at"] == NOW


async def test_a_browser_that_comes_back_is_the_kept_contacts(world: World) -> None:
    ids = await pair(world)
    channel = await world.row("inbox-channels")
    insert = (
        "INSERT INTO webchat_visitors"
        " (organization_id, inbox_channel_id, token_hash, contact_id, created_at, last_seen_at)"
        " VALUES (1, $1, 'x', $2, now(), now())"
    )
    await fetch(world, insert, channel, ids[1])
    assert (await merge(world, ids)).json()["moved"] == {"webchat-visitors": 1}
    assert await fetch(world, "SELECT contact_id FROM webchat_visitors") == [ids[0]]


async def test_a_running_conversation_goes_on(world: World) -> None:
    ids = await pair(world)
    talk = await world.row("conversations", contact_id=ids[1], is_contact_verified=True)
    before = await fetch(world, "SELECT epoch FROM conversations WHERE id = $1", talk)
    await merge(world, ids)
    async with world.client() as client:
        after = (await client.get(f"/conversations/{talk}")).json()
    assert (after["contact_id"], [after["epoch"]], after["is_contact_verified"]) == (ids[0], before, True)


async def test_a_customer_who_proved_nothing_sees_nothing_more(world: World) -> None:
    """The unverified visitor's conversation hangs on the known contact now; its scope is still what it made itself."""
    known, visitor = await pair(world)
    await world.row("notes", contact_id=known, is_internal=False)
    talk = await world.row("conversations", contact_id=visitor)
    await merge(world, [known, visitor])
    for is_verified, seen in ((False, 0), (True, 1)):
        caller = Caller(OURS, None, Role.member, ai_assistant_id=1, scope=Scope(talk, known, is_verified))
        assert (await world.door.call(caller, "notes", "find")).value["total"] == seen


@pytest.mark.parametrize(
    "scope", [None, Scope(1, 1, True), Scope(1, None, False)], ids=["organization", "own", "claimed"]
)
async def test_no_assistant_says_who_is_who(world: World, scope: Scope | None) -> None:
    ids = await pair(world)
    caller = Caller(OURS, None, Role.owner, ai_assistant_id=1, scope=scope, via="tool")
    data = {"contact_id": ids[0], "merged_contact_id": ids[1]}
    with pytest.raises(Forbidden):
        await world.door.call(caller, "contact-merges", "create", data=data)
    assert (await contact(world, ids[1]))["deleted_at"] is None


async def test_a_chain_leads_to_its_end(world: World) -> None:
    first, second = await pair(world)
    third = await world.row("contacts")
    note = await world.row("notes", contact_id=first)
    await merge(world, [second, first])
    await merge(world, [third, second])
    assert await fetch(world, "SELECT contact_id FROM notes WHERE id = $1", note) == [third]
    assert [(await contact(world, one))["merged_into_contact_id"] for one in (first, second)] == [third, third]
    said = await fetch(world, "SELECT contact_id || '<' || merged_contact_id FROM contact_merges ORDER BY id")
    assert said == [f"{second}<{first}", f"{third}<{second}"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the same", "crosswise"])
async def test_two_merges_at_once_are_one(world: World, order: tuple[int, int]) -> None:
    ids = await pair(world)
    await world.row("notes", contact_id=ids[1])
    answers = await asyncio.gather(merge(world, ids), merge(world, [ids[order[0]], ids[order[1]]]))
    assert sorted(answer.status_code for answer in answers) == [201, 400], [answer.text for answer in answers]
    assert await fetch(world, "SELECT count(*) FROM contacts WHERE deleted_at IS NULL") == [1]
    holder = "SELECT c.deleted_at FROM notes n JOIN contacts c ON c.id = n.contact_id"
    assert await fetch(world, holder) == [None]


WRONG = {"itself": (0, 0), "another tenant's": (0, 2), "into another tenant's": (2, 0), "a deleted one": (0, 3)}


@pytest.mark.parametrize("ids", WRONG.values(), ids=WRONG)
async def test_what_cannot_be_merged_is_named(world: World, ids: tuple[int, int]) -> None:
    known = [*await pair(world), await world.row("contacts", THEIRS), await world.row("contacts")]
    await fetch(world, "UPDATE contacts SET deleted_at = now() WHERE id = $1", known[3])
    answer = await merge(world, [known[i] for i in ids])
    field = "contact_id" if ids[0] == 2 else "merged_contact_id"
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {field})


@pytest.mark.parametrize(
    "fields", [{"id": "merged"}, {"email": "both"}, {"custom_fields_by_key.nope": "merged"}, [], {"email": 1}]
)
async def test_a_choice_that_makes_no_sense_is_refused(world: World, fields: object) -> None:
    ids = await pair(world)
    answer = await merge(world, ids, fields=fields)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"fields"})
    assert (await contact(world, ids[1]))["deleted_at"] is None


async def test_who_wrote_at_the_same_moment_is_gathered(world: World) -> None:
    ids = await pair(world)
    made = (await merge(world, ids)).json()
    note = await world.row("notes", contact_id=ids[1])  # as from a transaction that began before
    await gather(world.door, OURS, made["id"])
    assert await fetch(world, "SELECT contact_id FROM notes WHERE id = $1", note) == [ids[0]]
    assert [json.loads(str(one)) for one in await fetch(world, "SELECT moved FROM contact_merges")] == [{"notes": 1}]
    assert await fetch(world, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'contact-merge'") == [2]


async def test_another_organizations_merge_is_not_gathered(world: World) -> None:
    ids = await pair(world)
    made = (await merge(world, ids)).json()
    note = await world.row("notes", contact_id=ids[1])
    await gather(world.door, THEIRS, made["id"])
    assert await fetch(world, "SELECT contact_id FROM notes WHERE id = $1", note) == [ids[1]]


async def test_each_change_leaves_its_event(world: World) -> None:
    ids = await pair(world)
    note = await world.row("notes", contact_id=ids[1])
    await merge(world, ids)
    told = await fetch(world, "SELECT name || ' ' || row_id FROM events")
    assert {f"notes.updated {note}", f"contacts.updated {ids[0]}", f"contacts.deleted {ids[1]}"} <= set(map(str, told))
    assert "contact-merges.created" in " ".join(map(str, told))


async def test_a_failure_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await pair(world)
    note = await world.row("notes", contact_id=ids[1])
    monkeypatch.setattr("frontdesk.resources.crm.contact_merges.END", "SELECT 1 / 0 FROM (VALUES ($1, $2, $3, $4)) v")
    assert (await merge(world, ids)).status_code == 500
    assert await fetch(world, "SELECT contact_id FROM notes WHERE id = $1", note) == [ids[1]]


async def test_ten_thousand_rows_move_in_a_few_statements(world: World) -> None:
    ids = await pair(world)
    many = (
        "INSERT INTO notes (organization_id, text, contact_id, is_internal, created_at, updated_at)"
        " SELECT 1, 'x', $1, true, now(), now() FROM generate_series(1, 10000)"
    )
    await fetch(world, many, ids[1])
    assert (await merge(world, ids)).json()["moved"] == {"notes": 10_000}


def test_errors_of_the_family_only() -> None:
    assert issubclass(Forbidden, ApiError)
