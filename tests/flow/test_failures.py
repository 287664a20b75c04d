"""A model that fails: again after a pause, then one fixed line and no owner, never silence."""

import pytest
from pydantic_ai.exceptions import ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelMessage

from frontdesk.runtime.prompt import fixed_line
from tests.flow.harness import Desk, Reply, call

TIMEOUT = ModelTimeoutError("scripted", "too slow")
SORRY = fixed_line("ENG")


async def test_a_timeout_is_retried_and_then_answered(desk: Desk) -> None:
    assert await desk.ask("Hello?", TIMEOUT, "Here I am.") == []
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Here I am."]
    assert await desk.turns() == ["answered"] * 2


@pytest.mark.parametrize(
    ("failure", "code"),
    [(TIMEOUT, "model_timed_out"), (ModelHTTPError(503, "scripted"), "model_failed")],
    ids=["timeout", "503"],
)
async def test_a_model_that_keeps_failing_ends_in_the_fixed_line(desk: Desk, failure: Exception, code: str) -> None:
    await desk.ask("Hello?", failure, failure, failure)
    for seconds in (1, 4, 60):
        await desk.pass_time(seconds)
    assert (await desk.replies())[1:] == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", code)
    talk = await desk.conversation()
    assert (talk["assigned_ai_assistant_id"], talk["owner_reason"]) == (None, code)
    assert len(desk.script.requests) == 3


async def test_a_refusal_is_not_repeated(desk: Desk) -> None:
    assert await desk.ask("Hello?", ModelHTTPError(401, "scripted")) == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", "wrong_key")
    assert len(desk.script.requests) == 1


async def test_without_a_model_the_customer_gets_the_line_and_the_reason_is_kept(desk: Desk) -> None:
    desk.script.is_missing = True
    await desk.configure(instructions_language="ESP")
    assert await desk.ask("¿Hola?") == [fixed_line("ESP")]
    assert (await desk.decisions())[-1] == ("failed", "no_model")
    assert (await desk.conversation())["owner_reason"] == "no_model"
    assert await desk.ask("¿Hola?") == []


async def test_a_retry_does_not_repeat_an_effect(desk: Desk) -> None:
    note = call("add_note", contact_id=desk.contact_id, text="Called about a visit.")
    await desk.ask("Note it.", note, TIMEOUT, "Noted.")
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1


async def test_an_inbound_during_the_pause_takes_the_turns_place(desk: Desk) -> None:
    await desk.ask("Hello?", TIMEOUT)
    assert await desk.ask("Are you there?", "I am.") == ["I am."]
    assert await desk.turns() == ["answered", "superseded", "answered"]


async def test_a_model_that_never_ends_is_given_up(desk: Desk) -> None:
    async def hang(_: list[ModelMessage]) -> Reply:
        await desk.clock.alarm(10_000)
        return "Too late."

    desk.script.say(hang, "Sorry for the wait.")
    await desk.say("Hello?")
    await desk.while_running(desk.clock.advance, 130, 3)
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Sorry for the wait."]


async def test_a_model_that_only_calls_tools_ends_in_an_answer(desk: Desk) -> None:
    await desk.configure(advanced_options={"max_tool_calls": 2})
    calls = [call("find_contact", f"c{i}", search=f"Luis {i}") for i in range(20)]
    assert await desk.ask("Hello?", *calls) == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", "too_many_tool_calls")


@pytest.mark.parametrize(("third", "reply"), [(" \n", SORRY), ("Here I am.", "Here I am.")])
async def test_an_answer_without_a_word_is_asked_for_again(desk: Desk, third: str, reply: str) -> None:
    await desk.ask("Hello?", " \n", " \n", third)
    for seconds in (1, 4):
        await desk.pass_time(seconds)
    assert (await desk.replies())[1:] == [reply]
    assert len(desk.script.requests) == 3
