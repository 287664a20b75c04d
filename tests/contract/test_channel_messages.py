"""The message services of all channels: lists, one message, deletion, and what a body of the send services may hold."""

from __future__ import annotations

import httpx
import pytest

from frontdesk.core.caller import Role
from frontdesk.core.capabilities import CONVERSATION_CHANNELS as CHANNELS
from tests.world import THEIRS, World

TRANSFORMED = ("whatsapp", "instagram", "messenger", "webchat")
META = ("whatsapp", "instagram", "messenger")
PICTURE = {"message_type": "image", "media_url": "https://files.example/a.png"}


def sender(channel: str) -> str:
    return f"/conversation-messages-{'' if channel == 'sms' else 'transform-outgoing-'}{channel}"


async def talk(world: World, channel: str, organization_id: int = 1, *, heard: bool = True) -> int:
    """A conversation in which the customer has just written."""
    id = await world.row("conversations", organization_id, channel=channel)
    if heard:
        await world._heard(id, channel, organization_id)
    return id


async def post(world: World, channel: str, id: int, role: Role = Role.owner, **body: object) -> httpx.Response:
    async with world.client(role) as client:
        return await client.post(sender(channel), json={"conversation_id": id, **body})


async def heard(world: World, id: int) -> int:
    async with world.database.system() as connection:
        return int(
            await connection.fetchval("SELECT min(id) FROM conversation_messages WHERE conversation_id = $1", id)
        )


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_message_has_its_id_twice(world: World, channel: str) -> None:
    id = await talk(world, channel)
    async with world.client() as client:
        page = (await client.get(f"/conversation-messages-{channel}?conversation_id={id}&withAiDecision=true")).json()
        one = (await client.get(f"/conversation-messages-{channel}/{page['data'][0]['_id']}")).json()
    assert one == page["data"][0]
    assert one["_id"] == str(one["id"])


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_list_needs_its_conversation(world: World, channel: str) -> None:
    async with world.client() as client:
        answer = await client.get(f"/conversation-messages-{channel}")
    assert (answer.status_code, answer.json()["errors"]) == (400, {"conversation_id": "is required"})


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_deleted_message_leaves_the_list(world: World, channel: str) -> None:
    id = await talk(world, channel)
    path = f"/conversation-messages-{channel}"
    async with world.client() as client:
        removed = await client.delete(f"{path}/{await heard(world, id)}")
        page = (await client.get(f"{path}?conversation_id={id}")).json()
    assert (removed.status_code, page["total"]) == (200, 0)
    assert removed.json()["deleted_at"]


async def test_only_an_admin_deletes_messages(world: World) -> None:
    id = await talk(world, "sms")
    async with world.client(Role.member) as client:
        answer = await client.delete(f"/conversation-messages-sms/{await heard(world, id)}")
    assert answer.status_code == 403


async def test_reactions_are_left_out_of_the_usual_list(world: World) -> None:
    id = await talk(world, "whatsapp")
    target = await heard(world, id)
    await post(world, "whatsapp", id, message_type="reaction", reaction_to_message_id=target, emoji="👍")
    query = f"conversation_id={id}&message_type[$ne]=reaction&$sort[created_at]=-1"
    async with world.client() as client:
        page = (await client.get(f"/conversation-messages-whatsapp?{query}")).json()
    assert [row["id"] for row in page["data"]] == [target]
    assert [(one["emoji"], one["sender"]) for one in page["data"][0]["reactions"]] == [("👍", "user")]


@pytest.mark.parametrize(
    ("channel", "status"), [("whatsapp", "pending"), ("instagram", "pending"), ("messenger", "pending"),
                            ("webchat", "sent"), ("sms", "pending")],
)  # fmt: skip
async def test_a_message_is_there_at_once(world: World, channel: str, status: str) -> None:
    answer = await post(world, channel, await talk(world, channel), message_text="Marta here.")
    message = answer.json()
    assert answer.status_code == 201, answer.text
    assert (message["status"], message["direction"], message["sender"]) == (status, "outbound", "user")
    assert (message["message_text"], message["channel"]) == ("Marta here.", channel)


@pytest.mark.parametrize("channel", TRANSFORMED)
async def test_a_note_is_stored_even_outside_the_window(world: World, channel: str) -> None:
    id = await talk(world, channel, heard=False)
    answer = await post(world, channel, id, message_text="He is angry.", message_type="note")
    assert (answer.status_code, answer.json()["status"]) == (201, "stored")


@pytest.mark.parametrize("channel", META)
async def test_outside_the_window_an_ordinary_message_is_422(world: World, channel: str) -> None:
    id = await talk(world, channel, heard=False)
    for body in ({"message_text": "Hello?"}, PICTURE):
        answer = await post(world, channel, id, **body)
        error = answer.json()
        assert (answer.status_code, error["data"]["code"], error["name"]) == (422, "outside_window", "Unprocessable")
        assert "24 hours" in error["message"]


@pytest.mark.parametrize("channel", TRANSFORMED)
async def test_a_file_by_its_address(world: World, channel: str) -> None:
    file = {**PICTURE, "file_name": "a.png", "file_type": "image/png", "file_size": 1200, "message_text": "Our door"}
    answer = await post(world, channel, await talk(world, channel), **file)
    assert answer.status_code == 201, answer.text
    assert {name: answer.json()[name] for name in file} == file


async def test_a_file_that_was_uploaded(world: World) -> None:
    id = await talk(world, "whatsapp")
    async with world.client() as client:
        file = await client.post("/conversation-files", json=await world.body("conversation-files"))
    assert file.status_code == 201, file.text
    answer = await post(world, "whatsapp", id, message_type="document", conversation_file_id=file.json()["_id"])
    sent = answer.json()
    assert answer.status_code == 201, answer.text
    assert (sent["s3_path"], sent["file_name"]) == (file.json()["s3_path"], file.json()["file_name"])
    async with world.client(None) as client:
        assert (await client.get(sent["media_url"])).content == b"sample"


@pytest.mark.parametrize("path", ["s3://frontdesk/2/conversation-file/x/a.pdf", "s3://b/../../etc", "a.pdf"], ids=str)
async def test_nobody_sends_a_file_that_is_not_theirs(world: World, path: str) -> None:
    id = await talk(world, "whatsapp")
    answer = await post(world, "whatsapp", id, message_type="document", s3_path=path)
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"s3_path"})


async def test_a_place(world: World) -> None:
    place = {"latitude": 36.72, "longitude": -4.42, "name": "Luna Dental"}
    answer = await post(world, "whatsapp", await talk(world, "whatsapp"), message_type="location", location=place)
    assert (answer.status_code, answer.json()["location"]) == (201, place)


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("whatsapp", {}, "message_text"), ("whatsapp", {"message_text": " "}, "message_text"),
    ("whatsapp", {"message_text": "x" * 4097}, "message_text"),
    ("instagram", {"message_text": "x" * 1001}, "message_text"), ("sms", {"message_text": "x" * 1601}, "message_text"),
    ("whatsapp", {"message_text": "a\u0000b"}, "message_text"),
    ("whatsapp", {"message_type": "fax"}, "message_type"), ("sms", {"message_type": "location"}, "message_type"),
    ("instagram", {"message_type": "template"}, "message_type"), ("whatsapp", {"message_type": "image"}, "media_url"),
    ("whatsapp", {"message_type": "image", "media_url": "javascript:alert(1)"}, "media_url"),
    ("whatsapp", {"message_type": "image", "conversation_file_id": 999_999}, "conversation_file_id"),
    ("whatsapp", {"message_type": "image", "conversation_file_id": "seven"}, "conversation_file_id"),
    ("whatsapp", {"message_text": "Hi", "media_url": "https://files.example/a.png"}, "media_url"),
    ("whatsapp", {"message_type": "location"}, "location"),
    ("whatsapp", {"message_type": "location", "location": {"latitude": 91, "longitude": 0}}, "location"),
    ("whatsapp", {"message_type": "reaction", "emoji": "👍"}, "reaction_to_message_id"),
    ("whatsapp", {"message_type": "reaction", "emoji": "👍", "reaction_to_message_id": 999_999},
     "reaction_to_message_id"),
    ("whatsapp", {"message_text": "Hi", "reply_to_message_id": 999_999}, "reply_to_message_id"),
    ("whatsapp", {"message_text": "Hi", "emoji": "👍"}, "emoji"), ("whatsapp", {"message_text": "Hi", "to": 1}, "to"),
    ("whatsapp", {"message_type": "template"}, "template_name"),
    ("whatsapp", {"message_type": "template", "template_id": 999_999}, "template_id"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "body", "name"), WRONG, ids=[f"{w[0]}-{i}-{w[2]}" for i, w in enumerate(WRONG)])
async def test_what_cannot_be_sent_names_its_field(
    world: World, channel: str, body: dict[str, object], name: str
) -> None:
    answer = await post(world, channel, await talk(world, channel), **body)
    assert answer.status_code == 400, answer.text
    assert name in answer.json()["errors"]


async def test_a_message_of_another_conversation_is_no_target(world: World) -> None:
    here, there = await talk(world, "whatsapp"), await talk(world, "whatsapp")
    target = await heard(world, there)
    answer = await post(world, "whatsapp", here, message_text="Hi", reply_to_message_id=target)
    assert "reply_to_message_id" in answer.json()["errors"]


@pytest.mark.parametrize("channel", [*TRANSFORMED, "sms"])
async def test_nobody_writes_into_another_organizations_conversation(world: World, channel: str) -> None:
    answer = await post(world, channel, await talk(world, channel, THEIRS), message_text="Hello")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"conversation_id"})


@pytest.mark.parametrize("channel", [*TRANSFORMED, "sms"])
async def test_nobody_writes_to_a_blocked_or_a_deleted_contact(world: World, channel: str) -> None:
    id = await talk(world, channel)
    async with world.client() as client:
        contact = (await client.patch(f"/conversations/{id}", json={"blocked": True})).json()["contact_id"]
        assert (await post(world, channel, id, message_text="Hi")).json()["data"] == {"code": "contact_blocked"}
        assert (await post(world, channel, id, message_text="Hi", message_type="note")).status_code == (201)
        await client.patch(f"/conversations/{id}", json={"blocked": False})
        await client.delete(f"/contacts/{contact}")
    answer = await post(world, channel, id, message_text="Hi")
    assert (answer.status_code, answer.json()["data"]) == (422, {"code": "contact_deleted"})


async def test_a_key_does_not_take_over_unless_it_says_so(world: World) -> None:
    assistant = await world.row("ai-assistants")
    id = await world.row("conversations", channel="sms", assigned_ai_assistant_id=assistant)
    owners = []
    for body in ({}, {"takeover": True}):
        await post(world, "sms", id, message_text="Hi", **body)
        async with world.client() as client:
            owners.append((await client.get(f"/conversations/{id}")).json()["assigned_ai_assistant_id"])
    assert owners == [assistant, None]


async def test_a_tester_may_send_a_file_to_the_playground(world: World) -> None:
    body = await world.body("conversation-messages-playground")
    del body["message_text"]
    async with world.client() as client:
        empty = await client.post("/conversation-messages-playground", json=body)
        sent = await client.post("/conversation-messages-playground", json={**body, **PICTURE})
    assert (empty.status_code, set(empty.json()["errors"])) == (400, {"message_text"})
    assert (sent.status_code, sent.json().get("media_url")) == (201, PICTURE["media_url"])
