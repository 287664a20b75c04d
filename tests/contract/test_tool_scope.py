"""A stranger asks nicely: what an assistant's tools reach under scope `own`, on real rows."""

import pytest

from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.database import Database
from frontdesk.core.errors import ApiError, Forbidden, Invalid, NotFound
from tests.tools_world import ANA, BOB, ELSEWHERE, HERE, ORGANIZATION, STRANGER, VISITOR, World, config, make_world

OUT_OF_REACH = "There is no such record that you can reach. Use only ids that a tool or the conversation gave you."
CONTACTS = "SELECT * FROM contacts ORDER BY id"
NOTES = "SELECT * FROM notes ORDER BY id"


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


def ids(result: object) -> list[int]:
    assert isinstance(result, dict), result
    return [row["id"] for row in result["data"]]


@pytest.mark.parametrize("search", ["ana torres", "Ana", "5550001", "5550002", "%", "_", ""])
async def test_a_stranger_finds_only_who_was_made_here(world: World, search: str) -> None:
    found = await world.use("find_contact", search=search)
    assert isinstance(found, dict)
    assert set(ids(found)) <= {VISITOR}
    assert found["total"] == len(ids(found))


@pytest.mark.parametrize("contact_id", [ANA, BOB, STRANGER, 999, 0, -1, 2**63 - 1, 2**70])
@pytest.mark.parametrize("is_verified", [False, True])
async def test_others_are_as_if_they_did_not_exist(world: World, contact_id: int, is_verified: bool) -> None:
    world.talks_to(VISITOR, is_verified=is_verified)
    before = await world.rows(CONTACTS), await world.rows(NOTES)
    got = await world.use("get_contact", contact_id=contact_id)
    changed = await world.use("update_contact", contact_id=contact_id, phone="5559999")
    noted = await world.use("add_note", contact_id=contact_id, text="mine now")
    read = await world.use("get_notes", contact_id=contact_id)
    assert (got, changed) == (OUT_OF_REACH, OUT_OF_REACH)
    assert noted == "Nothing was done: contact_id names no row of contacts." or contact_id == 2**70
    assert isinstance(read, str) or read["data"] == []
    assert before == (await world.rows(CONTACTS), await world.rows(NOTES))


async def test_claiming_to_be_somebody_opens_nothing(world: World) -> None:
    world.talks_to(ANA, is_verified=False)
    assert await world.use("get_contact") == OUT_OF_REACH
    assert await world.use("update_contact", phone="5559999") == OUT_OF_REACH
    assert await world.use("get_notes") == {"total": 0, "data": []}
    assert isinstance(await world.use("add_note", text="x"), str)


async def test_a_visitor_changes_their_own_number(world: World) -> None:
    changed = await world.use("update_contact", phone="+34 600 111 222")
    assert changed == {
        "id": VISITOR, "first_name": "Visitor", "phone": "+34 600 111 222", "phone_country_code": "+34",
        "phone_country_iso": "ES",
    }  # fmt: skip
    [row] = await world.rows(f"SELECT phone, version FROM contacts WHERE id = {VISITOR}")
    assert row == {"phone": "+34 600 111 222", "version": 2}


async def test_a_verified_contact_reaches_their_own_rows_and_those_made_here(world: World) -> None:
    world.talks_to(ANA, is_verified=True)
    assert ids(await world.use("find_contact", search="")) == [ANA, VISITOR]
    assert ids(await world.use("get_notes")) == [2]
    assert await world.use("update_contact", phone="5550009") == {
        "id": ANA, "first_name": "Ana", "last_name": "Torres", "phone": "5550009", "company_id": 1,
    }  # fmt: skip


@pytest.mark.parametrize("note_id", [1, 3, 4, 5])
async def test_internal_and_foreign_notes_cannot_be_changed(world: World, note_id: int) -> None:
    world.talks_to(ANA, is_verified=True)
    before = await world.rows(NOTES)
    assert await world.use("update_note", note_id=note_id, text="gone") == OUT_OF_REACH
    assert await world.rows(NOTES) == before


async def test_what_is_made_here_stays_reachable_here_only(world: World) -> None:
    made = await world.use("create_contact", first_name="Eva", email="eva@example.com")
    assert isinstance(made, dict)
    noted = await world.use("add_note", text="Allergic to latex.", contact_id=made["id"])
    assert isinstance(noted, dict)
    world.turn.conversation_id = ELSEWHERE
    assert await world.use("get_contact", contact_id=made["id"]) == OUT_OF_REACH
    assert await world.use("update_note", note_id=noted["id"], text="gone") == OUT_OF_REACH


async def test_rows_show_the_assistant_and_the_conversation(world: World) -> None:
    await world.use("add_note", text="Prefers mornings.")
    [row] = await world.rows("SELECT * FROM notes WHERE id = 101")
    assert (row["created_by_ai_assistant_id"], row["created_in_conversation_id"]) == (7, HERE)
    assert (row["contact_id"], row["is_internal"]) == (VISITOR, False)


async def test_products_are_public_but_not_those_that_are_inactive(world: World) -> None:
    assert ids(await world.use("search_products")) == [1]
    assert await world.use("get_product", product_id=1) == {
        "id": 1, "name": "Cleaning", "type": "service", "status": "active", "price": 60, "is_variant": False,
    }  # fmt: skip
    assert await world.use("get_product", product_id=2) == OUT_OF_REACH
    assert await world.use("get_product", product_id=3) == OUT_OF_REACH


async def test_organization_scope_reaches_all_of_the_organization_and_no_other(world: World) -> None:
    wide = {key: {"enabled": True, "scope": "organization"} for key in ("find_contact", "get_contact", "get_notes")}
    world.configure(config(wide))
    assert ids(await world.use("find_contact", search="")) == [ANA, BOB, VISITOR]
    assert ids(await world.use("get_notes", contact_id=ANA)) == [2, 1]
    assert await world.use("get_contact", contact_id=STRANGER) == OUT_OF_REACH


async def test_the_narrower_scope_wins_while_a_turn_runs(world: World) -> None:
    wide = config({"find_contact": {"enabled": True, "scope": "organization"}})
    narrow = config({"find_contact": {"enabled": True, "scope": "own"}})
    for started, now in ((wide, narrow), (narrow, wide)):
        world.configure(started, now)
        assert ids(await world.use("find_contact", search="")) == [VISITOR]


# The door itself, without the tools' narrow signatures in front of it.


def scoped(contact_id: int | None, is_verified: bool) -> Caller:
    return Caller(1, None, Role.owner, 7, Scope(HERE, contact_id, is_verified), "tool", HERE)


@pytest.mark.parametrize("name", ["company_id", "owned_by_user_id"])
async def test_nobody_moves_ownership_from_a_conversation(world: World, name: str) -> None:
    for verb, row_id in (("patch", VISITOR), ("create", None)):
        with pytest.raises(Invalid) as refused:
            await world.door.call(scoped(VISITOR, False), "contacts", verb, id=row_id, data={name: 5})
        assert refused.value.errors == {name: "cannot be set in this conversation"}


@pytest.mark.parametrize("name", ["id", "organization_id", "created_in_conversation_id", "system_type", "deleted_at"])
async def test_server_fields_cannot_be_written(world: World, name: str) -> None:
    await world.door.call(scoped(VISITOR, False), "contacts", "patch", id=VISITOR, data={name: None, "last_name": "V"})
    [row] = await world.rows(f"SELECT * FROM contacts WHERE id = {VISITOR}")
    assert (row["organization_id"], row["created_in_conversation_id"], row["last_name"]) == (1, HERE, "V")
    assert (row["system_type"], row["deleted_at"]) == ("visitor", None)


async def test_notes_made_in_a_conversation_cannot_be_internal(world: World) -> None:
    data = {"text": "x", "is_internal": True}
    made = await world.door.call(scoped(VISITOR, False), "notes", "create", data=data)
    assert (made.value["is_internal"], made.value["contact_id"]) == (False, VISITOR)


async def test_one_note_is_read_under_the_same_rule(world: World) -> None:
    assert (await world.door.call(scoped(ANA, True), "notes", "get", id=2)).value["text"] == "prefers mornings"
    for row_id in (1, 3, 4, 5):
        with pytest.raises(NotFound):
            await world.door.call(scoped(ANA, True), "notes", "get", id=row_id)


async def test_a_note_does_not_move_to_another_contact(world: World) -> None:
    made = await world.door.call(scoped(ANA, True), "notes", "create", data={"text": "x"})
    patch = {"contact_id": BOB, "text": "y"}
    moved = await world.door.call(scoped(ANA, True), "notes", "patch", id=made.id, data=patch)
    assert moved.value["contact_id"] == ANA


QUERIES = [
    {"first_name": "Bob"},
    {"$or": [{"id": BOB}, {"id": ANA}]},
    {"id": {"$in": [ANA, BOB, STRANGER]}},
    {"id": {"$ne": VISITOR}},
    {"created_in_conversation_id": ELSEWHERE},
    {"deleted_at": None, "organization_id": 2},
    {"searchTerm": "bob"},
]


@pytest.mark.parametrize("query", QUERIES)
async def test_no_query_widens_the_scope(world: World, query: dict[str, object]) -> None:
    found = await world.door.call(scoped(VISITOR, False), "contacts", "find", query=query)
    assert {row["id"] for row in found.value["data"]} <= {VISITOR}
    assert found.value["total"] <= 1


async def test_resources_that_hang_on_nobody_are_closed(world: World) -> None:
    registry = world.door.registry
    for resource in (one for one in registry if one.own is None):
        for verb in resource.verbs:
            with pytest.raises(Forbidden):
                await world.door.call(scoped(ANA, True), resource.path, verb, id=1, data={})


async def test_a_catalogue_cannot_be_changed(world: World) -> None:
    with pytest.raises(Forbidden):
        await world.door.call(scoped(ANA, True), "products", "patch", id=1, data={"price": 0})


async def test_removing_is_bounded_too(world: World) -> None:
    for row_id in (BOB, ANA, STRANGER):
        with pytest.raises(NotFound):
            await world.door.call(scoped(VISITOR, False), "contacts", "remove", id=row_id)


async def test_a_stale_version_tells_nothing_about_others(world: World) -> None:
    with pytest.raises(NotFound):
        await world.door.call(scoped(VISITOR, False), "contacts", "patch", id=ANA, data={"phone": "5551"}, if_match=9)


async def test_the_organization_sees_who_is_who(world: World) -> None:
    with pytest.raises(ApiError):
        await world.door.call(ORGANIZATION, "contacts", "get", id=STRANGER)
    assert (await world.door.call(ORGANIZATION, "contacts", "get", id=ANA)).value["phone"] == "5550001"
