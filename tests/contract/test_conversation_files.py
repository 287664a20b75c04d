"""Files of conversations: a record of what lies in the store, and nothing else."""

from __future__ import annotations

import pytest

from frontdesk.core.caller import Role
from tests.stored_files import PNG, asked, stored_key, upload
from tests.world import THEIRS, World


async def test_a_record_tells_all_of_the_file(world: World) -> None:
    key, conversation = await stored_key(world), await world.row("conversations")
    body = {
        "conversation_id": conversation, "file_name": "Holiday.png", "file_type": "image/png", "file_size": len(PNG),
        "s3_key": key, "s3_path": f"s3://local/{key}", "file_category": "image",
    }  # fmt: skip
    async with world.client(Role.member) as client:
        made = (await client.post("/conversation-files", json=body)).json()
        read = (await client.get(f"/conversation-files/{made['_id']}")).json()
        listed = (await client.get(f"/conversation-files?conversation_id={conversation}")).json()
    assert {name: made[name] for name in body} == body
    assert (made["_id"], made["id"]) == (str(made["id"]), made["id"])
    assert read == made
    assert listed["data"] == [made]


async def test_what_the_upload_says_need_not_be_said_again(world: World) -> None:
    key, conversation = await stored_key(world), await world.row("conversations")
    async with world.client() as client:
        made = (await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})).json()
    assert (made["file_name"], made["file_type"], made["file_size"]) == ("photo.png", "image/png", len(PNG))
    assert (made["file_category"], made["s3_path"]) == ("image", f"s3://local/{key}")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"file_size": 1}, "file_size"), ({"file_type": "image/jpeg"}, "file_type"),
        ({"s3_path": "s3://other/x"}, "s3_path"), ({"file_category": "video"}, "file_category"),
        ({"file_category": "picture"}, "file_category"), ({"s3_key": "x"}, "s3_key"), ({"s3_key": None}, "s3_key"),
        ({"conversation_id": 999}, "conversation_id"), ({"file_name": 1}, "file_name"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_record_that_does_not_fit_is_refused_by_its_field(
    world: World, given: dict[str, object], field: str
) -> None:
    body = {"conversation_id": await world.row("conversations"), "s3_key": await stored_key(world), **given}
    async with world.client() as client:
        answer = await client.post("/conversation-files", json=body)
    assert answer.status_code == 400
    assert [*answer.json()["errors"]] == [field]


async def test_a_file_that_was_only_promised_has_no_record(world: World) -> None:
    conversation = await world.row("conversations")
    async with world.client() as client:
        key = (await client.post("/s3-url-signing", json=asked())).json()["s3PathWithoutBucket"]
        answer = await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
    assert answer.status_code == 400
    assert "not uploaded" in answer.json()["errors"]["s3_key"]


async def test_a_file_for_something_else_is_none_of_a_conversation(world: World) -> None:
    conversation, key = await world.row("conversations"), await stored_key(world, "avatar")
    async with world.client() as client:
        answer = await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
    assert answer.status_code == 400


async def test_another_organizations_conversation_cannot_be_named(world: World) -> None:
    key, theirs = await stored_key(world), await world.row("conversations", THEIRS)
    async with world.client() as client:
        answer = await client.post("/conversation-files", json={"conversation_id": theirs, "s3_key": key})
    assert "conversation_id" in answer.json()["errors"]


async def test_a_chosen_address_comes_alone(world: World) -> None:
    key, conversation = await stored_key(world), await world.row("conversations")
    async with world.client() as client:
        await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
        page = (await client.get("/conversation-files?$select[]=url")).json()
        plain = (await client.get("/conversation-files?$select[]=file_name")).json()
    assert set(page["data"][0]) == {"id", "url"}
    assert set(plain["data"][0]) == {"id", "file_name"}


async def test_the_address_reads_the_file(world: World) -> None:
    conversation = await world.row("conversations")
    async with world.client() as client:
        uploaded = await upload(client)
        body = {"conversation_id": conversation, "s3_key": uploaded.key}
        record = (await client.post("/conversation-files", json=body)).json()
        answer = await client.get(record["url"])
    assert answer.content == PNG
