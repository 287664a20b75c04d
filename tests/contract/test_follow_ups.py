"""Follow-ups over HTTP: the section, what it names, its preview, and the rows that tell what became of each."""

from typing import Any

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.errors import Json
from tests.contract.test_assistant_history import HISTORY, RESTORE
from tests.contract.test_handoffs import assistant, change, codes
from tests.contract.test_portable_assistants import applied, written
from tests.world import OURS, THEIRS, World

RULE: dict[str, Json] = {"id": "f1", "after_minutes": 60, "mode": "fixed", "message": "Still there?"}
TURN = """
    INSERT INTO ai_turns (organization_id, conversation_id, ai_assistant_id, config_version, epoch, status, is_muted,
        due_at, attempts, effects_started, first_position, last_position, draft_seq, end_reason, ended_at,
        input_tokens, output_tokens, created_at, updated_at)
    VALUES ($1, $2, $3, 1, 1, 'ended', false, $4, 1, true, 1, $5, 0, $6, $4, 0, 0, $4, $4)
"""
INBOUND = """
    INSERT INTO conversation_messages (organization_id, conversation_id, position, channel, kind, direction, sender,
        message_type, message_text, status, created_at, updated_at)
    VALUES ($1, $2, $3, 'webchat', 'conversation', 'inbound', 'contact', 'text', 'Hm.', 'stored', $4, $4)
"""


def follows(*rules: dict[str, Json], **fields: Json) -> Json:
    return {"enabled": True, "rules": list(rules), **fields}


async def preview(world: World, id: Json, config: Json, role: Role = Role.admin) -> tuple[int, dict[str, Any]]:
    async with world.client(role) as client:
        answer = await client.post(f"/ai-assistants/{id}/follow-up-preview", json={"follow_up_config": config})
    return answer.status_code, answer.json()


async def answered(world: World, assistant_id: Json, days: float, position: int = 1, reason: str = "answered") -> int:
    """One answer so many days ago, in a conversation of its own. Gives that."""
    conversation = await world.row("conversations", channel="webchat")
    async with world.database.system() as connection:
        at = await connection.fetchval("SELECT $1::timestamptz - $2 * interval '1 day'", world.door.clock.now(), days)
        await connection.execute(TURN, OURS, conversation, assistant_id, at, position, reason)
    return conversation


async def replied(world: World, conversation: int, days: float) -> None:
    async with world.database.system() as connection:
        at = await connection.fetchval("SELECT $1::timestamptz - $2 * interval '1 day'", world.door.clock.now(), days)
        await connection.execute(INBOUND, OURS, conversation, 9, at)


async def test_it_is_stored_and_restored(world: World) -> None:
    eva = await assistant(world)
    status, body = await change(world, eva["id"], follow_up_config=follows(RULE))
    assert (status, stored := body["follow_up_config"]) == (200, follows(RULE))
    _, body = await change(world, eva["id"], follow_up_config=None)
    assert body["follow_up_config"] == {
        "enabled": False, "max_per_conversation": 3, "stop_on": ["reply", "close", "human", "opt_out"], "rules": [],
    }  # fmt: skip
    async with world.client(Role.admin) as client:
        page = (await client.get(f"{HISTORY}?ai_assistant_id={eva['id']}&version=2")).json()["data"]
        back = (await client.post(RESTORE, json={"change_history_id": page[0]["id"]})).json()
    assert back["follow_up_config"] == stored


BAD: list[tuple[Any, str]] = [
    ({**RULE, "after_minutes": 0}, "0.after_minutes"),
    ({**RULE, "after_minutes": 129_601}, "0.after_minutes"),
    ({**RULE, "id": "a b"}, "0.id"),
    ({**RULE, "mode": "sms"}, "0.mode"),
    ({**RULE, "message": None}, "0"),
    ({**RULE, "mode": "template"}, "0"),
    ({**RULE, "channels": ["telegram"]}, "0.channels.0"),
    ({**RULE, "template_id": 999_999}, "0.template_id"),
    ({**RULE, "colour": "red"}, "0.colour"),
]


@pytest.mark.parametrize(("rule", "path"), BAD, ids=[str(i) for i in range(len(BAD))])
async def test_a_wrong_rule_is_named_by_its_path_also_in_the_preview(world: World, rule: Any, path: str) -> None:
    eva = await assistant(world)
    status, body = await change(world, eva["id"], follow_up_config=follows(rule))
    assert (status, list(body["errors"])) == (400, [f"follow_up_config.rules.{path}"])
    status, body = await preview(world, eva["id"], follows(rule))
    assert (status, list(body["errors"])) == (400, [f"follow_up_config.rules.{path}"])


async def template(world: World, organization_id: int = OURS, **fields: object) -> int:
    inbox = await world.row("inbox-channels", organization_id, channel="whatsapp")
    values = {"inbox_channel_id": inbox, "name": "reminder", "language": "en", "status": "approved", **fields}
    async with world.client(Role.admin, organization_id) as client:
        made = await client.post("/whatsapp-templates", json={"body": "Hello {{1}}.", **values})
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


async def test_a_template_is_the_organizations_and_told_where_it_cannot_be_sent(world: World) -> None:
    eva, theirs = await assistant(world), await template(world, THEIRS)
    rule = {**RULE, "mode": "template", "message": None, "channels": ["whatsapp"]}
    status, body = await change(world, eva["id"], follow_up_config=follows({**rule, "template_id": theirs}))
    assert (status, list(body["errors"])) == (400, ["follow_up_config.rules.0.template_id"])
    ours = await template(world, status="pending")
    _, body = await change(world, eva["id"], follow_up_config=follows({**rule, "template_id": ours}))
    at = "follow_up_config.rules.0"
    expected = {(f"{at}.template_values", "template_values_unfit"), (f"{at}.template_id", "template_not_approved")}
    assert expected <= codes(body)


async def test_a_file_names_the_template_with_its_language(world: World) -> None:
    eva, ours = await assistant(world), await template(world)
    await template(world, language="es")
    rule = {**RULE, "mode": "template", "message": None, "template_id": ours, "template_values": {"1": "Luna"}}
    await change(world, eva["id"], follow_up_config=follows(rule))
    text = await written(world, int(str(eva["id"])))
    assert "template_name: reminder (en)" in text
    there = await template(world, THEIRS)
    id = await applied(world, text, THEIRS)
    async with world.client(Role.admin, THEIRS) as client:
        stored = (await client.get(f"/ai-assistants/{id}")).json()["follow_up_config"]
    assert stored["rules"][0]["template_id"] == there


async def test_another_type_is_warned(world: World) -> None:
    eva = await assistant(world, assistant_type="ai-chat")
    _, body = await change(world, eva["id"], follow_up_config=follows(RULE))
    assert ("follow_up_config", "follow_up_not_for_type") in codes(body)


async def test_a_preview_counts_what_there_would_be_and_stores_nothing(world: World) -> None:
    eva = await assistant(world)
    await answered(world, eva["id"], 2)
    await replied(world, await answered(world, eva["id"], 3), 2.99)  # after a quarter of an hour
    await answered(world, eva["id"], 40)
    await answered(world, eva["id"], 1, reason="conversation_closed")
    rules = (RULE, {**RULE, "id": "soon", "after_minutes": 5}, {**RULE, "id": "sms", "channels": ["sms"]})
    status, body = await preview(world, eva["id"], follows(*rules))
    assert (status, body["answers"], body["scheduled_for_the_past"]) == (201, 2, 0)
    counts = {rule["id"]: (rule["scheduled"], rule["due"]) for rule in body["rules"]}
    assert counts == {"soon": (2, 2), "f1": (2, 1), "sms": (0, 0)}
    async with world.client(Role.admin) as client:
        assert (await client.get(f"/ai-assistants/{eva['id']}")).json()["version"] == 1
        assert (await client.get("/ai-follow-ups")).json()["total"] == 0


async def test_a_preview_needs_the_right_and_the_assistant(world: World) -> None:
    eva = await assistant(world)
    assert (await preview(world, eva["id"], follows(RULE), Role.member))[0] == 403
    assert (await preview(world, 999_999, follows(RULE)))[0] == 404
    theirs = await world.row("ai-assistants", THEIRS)
    assert (await preview(world, theirs, follows(RULE)))[0] == 404


async def test_a_preview_of_nothing_is_of_what_is_stored(world: World) -> None:
    eva = await assistant(world, follow_up_config=follows(RULE))
    async with world.client(Role.admin) as client:
        stored = await client.post(f"/ai-assistants/{eva['id']}/follow-up-preview", json={})
    assert (stored.status_code, stored.json()["rules"]) == (201, [{"id": "f1", "scheduled": 0, "due": 0}])


async def test_a_preview_without_rules_is_no_error(world: World) -> None:
    eva = await assistant(world)
    await answered(world, eva["id"], 2)
    _, body = await preview(world, eva["id"], {"enabled": True})
    assert (body["answers"], body["rules"], codes(body)) == (
        1, [], {("follow_up_config.rules", "follow_up_without_rules")}
    )  # fmt: skip


async def test_rows_are_read_only_and_found_by_what_they_are_about(world: World) -> None:
    id = await world.row("ai-follow-ups", status="scheduled", rule_id="f1")
    async with world.client(Role.member) as client:
        one = (await client.get(f"/ai-follow-ups/{id}")).json()
        about = f"conversation_id={one['conversation_id']}"
        for query in (about, "status=scheduled", "rule_id=f1", "due_at[$lte]=2100-01-01T00:00:00Z"):
            found = (await client.get(f"/ai-follow-ups?{query}")).json()["data"]
            assert [row["id"] for row in found] == [id], query
        assert (await client.get("/ai-follow-ups?status=sent")).json()["data"] == []
        assert (await client.post("/ai-follow-ups", json={})).status_code == 405
        assert (await client.delete(f"/ai-follow-ups/{id}")).status_code == 405
        assert "rings_at" not in one


async def test_opting_out_is_a_field_of_the_contact(world: World) -> None:
    async with world.client(Role.member) as client:
        made = (await client.post("/contacts", json={"first_name": "Ana"})).json()
        out = await client.patch(f"/contacts/{made['id']}", json={"opted_out_at": "2026-01-05T12:00:00Z"})
        back = await client.patch(f"/contacts/{made['id']}", json={"opted_out_at": None})
    assert (made["opted_out_at"], out.json()["opted_out_at"]) == (None, "2026-01-05T12:00:00.000Z")
    assert back.json()["opted_out_at"] is None


async def test_a_decision_says_what_it_is_about(world: World) -> None:
    id = await world.row("ai-decisions")
    async with world.client(Role.member) as client:
        assert (await client.get(f"/ai-decisions/{id}")).json()["kind"] in ("inbound", "follow_up")
        assert (await client.get("/ai-decisions?ai_follow_up_id[$ne]=null")).status_code == 200
