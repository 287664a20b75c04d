"""An assistant that nobody should send: 400 with the path of the field, and row, version and history as before."""

from __future__ import annotations

from typing import Any

import pytest

from frontdesk.core.caller import Role
from tests.world import THEIRS, World

MEGABYTE = "x" * 1_048_576
DEEP = b'{"advanced_options": ' + b'{"burst":' * 3_000 + b"1" + b"}" * 3_001
HOURS = [{"days": ["mon"], "from": "09:00", "to": "12:00"}, {"days": ["mon"], "from": "11:00", "to": "15:00"}]
HANDOFF = "human_handoff_config"


def keyword(text: str) -> dict[str, Any]:
    return {"enabled": True, "rules": [{"id": "r", "type": "keywords", "keywords": [text], "match": "regex"}]}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"colour": "red"}, "colour"),
    "a megabyte of instructions": ({"instructions": MEGABYTE}, "instructions"),
    "a megabyte in the form": ({"easy_mode_config": {"greeting": MEGABYTE}}, "easy_mode_config.greeting"),
    "text for a number": ({"ai_model_id": "one"}, "ai_model_id"),
    "a huge number": ({"ai_model_id": 10**30}, "ai_model_id"),
    "text for a switch": ({"disable_reply": "yes"}, "disable_reply"),
    "an object for a list": ({"api_tools": {}}, "api_tools"),
    "a list for an object": ({"internal_tools": []}, "internal_tools"),
    "an unknown tool": ({"internal_tools": {"tools": {"fly": True}}}, "internal_tools.tools.fly"),
    "five hundred API tools": ({"api_tools": [{"api_tool_id": i} for i in range(1, 501)]}, "api_tools"),
    "five hundred tools of a server": (
        {"mcp_tools": [{"id": "a", "name": "A", "url": "https://a.example.com",
                        "tools": [{"name": f"t{i}"} for i in range(500)]}]}, "mcp_tools.0.tools"),
    "five hundred automations": (
        {"access_permissions_automations": [{"automation_id": i} for i in range(1, 501)]},
        "access_permissions_automations"),
    "an API tool that is not there": ({"api_tools": [{"api_tool_id": 999}]}, "api_tools.0.api_tool_id"),
    "a model that is not there": ({"ai_model_id": 999}, "ai_model_id"),
    "an automation with the number 0": (
        {"access_permissions_automations": [{"automation_id": 0}]}, "access_permissions_automations.0.automation_id"),
    "an automation twice": (
        {"access_permissions_automations": [{"automation_id": 4}] * 2}, "access_permissions_automations"),
    "a user who is not there": ({"acting_user_id": 999}, "acting_user_id"),
    "the hour 25": (
        {"schedule_config": {"weekly": [{"days": ["mon"], "from": "25:00", "to": "23:00"}]}},
        "schedule_config.weekly.0.from"),
    "the 30th of February": (
        {"schedule_config": {"exceptions": [{"date": "2026-02-30", "closed": True}]}},
        "schedule_config.exceptions.0.date"),
    "hours that overlap": ({"schedule_config": {"weekly": HOURS}}, "schedule_config.weekly.1"),
    "a zone that is none": ({"timezone": "Mars/Base"}, "timezone"),
    "a wrong expression": ({HANDOFF: keyword("(")}, f"{HANDOFF}.rules.0.keywords"),
    "an expression too large": ({HANDOFF: keyword("((a{99}){99}){99}")}, f"{HANDOFF}.rules.0.keywords"),
    "an expression that looks back": ({HANDOFF: keyword(r"(a)\1")}, f"{HANDOFF}.rules.0.keywords"),
    "a template that is not there": (
        {"follow_up_config": {"rules": [{"id": "a", "after_minutes": 5, "mode": "template", "template_id": 999}]}},
        "follow_up_config.rules.0.template_id"),
    "a reminder without a message": (
        {"follow_up_config": {"rules": [{"id": "a", "after_minutes": 5, "mode": "fixed"}]}},
        "follow_up_config.rules.0"),
    "a reminder in the past": (
        {"follow_up_config": {"rules": [{"id": "a", "after_minutes": -5}]}},
        "follow_up_config.rules.0.after_minutes"),
    "no telephone number": (
        {"external_handoff_targets": {"targets": [{"id": "a", "name": "A", "to": "call me"}]}},
        "external_handoff_targets.targets.0.to"),
    "a voice too fast": (
        {"telnyx_ai_assistant_config": {"voice_speed": 9}}, "telnyx_ai_assistant_config.voice_speed"),
    "a mask of nothing": (
        {"telnyx_ai_assistant_config": {"voice_api_key": "••••••••1234"}}, "telnyx_ai_assistant_config.voice_api_key"),
    "a reference to no key": (
        {"telnyx_ai_assistant_config": {"voice_api_key_ref": "voice-key-000000000000"}},
        "telnyx_ai_assistant_config.voice_api_key_ref"),
    "a state that only the server sets": (
        {"telnyx_ai_assistant_config": {"sync_status": "synced"}}, "telnyx_ai_assistant_config.sync_status"),
}  # fmt: skip


async def all_of(world: World, id: int) -> tuple[Any, Any, Any]:
    """Record, version header and history."""
    async with world.client() as client:
        row = await client.get(f"/ai-assistants/{id}")
        history = await client.get(f"/ai-assistants-change-history?ai_assistant_id={id}")
    return row.json(), row.headers["etag"], history.json()


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_change_is_named_and_changes_nothing(world: World, name: str) -> None:
    id = await made(world)
    data, path = WRONG[name]
    before = await all_of(world, id)
    async with world.client() as client:
        # Beside something that would be a change: of a body with a fault, nothing is taken.
        answer = await client.patch(f"/ai-assistants/{id}", json={**data, "name": "Other"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path]), answer.text[:500]
    assert await all_of(world, id) == before


# A duplicate is sent with the masks and the state of the original.
TAKEN_BY_POST = {"a mask of nothing", "a reference to no key", "a state that only the server sets"}


@pytest.mark.parametrize("name", sorted(WRONG.keys() - TAKEN_BY_POST))
async def test_a_wrong_assistant_is_not_created(world: World, name: str) -> None:
    data, path = WRONG[name]
    async with world.client() as client:
        answer = await client.post("/ai-assistants", json={**await world.body("ai-assistants"), **data})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [path]), answer.text[:500]
        assert (await client.get("/ai-assistants?$limit=0")).json()["total"] == 0


async def made(world: World) -> int:
    async with world.client() as client:
        return int((await client.post("/ai-assistants", json=await world.body("ai-assistants"))).json()["id"])


BROKEN = {
    "deeply nested": DEEP,
    "deeply nested lists": b'{"api_tools": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a number of 5000 digits": b'{"advanced_options": {"history_messages": ' + b"9" * 5_000 + b"}}",
    "an exponent": b'{"response_config": {"delay_seconds": {"max": 1e999}}}',
    "not a number": b'{"response_config": {"delay_seconds": {"max": NaN}}}',
}


@pytest.mark.parametrize("name", BROKEN)
async def test_json_that_no_program_should_send_changes_nothing(world: World, name: str) -> None:
    id = await made(world)
    before = await all_of(world, id)
    async with world.client(**{"content-type": "application/json"}) as client:
        answer = await client.patch(f"/ai-assistants/{id}", content=BROKEN[name])
        assert (answer.status_code, answer.json()["className"]) == (400, "bad-request"), answer.text[:300]
        assert (await client.post("/ai-assistants", content=BROKEN[name])).status_code == 400
    assert await all_of(world, id) == before


async def test_all_faults_of_several_sections_are_told_at_once(world: World) -> None:
    id = await made(world)
    names = ["a megabyte in the form", "an unknown tool", "the hour 25", "a voice too fast", "a wrong expression"]
    async with world.client() as client:
        data = {name: value for one in names for name, value in WRONG[one][0].items()}
        answer = await client.patch(f"/ai-assistants/{id}", json=data)
    assert set(answer.json()["errors"]) == {WRONG[one][1] for one in names}


async def test_what_belongs_to_another_organization_does_not_exist(world: World) -> None:
    id, user = await made(world), world.users[(Role.member, THEIRS)]
    tool = await world.row("api-tools", THEIRS)
    async with world.client() as client:
        for data in ({"acting_user_id": user}, {"api_tools": [{"api_tool_id": tool}]}):
            assert (await client.patch(f"/ai-assistants/{id}", json=data)).status_code == 400
