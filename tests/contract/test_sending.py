"""Sending by the API: the playground's tester and a person of the organization."""

import httpx
import pytest

from frontdesk.core.caller import Role
from tests.world import OURS, PASSWORD, THEIRS, World, email_of

PLAYGROUND = "/conversation-messages-playground"
REPLY = "/conversation-messages-transform-outgoing-webchat"


async def opened(world: World, client: httpx.AsyncClient) -> dict[str, object]:
    """The first message of a new conversation."""
    body = {
        "organization_id": OURS,
        "contact_id": await world.row("contacts"),
        "assistant_id": await world.row("ai-assistants"),
        "message_text": "Are you open?",
    }
    answer = await client.post(PLAYGROUND, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_tester_opens_a_conversation_with_an_assistant(world: World) -> None:
    async with world.client() as client:
        message = await opened(world, client)
        talk = (await client.get(f"/conversations/{message['conversation_id']}")).json()
        decisions = (await client.get(f"/ai-decisions?conversation_id={talk['id']}")).json()
    assert (message["direction"], message["message_text"], message["message_type"]) == (
        "inbound", "Are you open?", "text",
    )  # fmt: skip
    assert (talk["channel"], talk["is_contact_verified"]) == ("playground", True)
    assert [row["outcome"] for row in decisions["data"]] == ["pending"]


async def test_a_tester_goes_on_in_the_conversation(world: World) -> None:
    async with world.client() as client:
        first = await opened(world, client)
        talk = (await client.get(f"/conversations/{first['conversation_id']}")).json()
        body = {"contact_id": talk["contact_id"], "conversation_id": talk["id"], "message_text": "Hello?"}
        second = (await client.post(PLAYGROUND, json=body)).json()
        page = (await client.get(f"{PLAYGROUND}?conversation_id={talk['id']}&$sort[created_at]=1")).json()
    assert [row["id"] for row in page["data"]] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"assistant_id": None}, "conversation_id"),
     ({"conversation_id": 999_999, "assistant_id": None}, "conversation_id"),
     ({"contact_id": 999_999}, "contact_id"), ({"assistant_id": 999_999}, "assistant_id"),
     ({"message_text": "x" * 4001}, "message_text"), ({"message_text": "a\u0000b"}, "message_text"),
     ({"colour": "red"}, "colour")],
)  # fmt: skip
async def test_what_a_tester_may_not_send(world: World, changes: dict[str, object], field: str) -> None:
    body = {
        "contact_id": await world.row("contacts"), "assistant_id": await world.row("ai-assistants"),
        "message_text": "Hello?", **changes,
    }  # fmt: skip
    async with world.client() as client:
        answer = await client.post(PLAYGROUND, json={name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


async def test_another_organizations_rows_are_not_there(world: World) -> None:
    body = {
        "contact_id": await world.row("contacts", THEIRS), "assistant_id": await world.row("ai-assistants", THEIRS),
        "message_text": "Hello?",
    }  # fmt: skip
    async with world.client() as client:
        assert (await client.post(PLAYGROUND, json=body)).status_code == 400


async def test_a_login_takes_over_by_writing(world: World) -> None:
    assistant = await world.row("ai-assistants")
    talk = await world.row("conversations", channel="webchat", assigned_ai_assistant_id=assistant, epoch=1)
    login = {"strategy": "local", "email": email_of(Role.owner), "password": PASSWORD}
    async with world.client(None) as client:
        token = (await client.post("/authentication", json=login)).json()["accessToken"]
    async with world.client(None, authorization=f"Bearer {token}") as client:
        sent = await client.post(REPLY, json={"conversation_id": talk, "message_text": "Marta here."})
        after = (await client.get(f"/conversations/{talk}")).json()
    assert (sent.status_code, sent.json()["sender"], sent.json()["status"]) == (201, "user", "sent")
    assert after["assigned_ai_assistant_id"] is None
    assert after["assigned_user_id"] == world.users[(Role.owner, OURS)]
    assert (after["epoch"], after["handed_off_by_ai_assistant_id"]) == (2, assistant)


async def test_a_reply_goes_to_its_own_channel_only(world: World) -> None:
    talk = await world.row("conversations", channel="playground")
    async with world.client() as client:
        answer = await client.post(REPLY, json={"conversation_id": talk, "message_text": "Hello"})
    assert answer.status_code == 400
    assert "conversation_id" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message_text"),
        ({"message_text": "  "}, "message_text"),
        ({"message_type": "image"}, "media_url"),
        ({"message_type": "image", "conversation_file_id": 999}, "conversation_file_id"),
    ],
    ids=["nothing", "blank", "no file", "unknown file"],
)
async def test_a_message_without_content_is_no_message_on_the_playground(
    world: World, body: dict[str, object], field: str
) -> None:
    given = {"contact_id": await world.row("contacts"), "assistant_id": await world.row("ai-assistants"), **body}
    async with world.client() as client:
        answer = await client.post("/conversation-messages-playground", json=given)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


async def test_an_image_on_the_playground_is_kept_with_its_address(world: World) -> None:
    body = {"contact_id": await world.row("contacts"), "assistant_id": await world.row("ai-assistants"),
            "message_type": "image", "media_url": "https://example.com/tooth.png"}  # fmt: skip
    async with world.client() as client:
        answer = await client.post("/conversation-messages-playground", json=body)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["message_type"], answer.json()["media_url"]) == ("image", "https://example.com/tooth.png")
