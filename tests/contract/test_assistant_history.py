"""The history of assistants, and the way back: over HTTP, as the page of the settings does it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, THEIRS, World

HISTORY, RESTORE = "/ai-assistants-change-history", "/ai-assistants-restore-from-changes-history"
KEY = "sk-abcdefgh12345678"
SECRET = "specific_openai_secret_key"


class Page:
    """The owner's page of one assistant."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world, self.id = client, world, 0

    async def make(self, **fields: object) -> dict[str, Any]:
        body = {**await self.world.body("ai-assistants"), "name": "Eva", "instructions": "Say hello.", **fields}
        made = await self.client.post("/ai-assistants", json=body)
        assert made.status_code == 201, made.text
        self.id = made.json()["id"]
        return dict(made.json())

    async def change(self, **fields: object) -> dict[str, Any]:
        changed = await self.client.patch(f"/ai-assistants/{self.id}", json=fields)
        assert changed.status_code == 200, changed.text
        return dict(changed.json())

    async def record(self) -> dict[str, Any]:
        return dict((await self.client.get(f"/ai-assistants/{self.id}")).json())

    async def entries(self, query: str = "") -> list[dict[str, Any]]:
        """Newest first."""
        page = await self.client.get(f"{HISTORY}?ai_assistant_id={self.id}&$sort[created_at]=-1{query}")
        assert page.status_code == 200, page.text
        return list(page.json()["data"])

    async def restore(self, entry: dict[str, Any], headers: dict[str, str] | None = None, **more: object) -> Any:
        return await self.client.post(RESTORE, json={"change_history_id": entry["id"], **more}, headers=headers)


@pytest.fixture
async def page(world: World) -> Page:
    return Page(world.client(), world)


def codes(answer: httpx.Response) -> list[str]:
    return [warning["code"] for warning in answer.json()["warnings"]]


async def test_an_entry_says_who_changed_which_fields_and_what_was_in_force(page: Page) -> None:
    await page.make()
    await page.change(name="Ana", disable_reply=True)
    newest, first = await page.entries()
    assert (newest["version"], newest["changed_fields"]) == (2, ["disable_reply", "name"])
    assert newest["created_by_user"]["id"] == page.world.users[(Role.owner, OURS)] == newest["created_by_user_id"]
    assert (newest["snapshot"]["name"], first["snapshot"]["name"], first["version"]) == ("Ana", "Eva", 1)
    assert "changes" not in newest


async def test_the_version_in_force_at_a_time_is_the_newest_one_until_then(page: Page) -> None:
    await page.make()
    between = (await page.entries())[0]["created_at"]
    await page.change(name="Ana")
    found = await page.entries(f"&$limit=1&created_at[$lte]={between[:-1]}999Z")
    assert [entry["snapshot"]["name"] for entry in found] == ["Eva"]
    assert await page.entries("&created_at[$lte]=2020-01-01T00:00:00Z") == []


async def test_one_entry_shows_what_it_changed(page: Page) -> None:
    await page.make()
    await page.change(instructions="Say hello.\nBe kind.", response_config={"mode": "multi"})
    entry = (await page.client.get(f"{HISTORY}/{(await page.entries())[0]['id']}")).json()
    text, mode = entry["changes"]
    assert (text["field"], text["old"], text["diff"]) == (
        "instructions", "Say hello.", "@@ -1 +1,2 @@\n Say hello.\n+Be kind.",
    )  # fmt: skip
    assert mode == {"field": "response_config.mode", "old": "single", "new": "multi"}


async def test_any_two_versions_can_be_compared(page: Page) -> None:
    await page.make()
    await page.change(name="Ana")
    await page.change(timezone="Europe/Madrid")
    newest, _, first = await page.entries()
    entry = (await page.client.get(f"{HISTORY}/{newest['id']}?compare_with={first['id']}")).json()
    assert [change["field"] for change in entry["changes"]] == ["name", "timezone"]
    chosen = (await page.client.get(f"{HISTORY}/{newest['id']}?$select[]=changes")).json()
    assert (set(chosen), [c["field"] for c in chosen["changes"]]) == ({"id", "changes"}, ["timezone"])


async def test_an_entry_is_compared_with_one_of_its_own_assistant(page: Page) -> None:
    await page.make()
    other = (await page.entries())[0]
    await page.make()
    mine = (await page.entries())[0]
    refused = await page.client.get(f"{HISTORY}/{mine['id']}?compare_with={other['id']}")
    assert refused.status_code == 400
    assert "compare_with" in refused.json()["errors"]


async def test_all_is_restored_as_a_new_version(page: Page) -> None:
    before = await page.make(internal_tools={"tools": {"get_product": True}})
    await page.change(name="Ana", instructions="Other.", internal_tools=None, disable_reply=True)
    entry = (await page.entries())[-1]
    done = await page.restore(entry)
    assert (done.status_code, done.json()["version"]) == (201, 3)
    assert {k: v for k, v in done.json().items() if k not in ("updated_at", "version")} == {
        k: v for k, v in before.items() if k not in ("updated_at", "version")
    }
    newest = (await page.entries())[0]
    assert (newest["restored_from_id"], newest["version"]) == (entry["id"], 3)
    assert newest["changed_fields"] == ["disable_reply", "instructions", "internal_tools", "name"]


async def test_only_the_instructions_are_restored_with_their_form(page: Page) -> None:
    made = await page.make(is_easy_mode=True, easy_mode_config={"business_name": "Luna"}, instructions="Written by me.")
    await page.change(is_easy_mode=False, instructions="Other.", name="Ana")
    done = (await page.restore((await page.entries())[-1], restore="instructions")).json()
    assert (done["name"], done["is_easy_mode"], done["instructions"]) == ("Ana", True, "Written by me.")
    assert done["easy_mode_config"] == made["easy_mode_config"]
    assert (await page.change(is_easy_mode=False))["instructions"] == "Other."


async def test_restoring_what_is_in_force_is_no_version(page: Page) -> None:
    await page.make()
    done = await page.restore((await page.entries())[0])
    assert (done.status_code, done.json()["version"]) == (201, 1)
    assert [entry["restored_from_id"] for entry in await page.entries()] == [None]


async def test_a_restore_heeds_if_match(page: Page) -> None:
    await page.make()
    await page.change(name="Ana")
    first = (await page.entries())[-1]
    refused = await page.restore(first, {"if-match": "1"})
    assert (refused.status_code, refused.json()["data"]["changed_fields"]) == (409, ["name"])
    assert (await page.restore(first, {"if-match": "2"})).json()["name"] == "Eva"


async def test_of_two_restores_at_once_with_one_version_one_wins(page: Page) -> None:
    await page.make()
    await page.change(name="Ana")
    first = (await page.entries())[-1]
    answers = await asyncio.gather(*(page.restore(first, {"if-match": "2"}) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [entry["version"] for entry in await page.entries()] == [3, 2, 1]


async def test_of_two_restores_at_once_without_one_both_are_content_and_one_is_a_version(page: Page) -> None:
    await page.make()
    await page.change(name="Ana")
    first = (await page.entries())[-1]
    answers = await asyncio.gather(*(page.restore(first) for _ in range(2)))
    assert [(answer.status_code, answer.json()["version"]) for answer in answers] == [(201, 3), (201, 3)]


async def test_a_server_keeps_its_key_of_today_unless_it_stands_elsewhere(page: Page) -> None:
    server = {"id": "shop", "name": "Shop", "authentication_type": "api_key", "api_key": KEY}
    await page.make(mcp_tools=[{**server, "url": "https://old.example.com/mcp"}])
    await page.change(mcp_tools=[{**server, "url": "https://shop.example.com/mcp"}], name="Ana")
    await page.change(mcp_tools=[{**server, "url": "https://shop.example.com/mcp", "api_key": "sk-another-key-9999"}])
    near, far = (await page.entries())[1:3]
    kept = await page.restore(near)
    assert kept.json()["mcp_tools"][0]["api_key"] == "••••••••9999"
    assert "secret_dropped" not in codes(kept)
    dropped = await page.restore(far)
    assert dropped.json()["mcp_tools"][0]["api_key"] is None
    assert "secret_dropped" in codes(dropped)


async def test_no_secret_is_in_the_history_and_a_restore_keeps_that_of_today(page: Page) -> None:
    await page.make(connection="specific", **{SECRET: "sk-old-and-given-away"})
    await page.change(name="Ana", **{SECRET: KEY})
    entry = (await page.entries())[-1]
    assert "given-away" not in str(await page.entries())
    done = await page.restore(entry)
    assert (done.json()["name"], done.json()[SECRET], codes(done)) == ("Eva", "••••••••5678", [])


async def test_a_secret_of_another_address_is_dropped_with_a_warning(page: Page) -> None:
    own = {"name": "Own", "provider": "openai_compatible", "base_url": "https://models.example.com/v1", "model": "m"}
    model = (await page.client.post("/ai-models", json=own)).json()["id"]
    await page.make()
    await page.change(ai_model_id=model, connection="specific", **{SECRET: KEY})
    done = await page.restore((await page.entries())[-1])
    assert (done.json()[SECRET], codes(done)) == (None, ["secret_dropped"])
    assert "change_history" not in str(done.json())


async def test_a_model_that_is_gone_stays_out_of_a_restore(page: Page) -> None:
    own = {"name": "Own", "provider": "openai_compatible", "base_url": "https://models.example.com/v1", "model": "m"}
    model = (await page.client.post("/ai-models", json=own)).json()["id"]
    first = await page.make()
    await page.change(ai_model_id=model, name="Ana")
    await page.change(ai_model_id=first["ai_model_id"], name="Eva")
    await page.client.delete(f"/ai-models/{model}")
    done = await page.restore((await page.entries())[1])
    assert (done.json()["name"], done.json()["ai_model_id"]) == ("Ana", first["ai_model_id"])
    assert codes(done) == ["model_deleted"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"change_history_id": 999_999}, "change_history_id"),
        ({"change_history_id": None}, "change_history_id"),
        ({}, "change_history_id"),
        ({"restore": "everything"}, "restore"),
        ({"ai_assistant_id": 999_999}, "ai_assistant_id"),
    ],
    ids=["of nobody", "null", "none", "what", "another assistant"],
)
async def test_a_wrong_restore_is_told_by_its_field(page: Page, body: dict[str, object], path: str) -> None:
    await page.make()
    given = {"change_history_id": (await page.entries())[0]["id"]} if body and "change_history_id" not in body else {}
    answer = await page.client.post(RESTORE, json={**given, **body})
    assert answer.status_code == 400
    assert path in answer.json()["errors"]


async def test_another_organization_has_no_way_to_it(page: Page) -> None:
    await page.make()
    entry = (await page.entries())[0]
    async with page.world.client(Role.owner, THEIRS) as theirs:
        assert (await theirs.get(f"{HISTORY}?ai_assistant_id={page.id}")).json()["total"] == 0
        assert (await theirs.get(f"{HISTORY}/{entry['id']}")).status_code == 404
        assert (await theirs.post(RESTORE, json={"change_history_id": entry["id"]})).status_code == 400


async def test_a_member_reads_the_history_and_restores_nothing(page: Page) -> None:
    await page.make()
    entry = (await page.entries())[0]
    async with page.world.client(Role.member) as member:
        assert (await member.get(f"{HISTORY}/{entry['id']}")).status_code == 200
        assert (await member.post(RESTORE, json={"change_history_id": entry["id"]})).status_code == 403


async def test_a_deleted_assistant_keeps_its_history_and_is_not_restored(page: Page) -> None:
    await page.make()
    await page.client.delete(f"/ai-assistants/{page.id}")
    newest, first = await page.entries()
    assert newest["changed_fields"] == ["deleted_at"]
    assert (await page.restore(first)).status_code == 404
