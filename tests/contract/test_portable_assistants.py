"""An assistant as a file: out of one organization, into another, and back without a difference."""

from __future__ import annotations

import asyncio
import re
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from frontdesk.commands.assistants import make, show
from frontdesk.core.caller import Role
from frontdesk.core.errors import ApiError
from frontdesk.core.halt import Halt
from frontdesk.resources.assistants.ai_assistants import ai_assistants
from frontdesk.resources.assistants.portable import Desk, Row, apply, checked, export, plan
from frontdesk.resources.assistants.portable_names import NAMED
from frontdesk.resources.assistants.yaml_files import dump, load
from tests.world import OURS, THEIRS, World

KEY, TOKEN = "sk-abcdefgh12345678", "Bearer a-very-secret-token"
TOOL = {
    "name": "Order status", "description": "Looks up an order.", "endpoint": "https://shop.example.com/orders/{number}",
    "method": "GET", "headers": {"Authorization": TOKEN},
    "url_parameters": [{"name": "number", "type": "string", "description": "Its number.", "required": True,
                        "location": "path"}],
}  # fmt: skip


@asynccontextmanager
async def desk_of(world: World, organization_id: int = OURS) -> AsyncIterator[Desk]:
    async with world.door.database.transaction(organization_id) as connection:
        yield Desk(world.door, connection, organization_id)


async def written(world: World, id: int, organization_id: int = OURS) -> str:
    async with desk_of(world, organization_id) as desk:
        return dump((await export(desk, id))[0])


async def applied(world: World, text: str, organization_id: int = OURS) -> int:
    async with desk_of(world, organization_id) as desk:
        return await apply(desk, checked(load(text)))


@pytest.fixture
async def eva(world: World) -> int:
    """An assistant with everything that a file holds."""
    async with world.client() as client:
        tool = (await client.post("/api-tools", json=TOOL)).json()
        body = {
            **await world.body("ai-assistants"), "name": "Eva", "instructions": "Say hello.\n\n- Be kind.\n",
            "specific_openai_secret_key": KEY, "timezone": "America/Bogota",
            "api_tools": [{"api_tool_id": tool["id"], "when_to_use": "An order is asked for."}],
            "internal_tools": {"tools": {"get_product": True}},
            "schedule_config": {"enabled": True, "weekly": [{"days": ["mon"], "from": "09:00", "to": "18:00"}]},
        }  # fmt: skip
        made = (await client.post("/ai-assistants", json=body)).json()
        for name in ("Returns", "Prices"):
            skill = {"assistant_id": made["id"], "name": name, "when_to_use": "Asked.", "content": f"{name}:\n- one"}
            assert (await client.post("/ai-assistant-skills", json=skill)).status_code == 201
    return int(made["id"])


async def test_it_goes_to_another_organization_and_comes_back_the_same(world: World, eva: int) -> None:
    text = await written(world, eva)
    there = await applied(world, text, THEIRS)
    assert await written(world, there, THEIRS) == text
    async with world.client(Role.owner, THEIRS) as client:
        record = (await client.get(f"/ai-assistants/{there}")).json()
        skills = (await client.get(f"/ai-assistant-skills?assistant_id={there}")).json()
    assert (record["instructions"], record["timezone"]) == ("Say hello.\n\n- Be kind.\n", "America/Bogota")
    assert skills["total"] == 2


async def test_the_file_has_names_and_no_secret(world: World, eva: int) -> None:
    text = await written(world, eva)
    document: Any = load(text)
    assert not any(secret in text for secret in (KEY, TOKEN, "•", "very-secret"))
    assert document["assistant"]["api_tools"][0]["api_tool_name"] == "Order status"
    assert document["assistant"]["ai_model_name"] == "Installation default"
    assert [skill["name"] for skill in document["skills"]] == ["Prices", "Returns"]
    assert document["api_tools"][0]["headers"] == {"Authorization": None}
    assert not re.search(r"\bid: |_id: ", text)


async def test_applying_what_is_there_changes_nothing_and_keeps_the_secrets(world: World, eva: int) -> None:
    async with world.client() as client:
        before = (await client.get(f"/ai-assistants/{eva}")).json()
        assert await applied(world, await written(world, eva)) == eva
        assert (await client.get(f"/ai-assistants/{eva}")).json() == before
        tool = (await client.get("/api-tools")).json()["data"][0]
    assert (before["specific_openai_secret_key"], tool["headers"]["Authorization"]) == ("••••••••5678", "••••••••oken")


async def test_a_plan_tells_each_field(world: World, eva: int) -> None:
    document: Any = load(await written(world, eva))
    document["assistant"] |= {"instructions": "Say hello.\n", "disable_reply": True}
    document["assistant"].pop("timezone")
    document["skills"][0]["when_to_use"] = "A price is asked for."
    document["skills"].pop()
    async with desk_of(world) as desk:
        changes = plan((await export(desk, eva))[0], document)
    assert [entry["field"] for entry in changes] == [
        "assistant.disable_reply", "assistant.instructions", "assistant.timezone", "skills.Prices.when_to_use",
        "skills.Returns",
    ]  # fmt: skip
    assert (changes[2]["old"], changes[2]["new"]) == ("America/Bogota", "UTC")


async def test_what_the_file_does_not_hold_gets_its_default_or_goes(world: World, eva: int) -> None:
    document: Any = load(await written(world, eva))
    document["skills"].pop()
    for name in ("timezone", "internal_tools", "api_tools"):
        document["assistant"].pop(name)
    await applied(world, dump(document))
    async with desk_of(world) as desk:
        assert plan((await export(desk, eva))[0], {**document, "api_tools": []}) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"assistant": {"response_config": {"mode": "loud"}}}, "assistant.response_config.mode"),
    ({"assistant": {"ai_model_name": "None such"}}, "assistant.ai_model_name"),
    ({"assistant": {"ai_model_id": 1}}, "assistant.ai_model_id"),
    ({"assistant": {"colour": "red"}}, "assistant.colour"),
    ({"skills": [{"name": "Returns", "when_to_use": "x", "content": ""}]}, "skills.Returns.content"),
    ({"api_tools": [{**TOOL, "method": "FLY"}]}, "api_tools.Order status.method"),
    ({"api_tools": [{**TOOL, "headers": {"Authorization": None}, "endpoint": "https://evil.example.com/{number}"}]},
     "api_tools.Order status.headers.Authorization"),
    ({"format": 2}, "format"),
    ({"colour": "red"}, "colour"),
    ({"skills": {"a": 1}}, "skills"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "path"), WRONG, ids=[path for _, path in WRONG])
async def test_a_wrong_file_is_told_by_its_place_and_nothing_is_applied(
    world: World, eva: int, more: dict[str, Any], path: str
) -> None:
    text = await written(world, eva)
    document: Any = load(text)
    assistant = {**document["assistant"], "instructions": "Other.", **more.get("assistant", {})}
    with pytest.raises(ApiError) as refused:
        await applied(world, dump({**document, **more, "assistant": assistant}))
    assert path in refused.value.errors
    assert await written(world, eva) == text


async def test_two_who_apply_a_new_assistant_at_once_make_one(world: World, eva: int) -> None:
    text = await written(world, eva)
    made = await asyncio.gather(*(applied(world, text, THEIRS) for _ in range(2)))
    assert made[0] == made[1]


async def test_a_server_comes_along_without_its_key_and_keeps_that_of_today(world: World, eva: int) -> None:
    server = {"id": "shop", "name": "Shop", "url": "https://shop.example.com/mcp", "authentication_type": "api_key",
              "api_key": KEY}  # fmt: skip
    async with world.client() as client:
        before = (await client.patch(f"/ai-assistants/{eva}", json={"mcp_tools": [server]})).json()
        text = await written(world, eva)
        await applied(world, text)
        after = (await client.get(f"/ai-assistants/{eva}")).json()
    assert (KEY in text, "•" in text) == (False, False)
    assert after["mcp_tools"] == before["mcp_tools"]
    assert await written(world, await applied(world, text, THEIRS), THEIRS) == text


async def test_of_two_assistants_with_one_name_one_has_to_be_chosen(world: World, eva: int) -> None:
    await world.row("ai-assistants", name="Eva")
    with pytest.raises(ApiError, match="by --id"):
        await applied(world, await written(world, eva))


async def test_a_deleted_tool_is_left_out_and_said_so(world: World, eva: int) -> None:
    async with world.client() as client:
        tool = (await client.get("/api-tools")).json()["data"][0]
        await client.delete(f"/api-tools/{tool['id']}")
    async with desk_of(world) as desk:
        document, left_out = await export(desk, eva)
    assistant = document["assistant"]
    assert isinstance(assistant, dict)
    assert (assistant["api_tools"], document["api_tools"]) == ([], [])
    assert left_out == ["assistant.api_tools.0: api_tool_id names something that was deleted"]


def test_every_reference_of_the_record_goes_by_name() -> None:
    assert [f.name for f in ai_assistants.references if f.write != "never" and f.name not in NAMED] == []


def test_a_new_assistant_is_all_additions() -> None:
    document: Row = {"format": 1, "assistant": {"name": "Eva"}, "skills": [{"name": "A", "content": "x"}]}
    changes = plan({}, document)
    assert all(entry["old"] is None for entry in changes)
    assert "skills.A" in str([entry["field"] for entry in changes]) or changes[-1]["field"] == "skills"


MUTUAL = """\
format: 1
assistant:
  name: {name}
  assistant_type: conversation
  ai_model_name: Installation default
  ai_assistant_handoff_config:
    enabled: true
    targets:
    - {{assistant_name: {other}, when: "questions for {other}"}}
"""


def two_files(folder: Path) -> list[str]:
    """Of two assistants that pass on to each other."""
    files = [folder / "ann.yaml", folder / "bob.yaml"]
    for file, name, other in zip(files, ("Ann", "Bob"), ("Bob", "Ann"), strict=True):
        file.write_text(MUTUAL.format(name=name, other=other))
    return [str(file) for file in files]


def words(*files: str, id: int | None = None) -> Namespace:
    return Namespace(files=list(files), organization=OURS, id=id, name=None)


@pytest.mark.parametrize("step", [1, -1])
async def test_two_that_name_each_other_are_applied_together_in_any_order(
    world: World, tmp_path: Path, step: int, capsys: pytest.CaptureFixture[str]
) -> None:
    files = two_files(tmp_path)[::step]
    with pytest.raises(ApiError, match="validation"):
        await make(world.door, words(files[0]))
    await show(world.door, words(*files))
    assert capsys.readouterr().out.count("the assistant is new.") == 2
    async with world.client() as client:
        assert (await client.get("/ai-assistants?name=Ann")).json()["total"] == 0
        await make(world.door, words(*files))
        found = {row["name"]: row for row in (await client.get("/ai-assistants")).json()["data"]}
    ann, bob = found["Ann"], found["Bob"]
    for one, other in ((ann, bob), (bob, ann)):
        assert [to["assistant_id"] for to in one["ai_assistant_handoff_config"]["targets"]] == [other["id"]]
    capsys.readouterr()
    await make(world.door, words(*files))
    assert capsys.readouterr().out.count(": no change.") == 2


async def test_of_several_files_the_wrong_one_is_named_and_none_is_applied(world: World, tmp_path: Path) -> None:
    files = two_files(tmp_path)
    Path(files[1]).write_text(MUTUAL.format(name="Bob", other="Nobody"))
    with pytest.raises(Halt, match=r"bob\.yaml: .*names nothing that exists here: Nobody"):
        await make(world.door, words(*files))
    async with world.client() as client:
        assert (await client.get("/ai-assistants?name=Ann")).json()["total"] == 0


@pytest.mark.parametrize(
    ("change", "said"), [({"id": 1}, "--id is of one"), ({"files": []}, "needs the file"), ({"twice": True}, "twice")]
)
async def test_files_that_cannot_be_meant(world: World, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    files = two_files(tmp_path)
    arguments = words(*(files[:1] * 2 if change.pop("twice", False) else files))
    vars(arguments).update(change)
    with pytest.raises(Halt, match=said):
        await make(world.door, arguments)


async def test_two_files_of_one_assistant_are_refused(world: World, tmp_path: Path) -> None:
    files = two_files(tmp_path)
    Path(files[1]).write_text(Path(files[0]).read_text())
    with pytest.raises(ApiError, match="Two of the files are of an assistant called Ann"):
        await make(world.door, words(*files))
