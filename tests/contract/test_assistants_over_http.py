"""The assistant's record as a script sees it: status, headers, error objects."""

from frontdesk.core.caller import Role
from tests.world import World

NEW = {"name": "Eva", "assistant_type": "conversation", "ai_model_id": 1, "instructions": "Hi."}


async def test_a_script_creates_changes_and_is_told_of_a_stale_version(world: World) -> None:
    client = world.client(Role.admin)
    made = await client.post("/ai-assistants", json=NEW)
    assert (made.status_code, made.json()["warnings"]) == (201, [])
    path, tag = f"/ai-assistants/{made.json()['id']}", made.headers["etag"]
    changed = await client.patch(path, json={"name": "Ana"}, headers={"if-match": tag})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    stale = await client.patch(path, json={"timezone": "UTC"}, headers={"if-match": tag})
    error = stale.json()
    assert (stale.status_code, error["name"], error["className"]) == (409, "Conflict", "conflict")
    assert error["data"]["changes"] == {"name": {"old": "Eva", "new": "Ana"}}


async def test_wrong_members_come_back_with_their_paths(world: World) -> None:
    client = world.client(Role.admin)
    wrong = {"response_config": {"mode": "loud"}, "schedule_config": {"weekly": [{"days": ["mon"]}]}, "voice": 1}
    first = await client.post("/ai-assistants", json={**NEW, **wrong})
    assert (first.status_code, set(first.json()["errors"])) == (400, {"voice"})
    second = await client.post("/ai-assistants", json={**NEW, **{k: wrong[k] for k in wrong if k != "voice"}})
    assert set(second.json()["errors"]) == {
        "response_config.mode", "schedule_config.weekly.0.from", "schedule_config.weekly.0.to",
    }  # fmt: skip


async def test_what_the_server_keeps_for_itself_is_no_field(world: World) -> None:
    client = world.client(Role.admin)
    made = await client.post("/ai-assistants", json=NEW)
    wrong = {"kept_instructions": "x", "specific_key_sealed": "x", "mcp_secrets_sealed": {}}
    answer = await client.patch(f"/ai-assistants/{made.json()['id']}", json={**wrong, "created_at": "x"})
    assert (answer.status_code, set(answer.json()["errors"])) == (400, set(wrong))


async def test_the_documentation_describes_the_sections(world: World) -> None:
    text = (await world.client(Role.admin).get("/openapi.json")).text
    assert "delay_seconds" in text
    assert "$defs" not in text
