"""The settings of calls: the provider's key, the acting user, targets outside; masks, restore, files."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from frontdesk.core.caller import Role
from frontdesk.resources.assistants.portable import Desk, apply, checked, export
from frontdesk.resources.assistants.yaml_files import dump, load
from tests.world import OURS, THEIRS, World, email_of

KEY, OTHER = "el-canary-12345678", "el-second-87654321"
MASK = "••••••••5678"
FIELD = "telnyx_ai_assistant_config"
VOICE = {"voice_provider": "elevenlabs", "voice_id": "rachel", "voice_api_key": KEY, "voice_speed": 1.1}


async def created(world: World, kind: str = "voice", **fields: Any) -> dict[str, Any]:
    async with world.client() as client:
        body = {**await world.body("ai-assistants"), "assistant_type": kind, "instructions": "Hi.", **fields}
        answer = await client.post("/ai-assistants", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def patched(world: World, id: int, **fields: Any) -> tuple[int, dict[str, Any]]:
    async with world.client() as client:
        answer = await client.patch(f"/ai-assistants/{id}", json=fields)
    return answer.status_code, answer.json()


async def opened(world: World, id: int, provider: str = "elevenlabs") -> str | None:
    async with world.database.system() as connection:
        sealed = await connection.fetchval("SELECT voice_key_sealed FROM ai_assistants WHERE id = $1", id)
    vault = world.app.app.state.door.vault
    return None if sealed is None else vault.open(sealed, f"voice-provider:{provider}")


def codes(record: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in record["warnings"]}


async def test_the_key_is_sealed_and_read_as_mask_and_reference(world: World) -> None:
    made = await created(world, **{FIELD: VOICE})
    shown = made[FIELD]
    assert (shown["voice_api_key"], shown["voice_api_key_ref"][:10]) == (MASK, "voice-key-")
    assert {**shown, "voice_api_key": KEY, "voice_api_key_ref": None} == {**VOICE, "voice_api_key_ref": None}
    assert await opened(world, made["id"]) == KEY
    assert codes(made) == {"voice_not_available"}


@pytest.mark.parametrize("kept", ["mask", "reference", "both"])
async def test_the_mask_and_the_reference_each_keep_the_key(world: World, kept: str) -> None:
    made = await created(world, **{FIELD: VOICE})
    named = {"voice_api_key": MASK, "voice_api_key_ref": made[FIELD]["voice_api_key_ref"]}
    named.pop({"mask": "voice_api_key_ref", "reference": "voice_api_key", "both": ""}[kept], None)
    status, changed = await patched(world, made["id"], **{FIELD: {"voice_provider": "ElevenLabs", **named}})
    assert (status, changed[FIELD]["voice_api_key"]) == (200, MASK), changed
    assert changed[FIELD]["voice_api_key_ref"] == made[FIELD]["voice_api_key_ref"]
    assert await opened(world, made["id"]) == KEY


async def test_a_key_goes_when_it_is_not_named_and_changes_when_a_new_one_is_sent(world: World) -> None:
    made = await created(world, **{FIELD: VOICE})
    _, changed = await patched(world, made["id"], **{FIELD: {**VOICE, "voice_api_key": OTHER}})
    assert (changed[FIELD]["voice_api_key"], await opened(world, made["id"])) == ("••••••••4321", OTHER)
    assert changed[FIELD]["voice_api_key_ref"] != made[FIELD]["voice_api_key_ref"]
    _, gone = await patched(world, made["id"], **{FIELD: {"voice_provider": "elevenlabs"}})
    assert (gone[FIELD], await opened(world, made["id"])) == ({"voice_provider": "elevenlabs"}, None)


@pytest.mark.parametrize("named", [{"voice_api_key": MASK}, {"voice_api_key_ref": "?"}], ids=["mask", "reference"])
async def test_a_key_does_not_move_to_another_provider(world: World, named: dict[str, str]) -> None:
    made = await created(world, **{FIELD: VOICE})
    if "voice_api_key_ref" in named:
        named = {"voice_api_key_ref": made[FIELD]["voice_api_key_ref"]}
    status, error = await patched(world, made["id"], **{FIELD: {"voice_provider": "azure", **named}})
    assert status == 400
    assert error["errors"] == {f"{FIELD}.{next(iter(named))}": "was stored for another voice provider; enter it again"}
    assert await opened(world, made["id"]) == KEY


async def test_a_duplicate_has_no_key_and_says_so(world: World) -> None:
    made = await created(world, **{FIELD: {**VOICE, "sync_status": "pending"}})
    copy = await created(world, **{FIELD: made[FIELD]})
    assert (copy[FIELD]["voice_api_key"], copy[FIELD]["voice_api_key_ref"]) == (None, None)
    assert codes(copy) == {"voice_not_available", "secret_missing"}
    assert await opened(world, copy["id"]) is None


async def test_only_pending_is_a_clients_state(world: World) -> None:
    made = await created(world, **{FIELD: {"sync_status": "synced"}})
    assert made[FIELD] == {"sync_status": "pending"}
    assert (await patched(world, made["id"], **{FIELD: {"sync_status": "pending", "greeting": "Hi."}}))[0] == 200
    status, error = await patched(world, made["id"], **{FIELD: {"sync_status": "failed"}})
    assert (status, list(error["errors"])) == (400, [f"{FIELD}.sync_status"])


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"voice_provider": "acme"}, "voice_provider_unknown"),
    ({"external_transfer_caller_id_mode": "transfer_from_number"}, "caller_id_missing"),
    ({"voice_runtime": "telnyx_builtin", "use_custom_llm": True}, "voice_runtime_contradicts"),
]


@pytest.mark.parametrize(("config", "code"), CONTRADICTIONS, ids=[code for _, code in CONTRADICTIONS])
async def test_what_contradicts_itself_is_stored_with_a_warning(
    world: World, config: dict[str, Any], code: str
) -> None:
    made = await created(world, **{FIELD: config})
    assert (made[FIELD], codes(made)) == (config, {"voice_not_available", code})


async def test_settings_of_calls_on_a_written_assistant_are_a_warning(world: World) -> None:
    user = world.users[(Role.member, OURS)]
    targets = {"targets": [{"id": "a", "name": "A", "to": "+15550100"}]}
    made = await created(
        world, "conversation", acting_user_id=user, external_handoff_targets=targets, **{FIELD: {"greeting": "Hi."}}
    )
    assert [(one["field"], one["code"]) for one in made["warnings"]] == [
        (FIELD, "voice_only"), ("external_handoff_targets", "voice_only"), ("acting_user_id", "voice_only"),
    ]  # fmt: skip


async def test_the_acting_user_is_a_member_and_is_told_when_gone(world: World) -> None:
    member, stranger = world.users[(Role.member, OURS)], world.users[(Role.member, THEIRS)]
    made = await created(world, acting_user_id=member)
    assert (await patched(world, made["id"], acting_user_id=stranger))[0] == 400
    async with world.database.system() as connection:
        await connection.execute("UPDATE members SET deleted_at = now() WHERE user_id = $1", member)
    status, record = await patched(world, made["id"], name="Ana")
    assert (status, record["acting_user_id"], "acting_user_gone" in codes(record)) == (200, member, True)


async def restored(world: World, id: int, version: int) -> dict[str, Any]:
    async with world.client() as client:
        entries = (await client.get(f"/ai-assistants-change-history?ai_assistant_id={id}")).json()["data"]
        entry = next(one["id"] for one in entries if one["snapshot"]["version"] == version)
        answer = await client.post("/ai-assistants-restore-from-changes-history", json={"change_history_id": entry})
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def test_a_restore_keeps_the_key_of_today_where_it_still_belongs(world: World) -> None:
    made = await created(world, **{FIELD: VOICE})
    await patched(world, made["id"], **{FIELD: {**VOICE, "voice_api_key": OTHER, "voice_id": "bella"}})
    back = await restored(world, made["id"], 1)
    assert (back[FIELD]["voice_id"], back[FIELD]["voice_api_key"]) == ("rachel", "••••••••4321")
    assert (await opened(world, made["id"]), "secret_dropped" in codes(back)) == (OTHER, False)


async def test_a_restore_to_another_provider_drops_the_key_with_a_warning(world: World) -> None:
    made = await created(world, acting_user_id=world.users[(Role.member, OURS)], **{FIELD: VOICE})
    await patched(
        world, made["id"], acting_user_id=None, **{FIELD: {"voice_provider": "azure", "voice_api_key": OTHER}}
    )
    async with world.database.system() as connection:
        await connection.execute("UPDATE members SET deleted_at = now() WHERE user_id = $1", made["acting_user_id"])
    back = await restored(world, made["id"], 1)
    assert (back[FIELD].get("voice_api_key"), back["acting_user_id"]) == (None, None)
    assert codes(back) >= {"secret_dropped", "acting_user_gone"}
    assert await opened(world, made["id"]) is None


async def written(world: World, id: int, organization_id: int = OURS) -> tuple[str, list[str]]:
    async with world.door.database.transaction(organization_id) as connection:
        document, left_out = await export(Desk(world.door, connection, organization_id), id)
    return dump(document), left_out


async def applied(world: World, text: str, organization_id: int = OURS) -> int:
    async with world.door.database.transaction(organization_id) as connection:
        return await apply(Desk(world.door, connection, organization_id), checked(load(text)))


async def test_a_file_names_the_user_and_holds_no_key(world: World) -> None:
    targets = {"targets": [{"id": "a", "name": "A", "to": "+15550100"}]}
    made = await created(
        world, acting_user_id=world.users[(Role.member, OURS)], external_handoff_targets=targets,
        access_permissions_automations=[{"automation_id": 4}], **{FIELD: VOICE},
    )  # fmt: skip
    text, left_out = await written(world, made["id"])
    assert not any(secret in text for secret in (KEY, "•", "voice-key-", "automation"))
    assert f"acting_user_email: {email_of(Role.member)}" in text
    assert left_out == [
        "assistant.access_permissions_automations: automations have no names in this version; those here stay"
    ]
    assert await applied(world, text) == made["id"]
    assert (await opened(world, made["id"]), (await written(world, made["id"]))[0]) == (KEY, text)
    other = text.replace(email_of(Role.member), email_of(Role.member, THEIRS))
    assert (await written(world, await applied(world, other, THEIRS), THEIRS))[0] == other


async def test_no_answer_and_no_row_of_history_or_events_holds_the_key(world: World) -> None:
    made = await created(world, **{FIELD: VOICE})
    await patched(world, made["id"], **{FIELD: {**VOICE, "voice_api_key": OTHER, "voice_speed": 99}})
    async with world.client() as client:
        paths = [f"/ai-assistants/{made['id']}", "/ai-assistants", "/ai-assistants-change-history",
                 f"/ai-assistants/{made['id']}/permissions"]  # fmt: skip
        said = [(await client.get(path)).text for path in paths]
    async with world.database.system() as connection:
        tables = ("ai_assistants", "ai_assistant_versions", "events")
        said += [str(await connection.fetch(f"SELECT to_jsonb(t)::text FROM {table} t")) for table in tables]
    assert not any(secret in text for secret in (KEY, OTHER) for text in said)
    assert json.dumps(made).count(KEY) == 0


async def test_of_two_who_change_the_key_at_once_one_key_stands(world: World) -> None:
    made = await created(world, **{FIELD: VOICE})
    both = await asyncio.gather(
        *(patched(world, made["id"], **{FIELD: {**VOICE, "voice_api_key": k}}) for k in (KEY, OTHER))
    )
    assert [status for status, _ in both] == [200, 200]
    async with world.client() as client:
        shown = (await client.get(f"/ai-assistants/{made['id']}")).json()[FIELD]["voice_api_key"]
    assert shown[-4:] == str(await opened(world, made["id"]))[-4:]
