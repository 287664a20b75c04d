"""Canned replies: which message type needs which member, and what may stand in a link."""

from __future__ import annotations

import pytest

from frontdesk.core.errors import Json
from tests.world import World

GOOD: list[dict[str, Json]] = [
    {"content": "Hello."},
    {"message_type": "image", "media_url": "files/1/map.png", "filename": "map.png", "mime_type": "image/png"},
    {"message_type": "document", "media_url": "https://example.com/price%20list.pdf", "content": "Our prices."},
    {"message_type": "location", "content": "4.60971, -74.08175"},
    {"message_type": "sticker", "content": ":)"},
]
WRONG: list[tuple[dict[str, Json], str]] = [
    ({}, "content"),
    ({"content": ""}, "content"),
    ({"message_type": "image", "content": "Look!"}, "media_url"),
    ({"message_type": "Text!", "content": "x"}, "message_type"),
    ({"message_type": None, "content": "x"}, "message_type"),
    ({"message_type": "image", "media_url": "javascript:alert(1)"}, "media_url"),
    ({"message_type": "image", "media_url": "DATA:text/html,x"}, "media_url"),
    ({"content": "x" * 4001}, "content"),
    ({"content": "x", "title": "  "}, "title"),
]


@pytest.mark.parametrize("fields", GOOD, ids=range(len(GOOD)))
async def test_a_reply_is_kept_as_it_was_given(world: World, fields: dict[str, Json]) -> None:
    async with world.client() as client:
        created = await client.post("/conversation-predefined-messages", json={"title": "Hello", **fields})
        assert created.status_code == 201, created.text
        read = (await client.get(f"/conversation-predefined-messages/{created.json()['id']}")).json()
    assert {name: read[name] for name in fields} == fields
    assert read["created_by_user_id"] is not None


@pytest.mark.parametrize(("fields", "path"), WRONG, ids=range(len(WRONG)))
async def test_what_is_missing_or_wrong_is_named(world: World, fields: dict[str, Json], path: str) -> None:
    async with world.client() as client:
        answer = await client.post("/conversation-predefined-messages", json={"title": "Hello", **fields})
    assert answer.status_code == 400
    assert path in answer.json()["errors"]


async def test_a_change_may_not_leave_a_reply_without_its_content(world: World) -> None:
    async with world.client() as client:
        created = await client.post("/conversation-predefined-messages", json={"title": "Hi", "content": "Hello."})
        one = f"/conversation-predefined-messages/{created.json()['id']}"
        assert (await client.patch(one, json={"content": None})).status_code == 400
        assert (await client.patch(one, json={"message_type": "audio"})).status_code == 400
        assert (await client.patch(one, json={"content": "Good day."})).json()["content"] == "Good day."


async def test_the_picker_lists_by_title_and_searches_both(world: World) -> None:
    async with world.client() as client:
        for title, content in (("Prices", "From 20 dollars."), ("Hours", "Nine to six."), ("Address", "Main street.")):
            await client.post("/conversation-predefined-messages", json={"title": title, "content": content})
        page = (await client.get("/conversation-predefined-messages")).json()
        found = (await client.get("/conversation-predefined-messages?searchTerm=dollars")).json()
    assert [row["title"] for row in page["data"]] == ["Address", "Hours", "Prices"]
    assert [row["title"] for row in found["data"]] == ["Prices"]
