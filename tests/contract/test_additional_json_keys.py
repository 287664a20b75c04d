"""`additional_json_keys` as the settings page writes them: refused by path, warned about, in history and files."""

from __future__ import annotations

from typing import Any

import pytest

from frontdesk.core.caller import Role
from tests.contract.test_assistant_history import Page, codes
from tests.contract.test_portable_assistants import applied, written
from tests.world import THEIRS, World

INTENT = {
    "key": "intent", "type": "string", "enum": ["book", "cancel"], "required": True,
    "save_to": {"entity": "contact", "custom_field": "last_intent"},
}  # fmt: skip
FIELD = {"entity": "contact", "name": "Last intent", "key": "last_intent"}


@pytest.fixture
async def page(world: World) -> Page:
    return Page(world.client(), world)


async def define(page: Page, **fields: object) -> None:
    made = await page.client.post("/custom-fields", json={**FIELD, **fields})
    assert made.status_code == 201, made.text


async def warned(page: Page, *keys: dict[str, Any], **fields: object) -> list[tuple[str, str]]:
    changed = await page.change(additional_json_keys=list(keys), **fields)
    return [(w["field"], w["code"]) for w in changed["warnings"] if w["field"].startswith("additional_json_keys")]


async def test_they_are_read_as_they_were_written(page: Page) -> None:
    assert (await page.make())["additional_json_keys"] == []
    await page.change(additional_json_keys=[INTENT])
    assert (await page.record())["additional_json_keys"] == [INTENT]
    await page.change(additional_json_keys=None)
    assert (await page.record())["additional_json_keys"] == []


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("intent", "additional_json_keys"),
        ([{"key": "reply"}], "additional_json_keys.0.key"),
        ([INTENT, INTENT], "additional_json_keys"),
        ([{"key": "a", "type": "object", "properties": [{"key": "b", "type": "text"}]}],
         "additional_json_keys.0.properties.0.type"),
        ([{"key": "a", "save_to": {"entity": "conversation", "custom_field": "b"}}],
         "additional_json_keys.0.save_to.entity"),
        ([{"key": f"k{i}"} for i in range(51)], "additional_json_keys"),
    ],
)  # fmt: skip
async def test_a_wrong_one_is_refused_with_its_path_and_nothing_changes(page: Page, value: object, path: str) -> None:
    before = await page.make()
    answer = await page.client.patch(f"/ai-assistants/{page.id}", json={"additional_json_keys": value, "name": "Other"})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {path}
    assert (await page.record())["version"] == before["version"]


async def test_what_cannot_be_saved_as_it_stands_is_warned_about(page: Page) -> None:
    await page.make()
    at = "additional_json_keys.0.save_to"
    assert await warned(page, INTENT) == [
        (f"{at}.entity", "save_without_access"), (f"{at}.custom_field", "custom_field_missing"),
    ]  # fmt: skip
    await define(page, type="number")
    assert await warned(page, INTENT, access_permissions_contact="read_write") == [
        (f"{at}.custom_field", "custom_field_unfit")
    ]
    ticket = {"key": "a", "save_to": {"entity": "ticket", "custom_field": "x"}}
    assert (f"{at}.entity", "save_without_ticket") in await warned(page, ticket)


async def test_options_that_a_select_lacks_are_named(page: Page) -> None:
    await page.make(access_permissions_contact="read_write")
    await define(page, type="select", options=["book"])
    changed = await page.change(additional_json_keys=[INTENT])
    found = [w["message"] for w in changed["warnings"] if w["code"] == "custom_field_options"]
    assert found == ["last_intent has no option cancel, so these are not saved."]


async def test_a_key_without_choices_may_miss_the_options(page: Page) -> None:
    await page.make(access_permissions_contact="read_write")
    await define(page, type="multi-select", options=["book"])
    free = {**INTENT, "type": "array", "enum": None}
    assert await warned(page, free) == [("additional_json_keys.0.save_to.custom_field", "custom_field_options")]


async def test_two_keys_in_one_field_are_warned_about(page: Page) -> None:
    await page.make(access_permissions_contact="read_write")
    await define(page)
    other = {"key": "other", "save_to": {"entity": "contact", "custom_field": "Last intent"}}
    assert await warned(page, INTENT) == []
    assert await warned(page, INTENT, other) == [("additional_json_keys.1.save_to.custom_field", "custom_field_shared")]


async def test_they_are_in_the_history_and_come_back(page: Page) -> None:
    await page.make()
    await page.change(additional_json_keys=[INTENT])
    await page.change(additional_json_keys=[{**INTENT, "required": False}])
    newest, before, *_ = await page.entries()
    assert newest["changed_fields"] == ["additional_json_keys"]
    entry = (await page.client.get(f"/ai-assistants-change-history/{newest['id']}")).json()
    assert [one["field"] for one in entry["changes"]] == ["additional_json_keys.intent.required"]
    restored = await page.restore(before)
    assert restored.json()["additional_json_keys"] == [INTENT]
    assert "custom_field_missing" in codes(restored)


async def test_they_go_into_a_file_and_into_another_organization(page: Page, world: World) -> None:
    await page.make(additional_json_keys=[INTENT])
    text = await written(world, page.id)
    assert "custom_field: last_intent" in text
    theirs = await applied(world, text, THEIRS)
    assert await written(world, theirs, THEIRS) == text


async def test_a_member_cannot_change_them(page: Page, world: World) -> None:
    await page.make()
    async with world.client(Role.member) as member:
        answer = await member.patch(f"/ai-assistants/{page.id}", json={"additional_json_keys": [INTENT]})
    assert answer.status_code == 403
