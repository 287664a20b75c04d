"""The scripted provider: deterministic answers, calls, pauses by the clock, failures."""

import asyncio

import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelRequest, ToolReturnPart

from frontdesk.core.clock import FakeClock
from frontdesk.models.scripted import (
    Fail,
    Say,
    Script,
    ScriptedModel,
    Scripts,
    Use,
    Wait,
    failing_first,
    in_order,
    words,
)
from frontdesk.models.scripts import SCRIPTS
from tests.models.asking import Asked, Talk


def talk(script: Script, clock: FakeClock | None = None) -> Talk:
    return Talk(ScriptedModel("test", script, clock or FakeClock()))


async def begun(talk: Talk) -> "asyncio.Task[Asked]":
    """The question on its way, as far as the script's first pause."""
    task = asyncio.create_task(talk.ask("Hi"))
    for _ in range(100):
        await asyncio.wait([task], timeout=0)
    return task


def give(talk: Talk, value: object) -> None:
    """The result of the call that the model made last."""
    call = talk.messages[-1].tool_calls[-1]  # type: ignore[union-attr]
    part = ToolReturnPart(tool_name=call.tool_name, content=value, tool_call_id=call.tool_call_id)
    talk.messages.append(ModelRequest(parts=[part]))


async def test_text_comes_word_by_word() -> None:
    asked = await talk(lambda _: (Say("One two  three."),)).ask("Hi")
    assert asked.text == "One two  three."
    assert asked.events >= 3


async def test_usage_is_the_same_every_time() -> None:
    usages = [(await talk(SCRIPTS["echo"]).ask("one two")).response.usage for _ in range(2)]
    assert usages[0] == usages[1]
    assert usages[0].output_tokens == 4


async def test_answers_come_in_order_and_begin_anew_each_turn() -> None:
    conversation = talk(in_order((Use("find_contact", {"search": "x"}),), (Say("Found."),)))
    for _ in range(2):
        assert (await conversation.ask("Go")).calls == [("find_contact", {"search": "x"})]
        give(conversation, [])
        assert (await conversation.go_on()).text == "Found."


async def test_call_ids_differ_within_a_conversation() -> None:
    conversation = talk(in_order((Use("a", {}), Use("b", {})), (Say("Done."),)))
    first = await conversation.ask("Go")
    give(conversation, [])
    await conversation.go_on()
    second = await conversation.ask("Go")
    ids = [call.tool_call_id for asked in (first, second) for call in asked.response.tool_calls]
    assert len(set(ids)) == 4


async def test_a_pause_waits_for_the_clock() -> None:
    clock = FakeClock()
    waiting = await begun(talk(lambda _: (Wait(5), Say("Late.")), clock))
    await clock.advance(4)
    assert not waiting.done()
    await clock.advance(2)
    assert (await waiting).text == "Late."


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("timeout", ModelTimeoutError),
        ("rate-limit", ModelHTTPError),
        ("overloaded", ModelHTTPError),
        ("broken-stream", ModelAPIError),
    ],
)
async def test_a_providers_bad_days(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await talk(SCRIPTS[name]).ask("Hi")


async def test_a_failure_can_pass() -> None:
    conversation = talk(failing_first(1, Fail("overloaded"), SCRIPTS["echo"]))
    with pytest.raises(ModelHTTPError):
        await conversation.ask("Hi")
    assert (await conversation.go_on()).text == "You wrote: Hi"


async def test_a_script_is_found_by_name_with_a_pause() -> None:
    scripts = Scripts(SCRIPTS)
    assert scripts.find("nothing") is None
    script = scripts.find("echo?wait=2")
    assert script is not None
    clock = FakeClock()
    waiting = await begun(talk(script, clock))
    await clock.advance(3)
    assert (await waiting).text == "You wrote: Hi"


async def test_the_dental_demo_changes_a_phone_number() -> None:
    conversation = talk(SCRIPTS["dental-demo"])
    conversation.moving = 'What is stored: {"contact_id": 3, "name": "Ana Torres"}'
    assert (await conversation.ask("Can you change my phone number to 600 123 456?")).calls == [
        ("find_contact", {"search": "Ana Torres"})
    ]
    give(conversation, {"data": [{"id": 3}]})
    assert (await conversation.go_on()).calls == [("update_contact", {"phone": "600 123 456"})]
    give(conversation, {"id": 3})
    assert (await conversation.go_on()).text == "Done. Your phone number is now 600 123 456."


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("How much is a whitening?", "search_products", {"search": "whitening"}),
        ("¿Cuánto cuesta la limpieza dental?", "search_products", {"search": "limpieza dental"}),
        ("What is Ana Torres's phone number?", "find_contact", {"search": "Ana Torres"}),
        ("Anota que llego tarde.", "add_note", {"text": "llego tarde"}),
        ("Cambia mi teléfono al 611 222 333", "get_contact", {}),
    ],
)
async def test_the_dental_demo_uses_tools(text: str, tool: str, arguments: dict[str, object]) -> None:
    assert (await talk(SCRIPTS["dental-demo"]).ask(text)).calls == [(tool, arguments)]


async def test_the_dental_demo_tells_prices_from_the_result() -> None:
    conversation = talk(SCRIPTS["dental-demo"])
    await conversation.ask("How much is a whitening?")
    give(conversation, {"data": [{"name": "Whitening", "price": 240}]})
    assert (await conversation.go_on()).text == "Whitening costs 240."


def test_the_words_are_the_text() -> None:
    for text in ("", "a", " a  b ", "a\nb c"):
        assert "".join(words(text)) == text
