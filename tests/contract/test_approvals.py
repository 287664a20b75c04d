"""`/ai-approvals` over HTTP: who may see and decide, what a body may hold, what is too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from frontdesk.core.caller import Role
from tests.contract.test_ai_chat import log_in
from tests.world import ROLES, THEIRS, World

PATH = "/ai-approvals"


@pytest.fixture
async def waiting(world: World) -> int:
    """A call of a turn that waits."""
    assistant = await world.row("ai-assistants", name="Eva")
    talk = await world.row("conversations", assigned_ai_assistant_id=assistant, epoch=1, channel="playground")
    turn = await world.row(
        "ai-turns", conversation_id=talk, ai_assistant_id=assistant, status="waiting", epoch=1, attempts=1
    )
    later = datetime.now(UTC) + timedelta(hours=1)
    return await world.row(
        "ai-approvals", conversation_id=talk, ai_turn_id=turn, ai_assistant_id=assistant, config_version=1,
        tool_name="add_note", arguments={"text": "x"}, expires_at=later, call_id="a",
    )  # fmt: skip


async def decided(world: World, id: int, body: dict[str, Any], role: Role = Role.member, **headers: str) -> Any:
    person = await log_in(world, role)
    return await person.client.patch(f"{PATH}/{id}", json=body, headers=headers)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
@pytest.mark.parametrize("status", ["approved", "refused"])
async def test_every_member_who_is_logged_in_decides(world: World, waiting: int, role: Role, status: str) -> None:
    answer = await decided(world, waiting, {"status": status, "note": "Fine."}, role)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["status"], shown["note"]) == (status, "Fine.")
    assert shown["decided_by_user_id"] == world.users[(role, 1)]
    assert shown["decided_at"] is not None
    assert shown["sentence"].startswith("A person ")


async def test_a_key_reads_and_decides_nothing(world: World, waiting: int) -> None:
    async with world.client() as client:
        assert (await client.get(f"{PATH}?status=pending&tool_name=add_note")).json()["total"] == 1
        answer = await client.patch(f"{PATH}/{waiting}", json={"status": "approved"})
        assert (answer.status_code, answer.json()["className"]) == (403, "forbidden")
        assert (await client.get(f"{PATH}/{waiting}")).json()["status"] == "pending"


async def test_another_organization_finds_nothing(world: World, waiting: int) -> None:
    stranger = await log_in(world, Role.owner, THEIRS)
    answer = await stranger.client.patch(f"{PATH}/{waiting}", json={"status": "approved"})
    assert answer.status_code == 404
    assert (await stranger.client.get(PATH)).json()["total"] == 0


@pytest.mark.parametrize(("body", "field"), [
    ({"status": "used"}, "status"), ({"status": "pending"}, "status"), ({"status": "yes"}, "status"),
    ({"status": None}, "status"), ({"status": 1}, "status"), ({"note": "only this"}, "status"),
    ({"status": "refused", "note": "x" * 1001}, "note"), ({"status": "refused", "note": 7}, "note"),
    ({"status": "approved", "colour": "red"}, "colour"),
], ids=str)  # fmt: skip
async def test_a_wrong_body_names_its_field(world: World, waiting: int, body: dict[str, Any], field: str) -> None:
    answer = await decided(world, waiting, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_what_the_server_sets_cannot_be_set(world: World, waiting: int) -> None:
    body = {"status": "refused", "arguments": {"text": "y"}, "decided_by_user_id": 1, "expires_at": "2030-01-01"}
    shown = (await decided(world, waiting, body)).json()
    assert (shown["arguments"], shown["decided_by_user_id"]) == ({"text": "x"}, world.users[(Role.member, 1)])
    assert not shown["expires_at"].startswith("2030")


async def test_a_second_word_is_too_late_and_says_whose_the_first_was(world: World, waiting: int) -> None:
    await decided(world, waiting, {"status": "refused"})
    answer = await decided(world, waiting, {"status": "approved"}, Role.owner)
    assert answer.status_code == 409
    assert answer.json()["message"].startswith("It was refused already, by member1@example.com at ")


async def test_a_record_that_was_read_before_is_stale(world: World, waiting: int) -> None:
    answer = await decided(world, waiting, {"status": "approved"}, **{"if-match": "7"})
    assert (answer.status_code, answer.json()["data"]) == (409, {"version": 1, "expected": 7})
    assert (await decided(world, waiting, {"status": "approved"}, **{"if-match": "1"})).status_code == 200


@pytest.mark.parametrize(("fields", "said"), [
    ({"status": "expired"}, "expired"), ({"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, "expired"),
    ({"status": "void"}, "nothing to decide"), ({"config_version": 9}, "configuration has changed"),
], ids=["expired", "past", "void", "changed"])  # fmt: skip
async def test_what_is_over_is_a_conflict_in_a_sentence(
    world: World, waiting: int, fields: dict[str, Any], said: str
) -> None:
    (name, value) = next(iter(fields.items()))
    async with world.database.system() as connection:
        await connection.execute(f"UPDATE ai_approvals SET {name} = $2 WHERE id = $1", waiting, value)
    answer = await decided(world, waiting, {"status": "approved"})
    assert answer.status_code == 409
    assert said in answer.json()["message"]


@pytest.mark.parametrize("change", ["epoch = 2", "deleted_at = now()"])
async def test_a_conversation_that_went_on_without_it_is_a_conflict(world: World, waiting: int, change: str) -> None:
    async with world.database.system() as connection:
        await connection.execute(f"UPDATE conversations SET {change}")
    assert (await decided(world, waiting, {"status": "approved"})).status_code == 409


async def test_a_private_one_is_its_members_alone(world: World, waiting: int) -> None:
    nora = await log_in(world)
    async with world.database.system() as connection:
        await connection.execute("UPDATE ai_approvals SET private_to_user_id = $1", nora.user_id)
    assert (await decided(world, waiting, {"status": "approved"}, Role.owner)).status_code == 404
    assert (await nora.client.patch(f"{PATH}/{waiting}", json={"status": "approved"})).status_code == 200
