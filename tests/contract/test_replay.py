"""`POST /ai-assistants/:id/replay`: who may, what is refused, and what the answer looks like over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import THEIRS, World


@pytest.fixture
async def eva(world: World) -> int:
    async with world.client() as client:
        made = await client.post("/ai-assistants", json=await world.body("ai-assistants"))
    return int(made.json()["id"])


async def replay(world: World, id: int, body: object, role: Role = Role.admin) -> httpx.Response:
    async with world.client(role) as client:
        return await client.post(f"/ai-assistants/{id}/replay", json=body)


async def test_an_empty_past_has_no_differences(world: World, eva: int) -> None:
    answer = await replay(world, eva, {"disable_reply": True})
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["inbounds"], shown["is_complete"], shown["base"], shown["version"]) == (0, True, "then", 1)
    assert shown["changes"].keys() == {
        "answered_to_silent", "silent_to_answered", "handed_over_gained", "handed_over_lost", "reminded_gained",
        "reminded_lost",
    }  # fmt: skip
    assert shown["notes"][0]["code"] == "model"


async def test_only_an_admin_and_only_an_assistant_of_ones_own(world: World, eva: int) -> None:
    assert (await replay(world, eva, {}, Role.member)).status_code == 403
    assert (await replay(world, 999_999, {})).status_code == 404
    async with world.client(organization_id=THEIRS) as client:
        assert (await client.post(f"/ai-assistants/{eva}/replay", json={})).status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"schedule_config": {"enabled": True, "weekly": [{"days": ["moon"]}]}}, "schedule_config.weekly.0.days.0"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"assistant_type": "ai-chat"}, "assistant_type"),
        ({"surprise": 1}, "surprise"),
        ({"base": "later"}, "base"),
        ({"period": "today"}, "period"),
        ({"period": {"from": "yesterday"}}, "period.from"),
        ({"period": {"until": "2026-01-01T00:00:00Z"}}, "period.until"),
        ({"period": {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}}, "period.from"),
        ({"period": {"from": "2026-01-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}}, "period.from"),
        ({"conversation_ids": {"id": 1}}, "conversation_ids"),
        ({"conversation_ids": ["1"]}, "conversation_ids.0"),
        ({"conversation_ids": [987654321]}, "conversation_ids.0"),
        ({"after_conversation_id": -1}, "after_conversation_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_is_wrong_is_named_by_its_path(world: World, eva: int, body: dict[str, Any], path: str) -> None:
    answer = await replay(world, eva, body)
    assert answer.status_code == 400, answer.text
    assert path in answer.json()["errors"]


async def test_conversations_of_another_organization_are_none(world: World, eva: int) -> None:
    theirs = await world.row("conversations", THEIRS)
    answer = await replay(world, eva, {"conversation_ids": [theirs]})
    assert answer.json()["errors"] == {"conversation_ids.0": "names no conversation"}


async def test_the_assistant_stays_as_it_was(world: World, eva: int) -> None:
    await replay(world, eva, {"name": "Draft", "instructions": "Other."})
    async with world.client() as client:
        stored = (await client.get(f"/ai-assistants/{eva}")).json()
        history = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva}")).json()
    assert (stored["version"], stored["name"] == "Draft") == (1, False)
    assert history.get("total", 1) <= 1


async def test_an_organization_may_replay_ten_times_a_minute(world: World, eva: int) -> None:
    answers = [(await replay(world, eva, {})).status_code for _ in range(11)]
    assert answers == [201] * 10 + [429]
