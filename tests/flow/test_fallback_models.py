"""Further models stand in for one that fails: tried again, then the next, then the ending that there always was."""

import pytest
from pydantic_ai.exceptions import (
    ModelHTTPError,
    ModelRateLimitError,
    ModelTimeoutError,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import ModelRequest, ToolReturnPart, UserPromptPart

from frontdesk.runtime.prompt import fixed_line
from tests.flow.fallback_desk import with_fallbacks
from tests.flow.harness import Desk, call
from tests.flow.test_resume import LEASE, crash, die

TIMEOUT = ModelTimeoutError("scripted", "too slow")
REFUSED = ModelHTTPError(401, "scripted")


async def last_turn(desk: Desk) -> dict:
    id = (await desk.fetch("SELECT max(id) FROM ai_turns"))[0][0]
    return (await desk.call("ai-turns", "get", id)).value


@pytest.mark.parametrize(
    "failure",
    [TIMEOUT, ModelHTTPError(429, "m"), ModelHTTPError(503, "m"), UnexpectedModelBehavior("nonsense")],
    ids=["timeout", "429", "503", "nonsense"],
)
async def test_a_failing_model_is_tried_again_and_then_replaced(desk: Desk, failure: Exception) -> None:
    others = await with_fallbacks(desk)
    own, second, _ = others.scripts
    others.scripts[second].say("Here I am.")
    assert await desk.ask("Hello?", failure, failure) == []
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Here I am."]
    assert others.asked == [own, own, second]


async def test_the_turn_says_which_model_answered_and_why_not_the_first(desk: Desk) -> None:
    own, second, _ = (await with_fallbacks(desk)).scripts
    assert await desk.ask("Hello?", REFUSED) == ["I see."]
    turn = await last_turn(desk)
    assert (turn["fallback_ai_model_id"], turn["end_reason"]) == (second, "answered")
    assert turn["model"] == {"label": f"model-{second}"}
    note = "ModelHTTPError: HTTP 401 from scripted"
    assert turn["model_trials"] == [
        {"ai_model_id": own, "outcome": "failed", "reason": "wrong_key", "note": note, "failures": 1}
    ]
    assert [(step["ai_model_id"], step["model"]) for step in turn["steps"]] == [(second, f"model-{second}")]


async def test_an_answer_costs_what_the_answering_model_costs(desk: Desk) -> None:
    own, second, _ = (await with_fallbacks(desk)).scripts
    await desk.ask("Hello?", REFUSED)
    turn = await last_turn(desk)
    expected = (turn["input_tokens"] * second + turn["output_tokens"] * 2) / 1_000_000
    assert float(turn["cost"]) == pytest.approx(expected)
    assert own != second


async def test_all_models_in_order_and_then_the_fixed_line(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    for script in others.scripts.values():
        script.say(*[ModelHTTPError(500, "m")] * 3)
    await desk.ask("Hello?")
    for seconds in (1, 1, 1, 4):
        await desk.pass_time(seconds)
    own, second, third = others.scripts
    assert others.asked == [own] * 2 + [second] * 2 + [third] * 3
    assert (await desk.replies())[1:] == [fixed_line("ENG")]
    assert (await desk.decisions())[-1] == ("failed", "model_failed")
    assert [trial["failures"] for trial in (await last_turn(desk))["model_trials"]] == [2, 2, 3]


async def test_a_long_pause_is_not_waited_for_where_another_model_is(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    assert await desk.ask("Hello?", ModelRateLimitError("m", "slow down", retry_after=20)) == ["I see."]
    assert others.asked == list(others.scripts)[:2]


async def test_a_model_without_a_key_is_passed_over_with_a_note(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    own, second, third = others.scripts
    others.missing = {second}
    assert await desk.ask("Hello?", REFUSED) == ["I see."]
    trials = (await last_turn(desk))["model_trials"]
    assert [(trial["ai_model_id"], trial["outcome"], trial["reason"]) for trial in trials] == [
        (own, "failed", "wrong_key"), (second, "skipped", "no_key"),
    ]  # fmt: skip
    assert others.asked == [own, third]


async def test_an_own_model_without_a_key_is_passed_over_too(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    others.missing = set(list(others.scripts)[:1])
    assert await desk.ask("Hello?") == ["I see."]
    assert (await last_turn(desk))["end_reason"] == "answered"


async def test_without_any_usable_model_the_first_reason_is_kept(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    others.missing = set(others.scripts)
    assert await desk.ask("Hello?") == [fixed_line("ENG")]
    assert (await desk.decisions())[-1] == ("failed", "no_key")
    assert len((await last_turn(desk))["model_trials"]) == 3


async def test_where_no_other_can_be_asked_the_model_has_all_its_tries(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    own, *rest = others.scripts
    others.missing = set(rest)
    await desk.ask("Hello?", TIMEOUT, TIMEOUT, "Here I am.")
    for seconds in (1, 4):
        await desk.pass_time(seconds)
    assert (await desk.replies())[1:] == ["Here I am."]
    assert others.asked == [own] * 3
    outcomes = [(trial["ai_model_id"], trial["outcome"]) for trial in (await last_turn(desk))["model_trials"]]
    assert outcomes == [(id, "skipped") for id in rest]


async def test_a_resumed_turn_goes_on_with_the_same_model(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    own, second, _ = others.scripts
    others.scripts[second].say(die, "Here I am.")
    await crash(desk, REFUSED)
    await desk.pass_time(LEASE)
    assert (await desk.replies())[1:] == ["Here I am."]
    assert others.asked == [own, second, second]


async def test_effects_of_the_failed_model_are_not_repeated(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    second = list(others.scripts)[1]
    others.scripts[second].say("Noted.")
    note = call("add_note", contact_id=desk.contact_id, text="Called about a visit.")
    assert await desk.ask("Note it.", note, REFUSED) == ["Noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1
    returned = others.scripts[second].requests[0][-1]
    assert isinstance(returned, ModelRequest)
    assert any(isinstance(part, ToolReturnPart) for part in returned.parts)


async def test_the_next_turn_begins_with_the_own_model_again(desk: Desk) -> None:
    others = await with_fallbacks(desk)
    await desk.ask("Hello?", REFUSED)
    assert await desk.ask("And now?", "Back again.") == ["Back again."]
    assert (await last_turn(desk))["fallback_ai_model_id"] is None
    assert others.asked[-1] == next(iter(others.scripts))


async def test_a_model_without_tools_is_offered_none_and_the_trace_says_why(desk: Desk) -> None:
    others = await with_fallbacks(desk, 0)
    others.without_tools = set(others.scripts)
    await desk.ask("Hello?", "Hi.")
    assert desk.script.infos[-1].function_tools == []
    tools = (await last_turn(desk))["tools"]
    assert tools["offered"] == []
    assert {entry["rule"] for entry in tools["not_offered"]} == {"no_tool_support"}


async def test_a_model_without_tools_reads_what_the_tools_of_another_gave(desk: Desk) -> None:
    others = await with_fallbacks(desk, 1)
    own, second = others.scripts
    others.without_tools = {second}
    assert await desk.ask("Who is Ana?", call("find_contact", search="Ana"), REFUSED) == ["I see."]
    request = others.scripts[second].requests[0][-1]
    assert all(isinstance(part, UserPromptPart) for part in request.parts)
    assert str(request.parts[-1].content).startswith('<tool_result name="find_contact">')
    assert others.asked == [own, own, second]


async def test_calls_of_one_answer_run_one_after_another_where_that_is_wanted(desk: Desk) -> None:
    await desk.configure(advanced_options={"parallel_tool_calls": False})
    both = {**call("find_contact", search="Ana"), 1: call("get_contact")[0]}
    assert await desk.ask("Who?", both, "Ana.") == ["Ana."]
    steps = (await last_turn(desk))["steps"]
    assert [step["tool_name"] for step in steps if step["kind"] == "tool"] == ["find_contact", "get_contact"]


async def test_a_model_without_tools_writes_the_values_beside_its_reply_as_text(desk: Desk) -> None:
    others = await with_fallbacks(desk, 0)
    others.without_tools = set(others.scripts)
    await desk.configure(additional_json_keys=[{"key": "intent", "type": "string", "required": True}])
    assert await desk.ask("Hello?", '{"reply": "Hi.", "intent": "greet"}') == ["Hi."]
    assert desk.script.infos[-1].output_tools == []
    assert (await last_turn(desk))["structured_output"] == {"intent": "greet"}
