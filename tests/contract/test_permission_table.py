"""`/ai-assistants/:id/permissions`: the table that is served, of today, of a version, and of a draft."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from frontdesk.assistants.permissions import SYSTEM_TOOLS
from frontdesk.assistants.tool_keys import TOOL_KEYS
from frontdesk.core.caller import Role
from tests.world import THEIRS, World

SHOP = {
    "id": "shop", "name": "Shop", "url": "https://shop.example.com/mcp", "authentication_type": "api_key",
    "tools": [{"name": "search"}],
}  # fmt: skip


@pytest.fixture
async def eva(world: World) -> int:
    """An assistant with one tool of each kind."""
    async with world.client() as client:
        tool = (await client.post("/api-tools", json=await world.body("api-tools"))).json()
        body = {
            **await world.body("ai-assistants"), "access_permissions_contact": "read", "mcp_tools": [SHOP],
            "internal_tools": {"tools": {"find_contact": True, "update_contact": True}},
            "api_tools": [{"api_tool_id": tool["id"]}],
        }  # fmt: skip
        made = (await client.post("/ai-assistants", json=body)).json()
        skill = {"assistant_id": made["id"], "name": "Returns", "when_to_use": "Asked.", "content": "No."}
        assert (await client.post("/ai-assistant-skills", json=skill)).status_code == 201
    return int(made["id"])


async def table_of(world: World, id: int, query: str = "", **draft: Any) -> dict[str, Any]:
    async with world.client() as client:
        url = f"/ai-assistants/{id}/permissions{query}"
        answer = await (client.post(url, json=draft) if draft else client.get(url))
    assert answer.status_code in (200, 201), answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def rules(table: dict[str, Any]) -> dict[str, str]:
    return {row["tool"]: row["rule"] for row in table["tools"]}


async def test_every_tool_has_one_row_with_its_rule(world: World, eva: int) -> None:
    table = await table_of(world, eva)
    assert len(table["tools"]) == len(TOOL_KEYS) + len(SYSTEM_TOOLS) + 2 == len(rules(table))
    assert [row["tool"] for row in table["tools"] if row["allowed"]] == table["offered"]
    assert rules(table).items() >= {
        "find_contact": "allowed", "update_contact": "access_read", "get_contact": "off", "load_skill": "allowed",
        "shop__search": "mcp_secret",
    }.items()  # fmt: skip
    assert (table["version"], table["is_draft"], table["warnings"]) == (2, False, [])


async def test_a_row_tells_all_about_its_tool(world: World, eva: int) -> None:
    rows = {row["tool"]: row for row in (await table_of(world, eva))["tools"]}
    assert rows["update_contact"] == {
        "tool": "update_contact", "kind": "internal", "id": None, "area": "crm", "entities": ["contact"],
        "verb": "update", "effect": "changes", "access": {"field": "access_permissions_contact", "value": "read"},
        "scope": "own", "approval": "never", "allowed": False, "rule": "access_read",
        "config_path": "access_permissions_contact",
        "sentence": "update_contact is not offered: the assistant may only read contact (access_permissions_contact is "
        "read).",
    }  # fmt: skip
    assert rows["find_contact"]["sentence"] == (
        "find_contact may be used: it only reads, within what belongs to the customer of the conversation."
    )
    assert rows["shop__search"]["config_path"] == "mcp_tools.0.tools.0"


async def test_a_member_reads_it_and_another_organization_does_not(world: World, eva: int) -> None:
    async with world.client(Role.member) as client:
        assert (await client.get(f"/ai-assistants/{eva}/permissions")).status_code == 200
        assert (await client.post(f"/ai-assistants/{eva}/permissions", json={})).status_code == 403
    async with world.client(Role.owner, THEIRS) as client:
        assert (await client.get(f"/ai-assistants/{eva}/permissions")).status_code == 404
        assert (await client.post(f"/ai-assistants/{eva}/permissions", json={})).status_code == 404


async def test_a_version_of_before_is_shown_as_it_was(world: World, eva: int) -> None:
    async with world.client() as client:
        await client.patch(f"/ai-assistants/{eva}", json={"access_permissions_contact": "none"})
        assert rules(await table_of(world, eva))["find_contact"] == "access_none"
        then = await table_of(world, eva, "?version=1")
        assert (rules(then)["find_contact"], rules(then)["load_skill"], then["version"]) == ("allowed", "no_skills", 1)
        wrong = await client.get(f"/ai-assistants/{eva}/permissions?version=99")
        few = await client.get(f"/ai-assistants/{eva}/permissions?$select[]=offered")
        others = [
            await client.get(f"/ai-assistants/{eva}/permissions?{q}") for q in ("language=ENG", "version=x", "a=1")
        ]
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["version"])
    assert (few.json(), [each.status_code for each in others]) == (
        {"offered": ["load_skill", "api_order_status"]},
        [400] * 3,
    )


async def test_a_draft_shows_what_a_change_would_give_and_stores_nothing(world: World, eva: int) -> None:
    async with world.client() as client:
        before = (await client.get(f"/ai-assistants/{eva}")).json()
        history = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva}")).json()
        draft = await table_of(
            world,
            eva,
            access_permissions_contact="read_write",
            instructions_language="ESP",
            assistant_type="conversation",
        )  # fmt: skip
        assert (await client.get(f"/ai-assistants/{eva}")).json() == before
        assert (await client.get(f"/ai-assistants-change-history?ai_assistant_id={eva}")).json() == history
    assert (draft["is_draft"], rules(draft)["update_contact"], draft["version"]) == (True, "allowed", 3)
    assert draft["tools"][0]["sentence"].startswith("find_contact puede usarse: solo lee")


async def test_a_draft_is_checked_as_the_change_would_be(world: World, eva: int) -> None:
    async with world.client() as client:
        url = f"/ai-assistants/{eva}/permissions"
        wrong = await client.post(url, json={"internal_tools": {"tools": {"fly": True}}, "colour": 1})
        unknown = await client.post(url, json={"api_tools": [{"api_tool_id": 999}]})
        hollow = await client.post(url, json={"access_permissions_contact": "none"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["colour"])
    assert list(unknown.json()["errors"]) == ["api_tools.0.api_tool_id"]
    assert {"tool_without_access"} <= {warning["code"] for warning in hollow.json()["warnings"]}


async def test_what_is_deleted_or_not_set_up_is_not_offered(world: World, eva: int) -> None:
    async with world.client() as client:
        tool = (await client.get("/api-tools")).json()["data"][0]
        await client.delete(f"/api-tools/{tool['id']}")
        await client.patch(f"/ai-assistants/{eva}", json={"advanced_options": {"web_search": {"enabled": True}}})
        found = rules(await table_of(world, eva))
        assert "api_deleted" in found.values()
        assert found["web_search"] == "no_search_engine"
        await client.delete(f"/ai-assistants/{eva}")
        assert (await client.get(f"/ai-assistants/{eva}/permissions")).status_code == 404


async def test_the_answer_is_what_the_description_of_the_api_says(world: World, eva: int) -> None:
    async with world.client() as client:
        document = (await client.get("/openapi.json")).json()
    path = document["paths"]["/ai-assistants/{id}/permissions"]
    assert path.keys() == {"get", "post"}
    schema = {**document["components"]["schemas"]["AiAssistantsPermissions"], "components": document["components"]}
    for table in (await table_of(world, eva), await table_of(world, eva, disable_reply=True)):
        assert [error.message for error in Draft202012Validator(schema).iter_errors(table)] == []
        assert set(table) == set(schema["properties"])
