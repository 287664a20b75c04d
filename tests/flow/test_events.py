"""What the spine tells of: every message, every turning point of a conversation, and nothing twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from frontdesk.core.errors import NotFound
from frontdesk.core.event_names import event_names
from frontdesk.core.events import emit_named
from frontdesk.registry import make_registry
from tests.event_reading import BEGIN, events_until
from tests.flow.harness import Desk

ROOT = Path(__file__).resolve().parents[2]
NAMES = event_names(make_registry())
MESSAGE = "conversation-messages-playground"


async def told(desk: Desk) -> list[str]:
    """The names of all events until now."""
    async with desk.database.system() as connection:
        await emit_named(connection, desk.organization_id, "contacts.last", 1, {}, desk.clock.now())
    found = await events_until(desk.database, desk.organization_id, "contacts.last", BEGIN)
    async with desk.database.system() as connection:
        await connection.execute("DELETE FROM events")
    return [event.name for event in found if event.name != "contacts.last"]


async def rows(desk: Desk, name: str) -> list[dict[str, object]]:
    return [json.loads(row[0]) for row in await desk.fetch("SELECT data::text FROM events WHERE name = $1", name)]


async def test_a_turn_tells_of_its_messages_and_its_end(desk: Desk) -> None:
    await told(desk)
    await desk.ask("Are you open?", "Yes, until six.")
    messages = await rows(desk, f"{MESSAGE}.created")
    assert [(row["direction"], row["message_text"]) for row in messages] == [
        ("inbound", "Are you open?"), ("outbound", "Yes, until six."),
    ]  # fmt: skip
    (ended,) = await rows(desk, "ai-turns.ended")
    assert (ended["end_reason"], ended["conversation_id"]) == ("answered", desk.conversation_id)
    assert await told(desk) == [f"{MESSAGE}.created", f"{MESSAGE}.created", "ai-turns.ended"]


async def test_a_message_is_shown_as_its_resource_shows_it(desk: Desk) -> None:
    await desk.say("Hello")
    event = (await rows(desk, f"{MESSAGE}.created"))[-1]
    row = (await desk.call(MESSAGE, "get", int(str(event["id"])))).value
    assert event == {name: row[name] for name in event}
    assert event["_id"] == str(event["id"])


async def test_a_repeated_delivery_tells_nothing(desk: Desk) -> None:
    await desk.say("Hello", "same")
    await told(desk)
    await desk.say("Hello", "same")
    assert await told(desk) == []


async def test_a_first_message_tells_of_the_conversation(desk: Desk) -> None:
    await told(desk)
    await desk.say("Hello", conversation_id=None, contact_id=None)
    assert await told(desk) == ["contacts.created", "conversations.created", f"{MESSAGE}.created"]


@pytest.mark.parametrize(
    ("before", "change", "points"),
    [
        ({}, {"status": "closed"}, ["closed"]),
        ({"status": "closed"}, {"status": "open"}, ["reopened"]),
        ({}, {"assigned_user_id": "user"}, ["taken_over"]),
        ({"assigned_ai_assistant_id": None}, {"assigned_user_id": "user"}, ["assigned"]),
        ({"assigned_user_id": "user"}, {"assigned_ai_assistant_id": "assistant"}, ["assigned"]),
        ({}, {"assigned_ai_assistant_id": None}, ["handed_off"]),
        ({"assigned_user_id": "user"}, {"assigned_user_id": None}, []),
        ({}, {"status": "closed", "assigned_user_id": "user"}, ["closed", "taken_over"]),
        ({}, {"unread_count": 0}, []),
    ],
)
async def test_a_change_of_a_conversation_tells_what_it_means(
    desk: Desk, before: dict[str, object], change: dict[str, object], points: list[str]
) -> None:
    named = {"user": desk.user_id, "assistant": desk.assistant_id}
    for fields in (before, change):
        await told(desk)
        await desk.change(**{name: named.get(str(value), value) for name, value in fields.items()})
    assert await told(desk) == ["conversations.updated", *(f"conversations.{point}" for point in points)]


async def test_a_message_into_a_closed_conversation_reopens_it(desk: Desk) -> None:
    await desk.change(status="closed")
    await told(desk)
    await desk.say("Are you there?")
    assert await told(desk) == ["conversations.updated", "conversations.reopened", f"{MESSAGE}.created"]


async def test_a_failed_model_tells_that_nobody_has_the_conversation(desk: Desk) -> None:
    await told(desk)
    desk.script.is_missing = True
    await desk.say("Hello")
    await desk.settle()
    (row,) = await rows(desk, "conversations.handed_off")
    assert row["assigned_ai_assistant_id"] is None
    assert row["owner_reason"] is not None
    assert "conversations.handed_off" in await told(desk)


async def test_a_step_that_is_rolled_back_tells_nothing(desk: Desk) -> None:
    await told(desk)
    with pytest.raises(NotFound):
        await desk.say("Hello", conversation_id=999)
    assert await told(desk) == []


def test_every_name_that_the_code_tells_is_declared() -> None:
    """A webhook may be subscribed to declared names only."""
    called = re.compile(r"emit(?:_named)?\(\s*[\w.]+,\s*[\w.]+,\s*f?\"([a-z-]+)(?:\.|\",\s*\")([a-z_]+)\"")
    also = re.compile(r"also=\(\"([a-z_]+)\",\)")
    for path in (ROOT / "frontdesk").rglob("*.py"):
        text = path.read_text("utf-8")
        assert [f"{a}.{b}" for a, b in called.findall(text) if f"{a}.{b}" not in NAMES] == [], path
        for point in also.findall(text):
            assert {f"conversations.{point}", f"support-tickets.{point}"} <= NAMES.keys(), path


def test_names_are_words_of_one_alphabet() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z_]+", name) for name in NAMES)
    assert {"conversations.handed_off", "contacts.created", "support-tickets.closed", "webhooks.disabled"} <= set(NAMES)
    assert not any(name.startswith(("webhook-deliveries", "ai-turn-steps", "outbox")) for name in NAMES)
