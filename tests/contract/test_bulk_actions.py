"""Bulk actions over HTTP: targets and values that are refused, and that each conversation ends as a PATCH leaves it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from frontdesk.core.caller import Caller, Role
from frontdesk.core.clock import FakeClock
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.resources.messaging.bulk_batches import BATCH, BulkWork
from frontdesk.resources.messaging.conversations_bulk_actions import PATIENCE
from tests.world import OURS, THEIRS, World

PATH = "/conversations-bulk-actions"
CLOSE: dict[str, Json] = {"action": "update_status", "status": "closed"}
# What two changes of the same row may differ in.
OWN = {"handed_off_at", "id", "contact_id", "contact", "updated_at", "version", "ai_context_cut"}
WRONG: list[tuple[dict[str, Json], set[str]]] = [
    ({}, {"conversation_ids", "view_id", "filter"}),
    ({"filter": {}, "view_id": 1}, {"filter", "view_id"}),
    ({"filter": {}, "view_id": 1, "conversation_ids": [1]}, {"filter", "view_id", "conversation_ids"}),
    ({"conversation_ids": []}, {"conversation_ids"}),
    ({"conversation_ids": ["a"]}, {"conversation_ids"}),
    ({"conversation_ids": {"a": 1}}, {"conversation_ids"}),
    ({"conversation_ids": [0, 2**62]}, {"conversation_ids"}),
    ({"view_id": 99}, {"view_id"}),
    ({"filter": []}, {"filter"}),
    ({"filter": {"shoe_size": 1}}, {"filter.shoe_size"}),
    ({"filter": {"status": {"$like": "o"}}}, {"filter.status"}),
    ({"filter": {"$limit": 5}}, {"filter.$limit"}),
    ({"filter": {"view_id": 5}}, {"filter.view_id"}),
    ({"filter": {"organization_id": THEIRS}}, {"filter.organization_id"}),
    ({"filter": {}, "action": "explode"}, {"action"}),
    ({"filter": {}, "status": "pending"}, {"status"}),
    ({"filter": {}, "assigned_user_id": None}, {"assigned_user_id"}),
    ({"filter": {}, "action": "assign"}, {"status", "assigned_user_id"}),
]


async def send(world: World, body: dict[str, Json], role: Role = Role.member) -> httpx.Response:
    async with world.client(role) as client:
        return await client.post(PATH, json=body)


async def record(world: World, id: int) -> dict[str, Json]:
    async with world.client() as client:
        return dict((await client.get(f"/conversations/{id}")).json())


async def stage(world: World, organization_id: int = OURS, entity: str = "conversations") -> tuple[int, int]:
    pipeline = await world.row("pipelines", organization_id, entity=entity)
    return pipeline, await world.row("pipeline-stages", organization_id, pipeline_id=pipeline)


@pytest.mark.parametrize(("body", "paths"), WRONG, ids=range(len(WRONG)))
async def test_what_is_wrong_is_named_and_nothing_is_kept(world: World, body: dict[str, Json], paths: set[str]) -> None:
    answer = await send(world, CLOSE | body)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()["errors"]) == paths
    async with world.client() as client:
        assert (await client.get(PATH)).json()["total"] == 0


async def test_ids_of_another_organization_and_of_deleted_ones_are_named(world: World) -> None:
    ours, theirs = await world.row("conversations"), await world.row("conversations", THEIRS)
    async with world.client() as client:
        await client.delete(f"/conversations/{(gone := await world.row('conversations'))}")
    answer = await send(world, CLOSE | {"conversation_ids": [ours, theirs, gone]})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"conversation_ids": f"names no conversation: {theirs}, {gone}"}
    assert (await record(world, ours))["status"] == "open"


@pytest.mark.parametrize("name", ["assigned_user_id", "assigned_ai_assistant_id", "pipeline_id", "pipeline_stage_id"])
async def test_values_refer_to_rows_of_the_organization(world: World, name: str) -> None:
    pipeline, first = await stage(world, THEIRS)
    foreign = {
        "assigned_user_id": world.users[(Role.owner, THEIRS)],
        "assigned_ai_assistant_id": await world.row("ai-assistants", THEIRS),
        "pipeline_id": pipeline, "pipeline_stage_id": first,
    }  # fmt: skip
    action = {"assigned_user_id": "assign", "assigned_ai_assistant_id": "assign_ai_assistant"}.get(name, "move")
    for id in (foreign[name], 10**15, 0, -1):
        answer = await send(world, {"action": action, "filter": {}, name: id})
        assert answer.status_code == 400, answer.text
        assert name in answer.json()["errors"]


CHANGES = ("assign", "unassign", "close", "reopen", "assistant", "no_assistant", "move", "take_out")


async def change_of(world: World, name: str) -> tuple[str, dict[str, Json]]:
    pipeline, _ = await stage(world)
    changes: dict[str, tuple[str, dict[str, Json]]] = {
        "assign": ("assign", {"assigned_user_id": world.users[(Role.admin, OURS)]}),
        "unassign": ("assign", {"assigned_user_id": None}),
        "close": ("update_status", {"status": "closed"}),
        "reopen": ("update_status", {"status": "open"}),
        "assistant": ("assign_ai_assistant", {"assigned_ai_assistant_id": str(await world.row("ai-assistants"))}),
        "no_assistant": ("assign_ai_assistant", {"assigned_ai_assistant_id": None}),
        "move": ("move", {"pipeline_id": pipeline}),
        "take_out": ("move", {"pipeline_stage_id": None}),
    }
    return changes[name]


@pytest.mark.parametrize("name", CHANGES)
async def test_a_bulk_action_leaves_what_a_patch_leaves(world: World, name: str) -> None:
    pipeline, first = await stage(world)
    action, values = await change_of(world, name)
    user, assistant = world.users[(Role.member, OURS)], await world.row("ai-assistants")
    for given in (
        {"assigned_user_id": user, "waiting_since": None, "pipeline_id": pipeline, "pipeline_stage_id": first},
        {"assigned_ai_assistant_id": assistant, "status": "closed"},
        {"owner_reason": "model_failed", "epoch": 7, "episode": 3},
    ):
        one, two = await world.row("conversations", **given), await world.row("conversations", **given)
        async with world.client() as client:
            assert (await client.patch(f"/conversations/{one}", json=values)).status_code == 200
        answer = await send(world, {"action": action, "conversation_ids": [two], **values})
        assert (answer.status_code, answer.json()["status"]) == (201, "done"), answer.text
        patched, bulk = await record(world, one), await record(world, two)
        assert {k: v for k, v in patched.items() if k not in OWN} == {k: v for k, v in bulk.items() if k not in OWN}


async def test_each_changed_conversation_leaves_an_event_and_an_unchanged_one_none(world: World) -> None:
    changed, same = await world.row("conversations"), await world.row("conversations", status="closed")
    answer = await send(world, CLOSE | {"conversation_ids": [changed, same, changed]})
    assert answer.json() | {"processed_count": 2, "total_count": 2, "skipped_count": 0} == answer.json()
    async with world.database.system() as connection:
        told = await connection.fetch(
            "SELECT name, row_id FROM events WHERE name = 'conversations.updated' ORDER BY row_id"
        )
        rows = await connection.fetch("SELECT version FROM conversations ORDER BY id")
    assert [tuple(row) for row in told] == [("conversations.updated", changed)]
    assert [row[0] for row in rows] == [2, 1]


async def test_a_view_and_a_filter_choose_the_conversations(world: World) -> None:
    unread, web = await world.row("conversations", unread_count=1), await world.row("conversations", channel="webchat")
    async with world.client(Role.member) as client:
        view = (await client.post("/views", json={"name": "v", "query": {"unread_count": {"$gt": 0}}})).json()["id"]
    assert (await send(world, CLOSE | {"view_id": view})).json()["processed_count"] == 1
    assert [(await record(world, id))["status"] for id in (unread, web)] == ["closed", "open"]
    answer = await send(world, CLOSE | {"filter": {"organization_id": OURS, "channel": "webchat", "status": "open"}})
    assert answer.json()["processed_count"] == 1
    assert (await record(world, web))["status"] == "closed"


async def test_a_private_view_of_somebody_else_is_no_target(world: World) -> None:
    async with world.client(Role.owner) as client:
        view = (await client.post("/views", json={"name": "v", "query": {}, "is_shared": False})).json()["id"]
    assert (await send(world, CLOSE | {"view_id": view}, Role.admin)).status_code == 400
    assert (await send(world, CLOSE | {"view_id": view}, Role.owner)).status_code == 201


async def test_tickets_are_not_among_them(world: World) -> None:
    ticket = await world.row("support-tickets")
    assert (await send(world, CLOSE | {"filter": {}})).json()["total_count"] == 0
    assert (await send(world, CLOSE | {"conversation_ids": [ticket]})).status_code == 400


async def many(world: World, count: int) -> list[int]:
    """Conversations beyond one batch, straight into the table."""
    first = await world.row("conversations")
    async with world.database.system() as connection:
        columns = "organization_id, contact_id, channel, status, ai_auto_assignment_disabled, blocked, epoch, episode,"
        columns += " is_contact_verified, last_position, unread_count, kind, created_at, updated_at"
        await connection.execute(
            f"INSERT INTO conversations ({columns}) SELECT {columns} FROM conversations, generate_series(2, $1)"
            " WHERE id = $2", count, first,
        )  # fmt: skip
        return [row[0] for row in await connection.fetch("SELECT id FROM conversations ORDER BY id")]


async def begin(world: World, body: dict[str, Json]) -> dict[str, Json]:
    """Begin a large one without waiting for its end, as a call within a transaction does."""
    caller = Caller(OURS, world.users[(Role.owner, OURS)], Role.owner)
    async with world.database.transaction(OURS) as connection:
        return (await world.door.call(caller, PATH.strip("/"), "create", data=body, tx=connection)).value


async def end(world: World, id: Json) -> dict[str, Json]:
    await BulkWork(world.door).advance(OURS, int(str(id)))
    async with world.client() as client:
        return dict((await client.get(f"{PATH}/{id}")).json())


async def test_a_large_one_is_the_workers_and_its_set_is_frozen(world: World) -> None:
    await many(world, BATCH + 3)
    started = await begin(world, CLOSE | {"filter": {"status": "open"}})
    assert (started["status"], started["processed_count"], started["total_count"]) == ("running", 0, BATCH + 3)
    await world.row("conversations")  # comes later, and is none of it
    assert await BulkWork(world.door).step(OURS, int(str(started["id"])))
    async with world.client(Role.member) as client:
        assert (await client.get(f"{PATH}/{started['id']}")).json()["processed_count"] == BATCH
        done = await end(world, started["id"])
        assert (await client.get("/conversations?status=open&$limit=0")).json()["total"] == 1
    assert (done["status"], done["processed_count"], done["skipped_count"]) == ("done", BATCH + 3, 0)
    assert done["finished_at"] is not None


async def test_its_request_waits_for_a_quick_end(world: World) -> None:
    await many(world, BATCH)
    sent = asyncio.create_task(send(world, CLOSE | {"filter": {}}))
    async with world.database.system() as connection, asyncio.timeout(60):
        while (id := await connection.fetchval("SELECT id FROM conversations_bulk_actions")) is None:
            pass
    await end(world, id)
    answer = await sent
    assert (answer.status_code, answer.json()["status"], answer.json()["processed_count"]) == (201, "done", BATCH)


async def test_its_request_waits_no_longer_than_five_seconds(world: World) -> None:
    await many(world, BATCH)
    clock = FakeClock()
    caller = Caller(OURS, world.users[(Role.owner, OURS)], Role.owner)
    door = Door(world.database, world.registry, clock)
    call = asyncio.create_task(door.call(caller, PATH.strip("/"), "create", data=CLOSE | {"filter": {}}))
    async with asyncio.timeout(60):
        while not call.done():
            await clock.advance(0.1)
    assert call.result().value["status"] == "running"
    assert clock.monotonic() >= PATIENCE


async def test_conversations_deleted_meanwhile_are_skipped(world: World) -> None:
    ids = await many(world, BATCH)
    started = await begin(world, CLOSE | {"filter": {}})
    async with world.client() as client:
        await client.delete(f"/conversations/{ids[3]}")
    done = await end(world, started["id"])
    assert (done["status"], done["processed_count"], done["skipped_count"]) == ("done", BATCH - 1, 1)


async def test_an_assistant_that_is_deleted_meanwhile_ends_it(world: World) -> None:
    await many(world, BATCH)
    assistant = await world.row("ai-assistants")
    body: dict[str, Json] = {"action": "assign_ai_assistant", "assigned_ai_assistant_id": assistant, "filter": {}}
    started = await begin(world, body)
    async with world.client() as client:
        await client.delete(f"/ai-assistants/{assistant}")
    failed = await end(world, started["id"])
    assert (failed["status"], failed["processed_count"]) == ("failed", 0)
    assert "assigned_ai_assistant_id" in str(failed["error"])


async def test_two_workers_at_once_do_each_batch_once(world: World) -> None:
    await many(world, 2 * BATCH + 1)
    started = await begin(world, CLOSE | {"filter": {}})
    await asyncio.gather(*(end(world, started["id"]) for _ in range(3)))
    async with world.database.system() as connection:
        versions = await connection.fetch("SELECT version, count(*) FROM conversations GROUP BY version")
        told = await connection.fetchval("SELECT count(*) FROM events WHERE name = 'conversations.updated'")
    assert [tuple(row) for row in versions] == [(2, 2 * BATCH + 1)]
    assert told == 2 * BATCH + 1


async def test_another_organizations_worker_call_finds_nothing(world: World) -> None:
    await many(world, BATCH)
    started = await begin(world, CLOSE | {"filter": {}})
    assert not await BulkWork(world.door).step(THEIRS, int(str(started["id"])))
