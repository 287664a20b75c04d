"""`analyze_images` and `can_send_images` in an assistant's record: stored, restored, in its file, warned of."""

from typing import Any

import pytest

from frontdesk.core.caller import Role
from frontdesk.resources.assistants.portable import Desk, apply, checked, export
from tests.world import OURS, World


@pytest.fixture
async def eva(world: World) -> int:
    async with world.client() as client:
        body = {**await world.body("ai-assistants"), "name": "Eva", "instructions": "Be kind."}
        return int((await client.post("/ai-assistants", json=body)).json()["id"])


async def patched(world: World, id: int, role: Role = Role.owner, **fields: object) -> dict[str, Any]:
    async with world.client(role) as client:
        answer = await client.patch(f"/ai-assistants/{id}", json=fields)
        return {**answer.json(), "status_code": answer.status_code}


def codes(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in record["warnings"]]


async def test_both_are_off_until_they_are_switched_on(world: World, eva: int) -> None:
    async with world.client() as client:
        read = (await client.get(f"/ai-assistants/{eva}")).json()
    assert (read["analyze_images"], read["can_send_images"]) == (False, False)
    changed = await patched(world, eva, analyze_images=True, can_send_images=True)
    assert (changed["analyze_images"], changed["can_send_images"], changed["version"]) == (True, True, 2)
    assert (await patched(world, eva, analyze_images=None))["analyze_images"] is False


@pytest.mark.parametrize("field", ["analyze_images", "can_send_images"])
async def test_what_is_no_boolean_is_refused_by_name(world: World, eva: int, field: str) -> None:
    answer = await patched(world, eva, **{field: "yes"})
    assert answer["status_code"] == 400
    assert list(answer["errors"]) == [field]


async def test_a_member_may_not_change_them(world: World, eva: int) -> None:
    assert (await patched(world, eva, Role.member, analyze_images=True))["status_code"] == 403


async def test_the_history_names_them_and_a_restore_brings_them_back(world: World, eva: int) -> None:
    await patched(world, eva, can_send_images=True)
    async with world.client() as client:
        rows = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva}")).json()["data"]
        first = min(rows, key=lambda row: row["id"])
        body = {"change_history_id": first["id"]}
        restored = (await client.post("/ai-assistants-restore-from-changes-history", json=body)).json()
    assert max(rows, key=lambda row: row["id"])["changed_fields"] == ["can_send_images"]
    assert restored["can_send_images"] is False


async def test_they_go_with_the_file_of_the_assistant(world: World, eva: int) -> None:
    await patched(world, eva, analyze_images=True, can_send_images=True)
    async with world.door.database.transaction(OURS) as connection:
        desk = Desk(world.door, connection, OURS)
        document, _ = await export(desk, eva)
        await patched_in(desk, eva)
        await apply(desk, checked(document))
        assert (await export(desk, eva))[0] == document


async def patched_in(desk: Desk, id: int) -> None:
    data = {"analyze_images": False, "can_send_images": False}
    await desk.call("ai-assistants", "patch", id=id, data=data)


async def test_what_has_no_effect_is_told(world: World, eva: int) -> None:
    async with world.client() as client:
        model = {"name": "Blind", "provider": "scripted", "model": "echo", "supports_images": False}
        blind = (await client.post("/ai-models", json=model)).json()["id"]
        seeing = (await client.post("/ai-models", json={**model, "name": "Sees", "supports_images": True})).json()["id"]
    found = await patched(world, eva, ai_model_id=blind, connection="organization", analyze_images=True)
    assert ("analyze_images", "model_without_images") in codes(found)
    found = await patched(world, eva, ai_model_id=seeing)
    assert "model_without_images" not in [code for _, code in codes(found)]
    found = await patched(world, eva, advanced_options={"fallback_ai_model_ids": [blind]})
    assert ("advanced_options.fallback_ai_model_ids.0", "fallback_without_images") in codes(found)
    assert ("can_send_images", "images_without_source") in codes(await patched(world, eva, can_send_images=True))
    tools = {"tools": {"get_product": True}}
    found = await patched(world, eva, internal_tools=tools, disable_reply=True)
    assert [code for field, code in codes(found) if field == "can_send_images"] == ["images_unused"]
