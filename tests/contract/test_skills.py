"""Skills over HTTP: plain rows of one assistant, each change a version of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from frontdesk.assistants.skills import LONGEST_CONTENT, MOST_CHARACTERS, MOST_SKILLS
from frontdesk.core.caller import Role
from tests.world import THEIRS, World

SKILLS, HISTORY = "/ai-assistant-skills", "/ai-assistants-change-history"
RETURNS = {"name": "Returns", "when_to_use": "Something is sent back.", "content": "Within 30 days."}


class Shelf:
    """The skills of one assistant, and its owner."""

    def __init__(self, client: httpx.AsyncClient, assistant_id: int, world: World) -> None:
        self.client, self.id, self.world = client, assistant_id, world

    async def post(self, **fields: object) -> httpx.Response:
        return await self.client.post(SKILLS, json={"assistant_id": self.id, **RETURNS, **fields})

    async def made(self, **fields: object) -> dict[str, Any]:
        answer = await self.post(**fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def patch(self, skill: dict[str, Any], **fields: object) -> httpx.Response:
        return await self.client.patch(f"{SKILLS}/{skill['id']}", json=fields)

    async def names(self) -> list[str]:
        page = await self.client.get(f"{SKILLS}?assistant_id={self.id}")
        return [row["name"] for row in page.json()["data"]]

    async def version(self) -> int:
        return int((await self.client.get(f"/ai-assistants/{self.id}")).json()["version"])

    async def history(self) -> list[dict[str, Any]]:
        return list((await self.client.get(f"{HISTORY}?ai_assistant_id={self.id}&$sort[version]=-1")).json()["data"])


@pytest.fixture
async def shelf(world: World) -> Shelf:
    client = world.client()
    made = await client.post("/ai-assistants", json=await world.body("ai-assistants"))
    return Shelf(client, made.json()["id"], world)


async def test_a_skill_has_the_published_members(shelf: Shelf) -> None:
    skill = await shelf.made()
    published = {"id", "assistant_id", "organization_id", "name", "content", "when_to_use", "created_at", "updated_at"}
    assert published <= skill.keys()
    assert (skill["assistant_id"], skill["content"]) == (shelf.id, "Within 30 days.")


async def test_every_change_of_a_skill_is_a_version_of_its_assistant(shelf: Shelf) -> None:
    skill = await shelf.made()
    await shelf.patch(skill, content="Within 60 days.")
    await shelf.patch(skill, content="Within 60 days.", name="Returns", assistant_id=shelf.id)
    await shelf.client.delete(f"{SKILLS}/{skill['id']}")
    entries = await shelf.history()
    assert [entry["changed_fields"] for entry in entries[:3]] == [["skills"]] * 3
    assert [entry["snapshot"]["skills"] for entry in entries[:2]] == [
        [],
        [{"id": skill["id"], **RETURNS, "content": "Within 60 days."}],
    ]
    assert await shelf.version() == 4


async def test_the_history_shows_a_change_of_a_skill_by_its_member(shelf: Shelf) -> None:
    skill = await shelf.made()
    await shelf.patch(skill, content="Within 60 days.")
    entry = (await shelf.client.get(f"{HISTORY}/{(await shelf.history())[0]['id']}")).json()
    assert entry["changes"] == [
        {"field": f"skills.{skill['id']}.content", "old": "Within 30 days.", "new": "Within 60 days."}
    ]


async def test_a_restore_brings_the_skills_back_under_their_ids(shelf: Shelf) -> None:
    one, two = await shelf.made(), await shelf.made(name="Prices")
    then = (await shelf.history())[0]["id"]
    await shelf.client.delete(f"{SKILLS}/{one['id']}")
    await shelf.patch(two, name="Returns")
    await shelf.made(name="Prices", content="Another one.")
    answer = await shelf.client.post("/ai-assistants-restore-from-changes-history", json={"change_history_id": then})
    assert answer.json()["version"] == await shelf.version() == 7
    page = (await shelf.client.get(f"{SKILLS}?assistant_id={shelf.id}&$sort[id]=1")).json()["data"]
    assert [(row["id"], row["name"]) for row in page] == [(one["id"], "Returns"), (two["id"], "Prices")]
    newest = (await shelf.history())[0]
    assert (newest["changed_fields"], newest["restored_from_id"]) == (["skills"], then)


async def test_restoring_the_instructions_leaves_the_skills(shelf: Shelf) -> None:
    first = (await shelf.history())[0]["id"]
    await shelf.made()
    body = {"change_history_id": first, "restore": "instructions"}
    await shelf.client.post("/ai-assistants-restore-from-changes-history", json=body)
    assert await shelf.names() == ["Returns"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": None}, "name"),
        ({"when_to_use": ""}, "when_to_use"),
        ({"when_to_use": "x" * 501}, "when_to_use"),
        ({"content": " \n"}, "content"),
        ({"content": "x" * (LONGEST_CONTENT + 1)}, "content"),
        ({"content": ["x"]}, "content"),
        ({"assistant_id": 999_999}, "assistant_id"),
        ({"assistant_id": "1"}, "assistant_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:24],
)
async def test_a_wrong_skill_is_told_by_its_field(shelf: Shelf, fields: dict[str, object], path: str) -> None:
    answer = await shelf.post(**fields)
    assert answer.status_code == 400
    assert path in answer.json()["errors"]
    assert await shelf.version() == 1


async def test_a_name_is_one_line_and_once_in_an_assistant(shelf: Shelf) -> None:
    assert (await shelf.made(name=" Our\n returns "))["name"] == "Our returns"
    refused = await shelf.post(name="our RETURNS")
    assert (refused.status_code, list(refused.json()["errors"])) == (409, ["name"])


async def test_a_skill_stays_with_its_assistant(shelf: Shelf) -> None:
    skill = await shelf.made()
    other = (await shelf.client.post("/ai-assistants", json=await shelf.world.body("ai-assistants"))).json()["id"]
    refused = await shelf.patch(skill, assistant_id=other)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["assistant_id"])


async def test_an_assistant_has_so_many_skills_and_no_more_also_when_two_add_one(shelf: Shelf) -> None:
    for n in range(MOST_SKILLS - 1):
        await shelf.world.row("ai-assistant-skills", assistant_id=shelf.id, name=f"Skill {n}")
    answers = await asyncio.gather(shelf.post(name="One"), shelf.post(name="Other"))
    assert sorted(answer.status_code for answer in answers) == [201, 400]


async def test_all_skills_together_have_a_limit(shelf: Shelf) -> None:
    for n in range(MOST_CHARACTERS // LONGEST_CONTENT):
        await shelf.made(name=f"Skill {n}", content="x" * LONGEST_CONTENT)
    refused = await shelf.post(name="One more")
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["content"])


async def test_another_organization_names_no_assistant_of_ours(shelf: Shelf) -> None:
    async with shelf.world.client(Role.owner, THEIRS) as theirs:
        answer = await theirs.post(SKILLS, json={"assistant_id": shelf.id, **RETURNS})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["assistant_id"])


async def test_skills_go_with_their_assistant(shelf: Shelf) -> None:
    skill = await shelf.made()
    await shelf.client.delete(f"/ai-assistants/{shelf.id}")
    assert (await shelf.client.get(f"{SKILLS}/{skill['id']}")).status_code == 404
    assert (await shelf.patch(skill, content="x")).status_code == 404
