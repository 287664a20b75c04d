"""What open pages see while a turn runs: typing, drafts by sentences, their withdrawal, the message."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic_ai.messages import ModelMessage
from pydantic_core import from_json

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, Reply, call

Events = list[dict[str, Json]]
STORY = "We open at nine. We close at five. On Sunday we rest"


@pytest.fixture
async def events(desk: Desk, database_url: str) -> AsyncIterator[Events]:
    """All live events of the desk, in order."""
    told: Events = []
    connection = await asyncpg.connect(database_url)
    await connection.add_listener("frontdesk_live", lambda *arguments: told.append(from_json(str(arguments[3]))))
    yield told
    await connection.close()


async def names(desk: Desk, events: Events, database_url: str) -> list[Json]:
    """The events' names so far; a marker event comes last, so that none is missed."""
    for _ in range(1000):
        if any(event["e"] == "marker" for event in events):
            break
        await desk.fetch("SELECT pg_notify('frontdesk_live', '{\"e\": \"marker\"}')")
    return [event["e"] for event in events if event["e"] != "marker"]


async def test_a_plain_answer_types_drafts_and_speaks(desk: Desk, events: Events, database_url: str) -> None:
    await desk.ask("When?", STORY)
    assert await names(desk, events, database_url) == ["message", "typing", "draft", "message", "typing"]
    draft = next(event for event in events if event["e"] == "draft")
    assert (draft["text"], draft["seq"], draft["turn_id"]) == ("We open at nine. ", 1, 2)
    assert [event["on"] for event in events if event["e"] == "typing"] == [True, False]


async def test_a_superseded_draft_is_withdrawn(desk: Desk, events: Events, database_url: str) -> None:
    async def interrupted(_: list[ModelMessage]) -> Reply:
        await desk.say("No, Sunday!")
        return STORY

    await desk.ask("Saturday?", call("find_contact", search="Luis"), interrupted, "Closed")
    told = await names(desk, events, database_url)
    assert told.count("draft.withdrawn") == 1
    assert told[-2:] == ["message", "typing"]


async def test_a_failed_draft_is_withdrawn(desk: Desk, events: Events, database_url: str) -> None:
    await desk.ask("Hello?", TimeoutError("too slow"))
    assert await names(desk, events, database_url) == ["message", "typing", "draft.withdrawn", "typing"]


async def test_a_muted_turn_shows_nothing(desk: Desk, events: Events, database_url: str) -> None:
    await desk.configure(disable_reply=True)
    await desk.ask("Hello?", STORY)
    told = await names(desk, events, database_url)
    assert told == ["message"]


@pytest.mark.parametrize("revoke", ["disable_reply", "block", "delete"])
async def test_a_revocation_in_the_middle_of_a_turn_ends_its_drafts(
    desk: Desk, events: Events, database_url: str, revoke: str
) -> None:
    async def revoked(_: list[ModelMessage]) -> Reply:
        match revoke:
            case "disable_reply":
                await desk.configure(disable_reply=True)
            case "block":
                await desk.change(blocked=True)
            case _:
                await desk.call("ai-assistants", "remove", desk.assistant_id)
        return STORY

    assert await desk.ask("When?", revoked) == []
    assert "draft" not in await names(desk, events, database_url)


async def test_the_draft_is_stored_until_the_turn_ends(desk: Desk) -> None:
    await desk.ask("When?", STORY)
    turn = (await desk.fetch("SELECT draft, draft_seq FROM ai_turns WHERE id = 2"))[0]
    assert tuple(turn) == (None, 1)
