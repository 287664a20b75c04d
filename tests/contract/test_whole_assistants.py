"""Every published parameter, on each of the four types: created, read, duplicated, filtered, deleted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from frontdesk.assistants.config import ASSISTANT_TYPES
from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.resources.assistants.ai_assistants import ai_assistants
from tests.unit.test_sections import EXAMPLES
from tests.world import OURS, World

# The table of the published API: every parameter of PATCH with its type.
PUBLISHED = {
    "name": "text", "ai_model_id": "integer", "connection": "text", "specific_openai_secret_key": "text",
    "timezone": "text", "instructions": "text", "instructions_language": "text", "is_easy_mode": "boolean",
    "easy_mode_config": "object", "human_handoff_config": "object", "ai_assistant_handoff_config": "object",
    "external_handoff_targets": "object", "follow_up_config": "object", "access_permissions_automations": "array",
    "access_permissions_contact": "text", "access_permissions_deals": "text",
    "access_permissions_customer_support": "text", "advanced_options": "object", "additional_json_keys": "array",
    "disable_reply": "boolean", "analyze_images": "boolean", "enable_message_burst_handling": "boolean",
    "can_send_images": "boolean", "response_config": "object", "schedule_config": "object",
    "internal_tools": "object", "api_tools": "array", "mcp_tools": "array", "telnyx_ai_assistant_config": "object",
    "acting_user_id": "integer",
}  # fmt: skip
SERVER = ("id", "created_by_user_id", "created_at", "updated_at", "deleted_at")  # what the published recipe drops
SECRETS = ("specific_openai_secret_key", "mcp_tools", "telnyx_ai_assistant_config")
WRITABLE = {f.name: f for f in ai_assistants.fields if f.write != "never"}


def kind_of(f: Field) -> str:
    kinds = f.json_schema()["type"] if f.kind == "json" else f.kind
    return str(kinds[0]) if isinstance(kinds, list) else str(kinds)


def test_the_published_parameters_are_declared_with_their_types() -> None:
    assert len(PUBLISHED) == 30
    assert {name: kind_of(WRITABLE[name]) for name in PUBLISHED if name in WRITABLE} == PUBLISHED
    assert WRITABLE.keys() - PUBLISHED.keys() == {"assistant_type"}


async def filled(world: World, kind: str) -> dict[str, Any]:
    """Every field with a value that is not its default; what sections refer to exists."""
    sections = copy.deepcopy(EXAMPLES)
    user, other = world.users[(Role.member, OURS)], await world.row("ai-assistants", assistant_type=kind)
    model = await world.row("ai-models", base_url="https://models.example.com/v1", provider="openai_compatible")
    sections["api_tools"][0]["api_tool_id"] = await world.row("api-tools")
    sections["human_handoff_config"]["target"]["user_ids"] = [user]
    sections["ai_assistant_handoff_config"]["targets"][0]["assistant_id"] = other
    sections["advanced_options"]["fallback_ai_model_ids"] = [await world.row("ai-models")]
    sections["follow_up_config"]["rules"][1]["template_id"] = await world.row("whatsapp-templates")
    for key in sections["additional_json_keys"]:
        key.pop("save_to", None)
    sections = {name: value for name, value in sections.items() if name in WRITABLE}
    flags = {name: True for name, f in WRITABLE.items() if f.kind == "boolean"}
    return {
        "name": "Eva", "assistant_type": kind, "ai_model_id": model, "connection": "specific",
        "specific_openai_secret_key": "sk-abcdefgh12345678", "timezone": "America/Bogota",
        "instructions": "Own words.", "instructions_language": "ESP", "access_permissions_contact": "read",
        "access_permissions_deals": "read_write", "access_permissions_customer_support": "read",
        "acting_user_id": user, **flags, **sections,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ASSISTANT_TYPES)
async def test_an_assistant_with_every_field_set_is_duplicated(world: World, kind: str) -> None:
    body = await filled(world, kind)
    assert body.keys() == WRITABLE.keys()
    async with world.client() as client:
        made = await client.post("/ai-assistants", json=body)
        assert made.status_code == 201, made.text
        read = (await client.get(f"/ai-assistants/{made.json()['id']}")).json()
        recipe = {name: value for name, value in read.items() if name not in SERVER} | {"name": "Eva 2"}
        copied = await client.post("/ai-assistants", json=recipe)
        assert copied.status_code == 201, copied.text
        again = (await client.get(f"/ai-assistants/{copied.json()['id']}")).json()
    assert {name for name in read if again[name] != read[name]} <= {"name", "version", *SERVER, *SECRETS}
    assert [again[name] for name in SECRETS] == [without_secrets(read[name]) for name in SECRETS]
    assert {"secret_missing"} <= {warning["code"] for warning in copied.json()["warnings"]}


def without_secrets(value: Any) -> Any:
    """Masks are no secrets of the duplicate; neither is what stands for a stored key."""
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    if isinstance(value, dict):
        shown = {name: without_secrets(inner) for name, inner in value.items()}
        return {**shown, **({"voice_api_key_ref": None} if "voice_api_key_ref" in shown else {})}
    return None if isinstance(value, str) and value.startswith("••••") else value


@pytest.mark.parametrize("kind", ASSISTANT_TYPES)
async def test_what_was_sent_is_read_and_sent_back_it_changes_nothing(world: World, kind: str) -> None:
    body = await filled(world, kind)
    async with world.client() as client:
        made = (await client.post("/ai-assistants", json=body)).json()
        read = (await client.get(f"/ai-assistants/{made['id']}")).json()
        same = await client.patch(f"/ai-assistants/{made['id']}", json=read)
    assert {name for name in body if read[name] != body[name]} <= {*SECRETS}
    assert (same.status_code, same.json()["version"]) == (200, 1), same.text


async def test_null_brings_back_what_a_new_assistant_has(world: World) -> None:
    names = WRITABLE.keys() - {"name", "assistant_type", "ai_model_id"}
    async with world.client() as client:
        plain = (await client.post("/ai-assistants", json=await world.body("ai-assistants"))).json()
        made = (await client.post("/ai-assistants", json=await filled(world, "conversation"))).json()
        cleared = await client.patch(f"/ai-assistants/{made['id']}", json=dict.fromkeys(names))
    assert cleared.status_code == 200, cleared.text
    expected = {**plain, "instructions": "", "timezone": "UTC"}
    assert {name: cleared.json()[name] for name in names} == {name: expected[name] for name in names}


async def test_the_list_knows_the_published_filters(world: World) -> None:
    async with world.client() as client:
        ids = {}
        for kind in ASSISTANT_TYPES:
            body = {**await world.body("ai-assistants"), "name": kind, "assistant_type": kind}
            ids[kind] = (await client.post("/ai-assistants", json=body)).json()["id"]
        others = (await client.get(f"/ai-assistants?id[$ne]={ids['voice']}&$sort[name]=1")).json()["data"]
        voices = (await client.get("/ai-assistants?assistant_type=voice")).json()
        counted = (await client.get("/ai-assistants?$limit=0&deleted_at=null")).json()
        gone = await client.delete(f"/ai-assistants/{ids['voice']}")
        left = (await client.get("/ai-assistants?$limit=0")).json()["total"]
        deleted = (await client.get("/ai-assistants?deleted_at[$ne]=null")).json()["data"]
    assert [row["name"] for row in others] == ["ai-chat", "conversation", "support-ticket"]
    assert (voices["total"], counted) == (1, {"total": 4, "limit": 0, "skip": 0, "data": []})
    assert (gone.json()["deleted_at"] is not None, left, [row["id"] for row in deleted]) == (True, 3, [ids["voice"]])
