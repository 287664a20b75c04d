"""`advanced_options.web_search`, `.summary` and `.budget` over HTTP: stored, shown, refused, warned of, restored."""

import pytest

from tests.world import World

LIMITS = {
    "web_search": {"enabled": True, "allowed_domains": ["Example.com"]},
    "summary": {"enabled": True, "after_messages": 20},
    "budget": {"max_cost_per_conversation": 0.25, "max_cost_per_day": 5, "on_exceeded": "stop"},
}


async def save(world: World, id: int, options: object) -> tuple[int, dict]:
    async with world.client() as client:
        answer = await client.patch(f"/ai-assistants/{id}", json={"advanced_options": options})
    return answer.status_code, answer.json()


@pytest.fixture
async def eva(world: World) -> int:
    model = await world.row("ai-models", price_input=None, price_output=None)
    return await world.row("ai-assistants", ai_model_id=model, connection="organization", advanced_options={})


async def test_limits_are_stored_and_what_cannot_work_is_told(world: World, eva: int) -> None:
    status, record = await save(world, eva, LIMITS)
    codes = {warning["code"] for warning in record["warnings"]}
    assert status == 200
    assert record["advanced_options"]["budget"] == LIMITS["budget"]
    assert {"web_search_not_available", "budget_not_counted"} <= codes


async def test_with_an_engine_there_is_nothing_to_warn_of(world: World, eva: int) -> None:
    world.app.app.state.door.search_engine = "http://searxng.internal:8080"
    try:
        _, record = await save(world, eva, {"web_search": {"enabled": True}})
    finally:
        world.app.app.state.door.search_engine = None
    assert "web_search_not_available" not in {warning["code"] for warning in record["warnings"]}


@pytest.mark.parametrize(
    ("options", "path"),
    [({"budget": {"max_cost_per_day": -1}}, "budget.max_cost_per_day"), ({"budget": []}, "budget"),
     ({"web_search": {"allowed_domains": ["a b"]}}, "web_search.allowed_domains.0"),
     ({"summary": {"after_messages": None}}, "summary.after_messages")],
)  # fmt: skip
async def test_a_wrong_limit_is_named_and_changes_nothing(world: World, eva: int, options: dict, path: str) -> None:
    status, refused = await save(world, eva, options)
    async with world.client() as client:
        record = (await client.get(f"/ai-assistants/{eva}")).json()
    assert (status, set(refused["errors"])) == (400, {f"advanced_options.{path}"})
    assert record["version"] == 1


async def test_an_older_version_brings_its_limits_back(world: World, eva: int) -> None:
    await save(world, eva, LIMITS)
    await save(world, eva, {})
    async with world.client() as client:
        entries = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva}")).json()["data"]
        entry = next(entry for entry in entries if entry["version"] == 2)
        body = {"ai_assistant_id": eva, "change_history_id": entry["id"]}
        answer = await client.post("/ai-assistants-restore-from-changes-history", json=body)
        record = (await client.get(f"/ai-assistants/{eva}")).json()
    assert answer.status_code in (200, 201), answer.text
    assert record["advanced_options"]["budget"] == LIMITS["budget"]
