"""The web chat's endpoints: sessions, history, sending, streams, and who may call them from where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from frontdesk.core.caller import Role
from frontdesk.core.live import RESYNC, notify
from frontdesk.runtime.thread import NewMessage, append
from tests.chat_room import OURS, Room, listening, message, open_room
from tests.world import World


@pytest.fixture
async def room(world: World) -> AsyncIterator[Room]:
    async with open_room(world) as room:
        yield room


async def say(room: Room, text: str, sender: str = "assistant", kind: str = "text", **more: object) -> None:
    """What the other side writes into the first conversation."""
    new = NewMessage("outbound", sender, text, kind, **more)  # type: ignore[arg-type]
    async with room.world.database.transaction(OURS) as connection:
        await append(connection, OURS, 1, new, room.clock.now())


async def test_a_first_visit_mints_a_token_whose_hash_alone_is_kept(room: Room) -> None:
    answer = await room.client().post("/sessions", json={})
    assert answer.status_code == 201
    token = answer.json().pop("visitor_token")
    assert len(token) == 46
    assert answer.json()["session"] == {
        "assistant_name": "Sofía", "organization_name": "Ours", "channel_name": "Bright Smile",
        "max_message_length": 4000, "is_small_model": False,
    }  # fmt: skip
    async with room.world.database.system() as connection:
        row = await connection.fetchrow("SELECT * FROM webchat_visitors")
    assert token not in str(dict(row or {}))


@pytest.mark.parametrize(
    ("provider", "connection", "default_is_small", "is_small"),
    [
        ("local", "system", False, True),
        ("installation", "system", True, True),
        ("installation", "system", False, False),
        ("installation", "organization", True, False),
        ("openai", "system", True, False),
    ],
)
async def test_the_session_tells_when_the_small_model_answers(
    room: Room, provider: str, connection: str, default_is_small: bool, is_small: bool
) -> None:
    room.edge.default_is_small = default_is_small
    async with room.world.database.system() as connected:
        await connected.execute("UPDATE ai_models SET provider = $1", provider)
        await connected.execute("UPDATE ai_assistants SET connection = $1", connection)
    assert (await room.client().post("/sessions")).json()["session"]["is_small_model"] is is_small


async def test_a_known_visitor_gets_no_second_token_and_an_unknown_one_a_new(room: Room) -> None:
    known = await (await room.visitor()).post("/sessions", json={})
    unknown = await room.client(**{"x-visitor-token": "wv_guess"}).post("/sessions", json={})
    assert (known.status_code, "visitor_token" in known.json()) == (200, False)
    assert (unknown.status_code, "visitor_token" in unknown.json()) == (201, True)


async def test_contact_and_conversation_begin_with_the_first_message(room: Room) -> None:
    visitor = await room.visitor()
    assert (await visitor.get("/messages")).json() == {"data": [], "has_more": False}
    assert (await room.count("contacts"), await room.count("conversations")) == (0, 0)
    answer = await visitor.post("/messages", json=message("Hola\nqué tal"))
    assert answer.status_code == 201
    assert answer.json() == {
        "position": 1, "from": "visitor", "name": None, "text": "Hola\nqué tal",
        "created_at": "2026-01-05T12:00:00.000Z", "idempotency_key": "key-00000001",
    }  # fmt: skip
    conversation = (await room.world.client(Role.member).get("/conversations/1")).json()
    assert conversation["assigned_ai_assistant_id"] == room.assistant_id
    assert conversation["is_contact_verified"] is False
    contact = (await room.world.client(Role.member).get(f"/contacts/{conversation['contact_id']}")).json()
    assert contact["created_in_conversation_id"] == 1


async def test_a_key_is_stored_once_and_only_for_its_visitor(room: Room) -> None:
    first, second = await room.visitor(), await room.visitor()
    answers = [await first.post("/messages", json=message()), await first.post("/messages", json=message("Other"))]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[1].json()["text"] == "Hello"
    assert (await second.post("/messages", json=message())).status_code == 201


async def test_first_messages_of_many_tabs_at_once_make_one_conversation(room: Room) -> None:
    visitor = await room.visitor()
    posts = [visitor.post("/messages", json=message(key=f"tab-{i % 4:08}")) for i in range(8)]
    answers = await asyncio.gather(*posts)
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201] * 4
    assert (await room.count("conversations"), await room.count("conversation_messages")) == (1, 4)


async def test_history_pages_go_both_ways_and_notes_stay_inside(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message("1"))
    await say(room, "for us only", "user", "note", user_id=room.world.users[(Role.owner, OURS)])
    for text in "3456":
        await say(room, text, ai_assistant_id=room.assistant_id)
    pages = {
        "limit=3": (["4", "5", "6"], True),
        "limit=3&before=4": (["1", "3"], False),
        "limit=3&after=1": (["3", "4", "5"], True),
        "after=5": (["6"], False),
    }
    for query, (texts, has_more) in pages.items():
        page = (await visitor.get(f"/messages?{query}")).json()
        assert ([item["text"] for item in page["data"]], page["has_more"]) == (texts, has_more), query
    assert page["data"][0] | {"created_at": ""} == {
        "position": 6, "from": "assistant", "name": "Sofía", "text": "6", "created_at": "", "turn_id": None,
    }  # fmt: skip


async def test_a_picture_is_shown_apart_from_its_words_and_another_file_by_its_address(room: Room) -> None:
    client = await room.visitor()
    await client.post("/messages", json=message("Show me."))
    for kind, text in (("image", "Our chair"), ("image", ""), ("document", "The list")):
        await say(room, text, kind=kind, extras={"media_url": "https://cdn.example.com/a"})
    rows = (await client.get("/messages?after=1")).json()["data"]
    assert [(row["text"], row.get("image")) for row in rows] == [
        ("Our chair", "https://cdn.example.com/a"), ("", "https://cdn.example.com/a"),
        ("The list\nhttps://cdn.example.com/a", None),
    ]  # fmt: skip


async def test_a_person_is_shown_by_first_name(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message())
    user_id = room.world.users[(Role.owner, OURS)]
    async with room.world.database.system() as connection:
        await connection.execute("UPDATE users SET first_name = 'Ana', last_name = 'Torres' WHERE id = $1", user_id)
    await say(room, "It's me", "user", user_id=user_id)
    assert (await visitor.get("/messages?after=1")).json()["data"][0]["name"] == "Ana"


async def test_a_visitor_sees_only_the_own_conversation(room: Room) -> None:
    mine, other = await room.visitor(), await room.visitor()
    await mine.post("/messages", json=message("secret"))
    assert (await other.get("/messages")).json()["data"] == []
    for client in (room.client(), room.client(**{"x-visitor-token": "wv_guess"})):
        for path in ("/messages", "/stream"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["name"]) == (401, "NotAuthenticated")


async def test_the_stream_gives_what_is_stored_then_what_happens(room: Room) -> None:
    visitor = await room.visitor()
    for number in (1, 2):
        await visitor.post("/messages", json=message(str(number), f"key-{number:08}"))
    async with listening(visitor, after=1) as stream:
        assert await stream.texts(1) == ["2"]
        async with room.world.database.transaction(OURS) as connection:
            await notify(connection, OURS, 1, "typing", {"on": True, "turn_id": 5})
            await notify(connection, OURS, 1, "draft", {"turn_id": 5, "epoch": 1, "seq": 1, "text": "He"})
            await notify(connection, OURS, 1, "draft.withdrawn", {"turn_id": 5})
        await say(room, "3")
        assert await stream.next() == ("typing", {"on": True, "turn_id": 5})
        assert await stream.next() == ("draft", {"turn_id": 5, "epoch": 1, "seq": 1, "text": "He"})
        assert await stream.next() == ("draft.withdrawn", {"turn_id": 5})
        name, data = await stream.next()
        assert (name, data["position"], data["text"]) == ("message", 3, "3")


async def test_a_stream_opened_before_the_first_message_gets_it(room: Room) -> None:
    visitor = await room.visitor()
    async with listening(visitor) as stream:
        await visitor.post("/messages", json=message("first"))
        await visitor.post("/messages", json=message("second", "key-00000002"))
        assert await stream.texts(2) == ["first", "second"]


async def test_no_message_is_lost_or_doubled_while_streams_come_and_go(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message("0"))

    async def write() -> None:
        for number in range(1, 40):
            await say(room, str(number))

    writing, seen, position = asyncio.create_task(write()), [], 0
    while len(seen) < 40:
        async with listening(visitor, after=position) as stream:
            for _ in range(min(7, 40 - len(seen))):
                _, data = await stream.next()
                seen.append(data["text"])
                position = int(str(data["position"]))
    await writing
    assert seen == [str(number) for number in range(40)]


async def test_after_lost_events_the_stream_reads_the_table(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message())
    async with listening(visitor, after=1) as stream:
        await room.streams(1)
        room.live.tell_all(RESYNC)
        assert await stream.next() == ("resync", {})


async def test_who_opens_the_chat_in_the_middle_of_a_turn_sees_it(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message())
    turn = {"conversation_id": 1, "ai_assistant_id": room.assistant_id, "draft": "Half", "draft_seq": 3, "epoch": 1}
    turn_id = await room.world.row("ai-turns", status="running", **turn)  # type: ignore[arg-type]
    async with listening(visitor, after=1, **{"last-event-id": "1"}) as stream:
        assert await stream.next() == ("typing", {"on": True, "turn_id": turn_id})
        name, data = await stream.next()
        assert (name, data["text"], data["seq"]) == ("draft", "Half", 3)


async def test_a_visitor_who_leaves_is_forgotten(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message())
    async with listening(visitor) as stream:
        await stream.next()
        assert room.live.stream_count == 1
    await room.streams(0)


async def test_a_deleted_conversation_is_followed_by_a_new_one(room: Room) -> None:
    visitor = await room.visitor()
    await visitor.post("/messages", json=message("old"))
    assert (await room.world.client(Role.admin).delete("/conversations/1")).status_code == 200
    assert (await visitor.get("/messages")).json()["data"] == []
    await visitor.post("/messages", json=message("new", "key-00000002"))
    assert [item["text"] for item in (await visitor.get("/messages")).json()["data"]] == ["new"]
    assert await room.count("contacts") == 1


async def test_a_channel_that_is_off_or_deleted_does_not_exist(room: Room) -> None:
    visitor = await room.visitor()
    for change in ({"is_active": False}, {"is_active": True, "deleted_at": room.clock.now()}):
        await room.change(**change)
        answers = [await visitor.post("/sessions"), await visitor.get("/messages"), await visitor.get("/stream")]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        page = await visitor.get(f"{room.url}/chat/wc_room")
        assert page.status_code == 404
        assert "isn't available" in page.text
