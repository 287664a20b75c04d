"""What `advanced_options` changes in the request that a model gets, and in the history that fits beside its answer."""

from pathlib import Path

import pytest
from pydantic_ai import models

from tests.flow.connected_model import wired
from tests.flow.harness import Desk
from tests.models.model_server import call_chunks, text_chunks


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


async def test_the_exact_request_of_a_turn(desk: Desk, tmp_path: Path) -> None:
    async with wired(desk, tmp_path) as line:
        assert await desk.ask("Who is Ana?") == ["Hello"]
        sent = line.scene.recorder.requests[-1]
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    assert (sent.headers["authorization"], sent.headers["content-type"]) == ("Bearer none", "application/json")
    body = line.request
    assert body.keys() == {"model", "messages", "stream", "stream_options", "tools", "tool_choice"}
    assert (body["model"], body["stream"], body["stream_options"]) == ("m", True, {"include_usage": True})
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user", "assistant", "user"]
    find = next(tool for tool in body["tools"] if tool["function"]["name"] == "find_contact")
    assert find["type"] == "function"
    assert find["function"]["parameters"]["properties"]["search"]["type"] == "string"
    assert find["function"]["parameters"]["additionalProperties"] is False


OPTIONS = [
    ({"temperature": 0.3}, {"temperature": 0.3}),
    ({"top_p": 0.8}, {"top_p": 0.8}),
    ({"max_output_tokens": 300}, {"max_completion_tokens": 300}),
    ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
]


@pytest.mark.parametrize(("options", "sent"), OPTIONS, ids=lambda value: next(iter(value)))
async def test_an_option_stands_in_the_request(
    desk: Desk, tmp_path: Path, options: dict[str, object], sent: dict[str, object]
) -> None:
    async with wired(desk, tmp_path) as line:
        await line.options(**options)
        await desk.ask("Hello?")
    standard = {"model", "messages", "stream", "stream_options", "tools", "tool_choice"}
    assert {name: value for name, value in line.request.items() if name not in standard} == sent


async def test_a_turn_keeps_the_options_that_it_began_with(desk: Desk, tmp_path: Path) -> None:
    call = call_chunks("find_contact", '{"search": "Ana"}')
    async with wired(desk, tmp_path, call, text_chunks("Ana.")) as line:
        await line.options(temperature=0.3)
        assert await desk.ask("Who?") == ["Ana."]
        assert [body["temperature"] for body in line.scene.bodies] == [0.3, 0.3]


async def test_a_long_answer_leaves_less_room_for_the_history(desk: Desk, tmp_path: Path) -> None:
    async with wired(desk, tmp_path, context_length=8_000) as line:
        for number in range(4):
            await desk.ask(f"{number} {'word ' * 600}")
        whole = len(line.request["messages"])
        await line.options(max_output_tokens=4_000)
        await desk.ask("And now?")
    assert line.request["max_completion_tokens"] == 4_000
    assert len(line.request["messages"]) < whole


async def test_a_model_that_cannot_use_tools_is_sent_none(desk: Desk, tmp_path: Path) -> None:
    async with wired(desk, tmp_path, supports_tools=False) as line:
        assert await desk.ask("Who is Ana?") == ["Hello"]
    assert not {"tools", "tool_choice"} & line.request.keys()
    turn = await desk.fetch("SELECT tools->'not_offered' FROM ai_turns ORDER BY id DESC LIMIT 1")
    assert "no_tool_support" in turn[0][0]


async def test_a_step_is_counted_at_the_models_prices(desk: Desk, tmp_path: Path) -> None:
    async with wired(desk, tmp_path, price_input=1, price_output=2) as line:
        await desk.ask("Hello?")
    step = (await desk.fetch("SELECT ai_model_id, model, cost FROM ai_turn_steps ORDER BY id DESC LIMIT 1"))[0]
    assert (step["ai_model_id"], step["model"]) == (line.model_id, "OpenAI-compatible server m")
    assert float(step["cost"]) == 18e-6
