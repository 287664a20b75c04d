"""Tool calls as models make them: several at once, badly named, badly filled, with ids that repeat."""

import json

from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import DeltaToolCall

from tests.flow.harness import Desk, Reply, call


async def steps(desk: Desk) -> list[tuple[str, str]]:
    rows = await desk.fetch("SELECT tool_name, status FROM ai_turn_steps WHERE kind = 'tool' ORDER BY id")
    return [tuple(row) for row in rows]


async def test_several_calls_of_one_answer_run_each_once(desk: Desk) -> None:
    both = {
        0: DeltaToolCall("find_contact", json.dumps({"search": "Luis"}), tool_call_id="a"),
        1: DeltaToolCall("add_note", json.dumps({"text": "Called."}), tool_call_id="b"),
    }
    assert await desk.ask("Hello?", both, "Done.") == ["Done."]
    assert sorted(await steps(desk)) == [("add_note", "done"), ("find_contact", "done")]


async def test_call_ids_that_a_server_counts_anew_are_told_apart(desk: Desk) -> None:
    first = call("add_note", "call_0", text="One.")
    second = call("add_note", "call_0", text="Two.")
    assert await desk.ask("Note both.", first, second, "Both noted.") == ["Both noted."]
    assert [row["text"] for row in await desk.fetch("SELECT text FROM notes ORDER BY id")] == ["One.", "Two."]


async def test_a_tool_that_does_not_exist_is_told_to_the_model_and_logged(desk: Desk) -> None:
    assert await desk.ask("Hello?", call("fly_to_moon"), "I cannot.") == ["I cannot."]
    assert await steps(desk) == [("fly_to_moon", "failed")]


async def test_wrong_arguments_change_nothing(desk: Desk) -> None:
    assert await desk.ask("Hello?", call("add_note", colour="red"), "I cannot.") == ["I cannot."]
    assert await steps(desk) == [("add_note", "failed")]
    assert await desk.fetch("SELECT id FROM notes") == []


async def test_the_next_turn_knows_what_the_last_one_did(desk: Desk) -> None:
    await desk.ask("Note it.", call("add_note", text="Called."), "Noted.")
    await desk.ask("What did you note?", "That you called.")
    parts = [part for message in desk.script.requests[-1] for part in message.parts]
    assert "Called." in next(part for part in parts if isinstance(part, ToolReturnPart)).model_response_str()


async def test_usage_is_summed_on_the_turn_and_on_the_day(desk: Desk) -> None:
    before = (await desk.fetch("SELECT input_tokens, cost FROM ai_daily_usage"))[0]
    await desk.ask("Hello?", call("find_contact", search="Luis"), "Done.")
    turn = (await desk.fetch("SELECT input_tokens, output_tokens, cost FROM ai_turns ORDER BY id DESC LIMIT 1"))[0]
    day = (await desk.fetch("SELECT input_tokens, cost FROM ai_daily_usage"))[0]
    assert turn["input_tokens"] > 0
    assert day["input_tokens"] - before["input_tokens"] == turn["input_tokens"]
    assert day["cost"] - before["cost"] == turn["cost"] > 0


async def test_the_trace_shows_prompt_tools_model_and_steps(desk: Desk) -> None:
    await desk.ask("Hello?", call("find_contact", search="Luis"), "Done.")
    trace = (await desk.call("ai-turns", "get", 2)).value
    assert "receptionist" in str(trace["prompt"])
    assert {"key": "find_contact", "scope": "own"} in trace["tools"]["offered"]  # type: ignore[call-overload, index]
    assert trace["model"] == {"name": "scripted"}
    assert [step["kind"] for step in trace["steps"]] == ["model", "tool", "model"]  # type: ignore[union-attr, index, call-overload]


async def test_a_tool_call_may_take_long_without_losing_the_lease(desk: Desk) -> None:
    async def slow(_: list[ModelMessage]) -> Reply:
        await desk.clock.alarm(60)
        return "Finally."

    desk.script.say(slow)
    await desk.say("Hello?")
    await desk.while_running(desk.clock.advance, 30, 29, 2)
    assert (await desk.replies())[1:] == ["Finally."]
    assert len(desk.script.requests) == 1
