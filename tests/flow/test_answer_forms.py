"""How an answer comes: in parts with a typing sign between them, never too long, all in the assistant's language."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pydantic_core import from_json

from frontdesk.core.errors import Json
from tests.flow.connected import connect
from tests.flow.harness import Desk, call

MULTI = {"mode": "multi", "max_messages": 3, "delay_seconds": {"min": 2, "max": 4}}
FORM = {"business_name": "Luna Dental", "role": "receptionist", "rules": ["Never give a diagnosis"]}


@pytest.fixture
async def events(desk: Desk, database_url: str) -> AsyncIterator[list[dict[str, Json]]]:
    """All live events of the desk, in order."""
    told: list[dict[str, Json]] = []
    connection = await asyncpg.connect(database_url)
    await connection.add_listener("frontdesk_live", lambda *arguments: told.append(from_json(str(arguments[3]))))
    yield told
    await connection.close()


async def told(desk: Desk, events: list[dict[str, Json]]) -> list[tuple[Json, Json]]:
    """Name and `on` of the events so far; a marker event comes last, so that none is missed."""
    for _ in range(1000):
        if any(event["e"] == "marker" for event in events):
            break
        await desk.fetch("SELECT pg_notify('frontdesk_live', '{\"e\": \"marker\"}')")
    return [(event["e"], event.get("on")) for event in events if event["e"] in ("message", "typing")]


async def test_the_typing_sign_comes_back_between_the_parts(desk: Desk, events: list[dict[str, Json]]) -> None:
    await desk.configure(response_config=MULTI)
    assert await desk.ask("When?", "We open at nine.\n\nWe close at five.") == ["We open at nine."]
    await desk.pass_time(1)
    assert len(await desk.replies()) == 2
    await desk.pass_time(2)
    assert (await desk.replies())[-1] == "We close at five."
    assert await told(desk, events) == [
        ("message", None), ("typing", True), ("message", None), ("typing", True), ("message", None), ("typing", False),
    ]  # fmt: skip


async def test_an_answer_that_is_too_long_for_the_channel_comes_in_more_messages(desk: Desk) -> None:
    line = await connect(desk, "instagram")
    texts = await line.ask("Tell me all.", "One sentence more. " * 100)
    assert len(texts) == 2
    assert max(map(len, texts)) <= 1000


@pytest.mark.parametrize(
    ("language", "head", "rule"),
    [("ENG", "## Language", "Answer in the language of the customer's last message, unless the instructions"),
     ("ESP", "## Idioma", "Responde en el idioma del último mensaje del cliente, salvo que las instrucciones")],
)  # fmt: skip
async def test_guided_mode_and_the_frame_speak_the_assistants_language(
    desk: Desk, language: str, head: str, rule: str
) -> None:
    """What the model is told is in one language; the customer is answered in their own."""
    await desk.configure(is_easy_mode=True, easy_mode_config=FORM, instructions_language=language)
    await desk.ask("Bonjour?", "Bonjour!")
    prompt = str(desk.script.infos[-1].instructions)
    written: Any = (await desk.call("ai-assistants", "get", desk.assistant_id)).value["instructions"]
    assert "Luna Dental" in written
    assert "Never give a diagnosis." in prompt
    assert written in prompt
    assert head in prompt
    assert rule in prompt


@pytest.mark.parametrize(
    ("language", "left_out", "shortened", "line"),
    [("ENG", "(Earlier messages of this conversation are left out.)", " … (shortened) … ", "I'm sorry"),
     ("ESP", "(Faltan los mensajes anteriores de esta conversación.)", " … (abreviado) … ", "Lo siento")],
)  # fmt: skip
async def test_notes_and_fixed_lines_speak_it_too(
    desk: Desk, language: str, left_out: str, shortened: str, line: str
) -> None:
    await desk.configure(
        instructions_language=language, advanced_options={"history_messages": 2, "summary": {"enabled": False}}
    )
    await desk.configure(internal_tools={"tools": {"search_products": True}})
    await desk.call("products", "create", name="Cleaning", description="long " * 500)
    await desk.ask("What do you sell?", call("search_products"), "A lot.")
    await desk.ask("Again?", "Yes.")
    said = str(desk.script.requests[-1])
    assert left_out in said
    assert shortened in said
    desk.script.is_missing = True
    assert (await desk.ask("Still there?"))[0].startswith(line)


async def test_switching_modes_changes_what_the_next_answer_is_made_from(desk: Desk) -> None:
    own = "You are the receptionist."
    for fields, is_guided in (
        ({"is_easy_mode": True, "easy_mode_config": FORM}, True),
        ({"is_easy_mode": False}, False),
    ):
        await desk.configure(**fields)
        await desk.ask("Hello?", "Hello.")
        prompt = str(desk.script.infos[-1].instructions)
        assert ("Never give a diagnosis." in prompt, own in prompt) == (is_guided, not is_guided)


@pytest.mark.parametrize(("action", "replies"), [("silent", []), ("reply", ["Yes, at night too."])])
async def test_outside_the_hours_it_does_what_the_schedule_says(desk: Desk, action: str, replies: list[str]) -> None:
    night = {"enabled": True, "weekly": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}
    await desk.configure(schedule_config={**night, "out_of_schedule": {"action": action}})
    assert await desk.ask("Are you there?", "Yes, at night too.") == replies
    desk.script.entries.clear()
    await desk.clock.advance(12 * 3600)  # midnight: a range that crosses it
    assert await desk.ask("And now?", "Now we are open.") == ["Now we are open."]
