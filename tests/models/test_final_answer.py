"""Values beside the reply, with each kind of model: over the wire, the built-in one, the scripted one."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from pydantic_ai import Agent, CallToolsNode, ModelRequestNode, models
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models import Model

from frontdesk.assistants.json_keys import JsonKeys
from frontdesk.core.clock import FakeClock
from frontdesk.core.egress import Guard
from frontdesk.models.clients import Clients
from frontdesk.models.local.engine import Endpoint, Engine
from frontdesk.models.local.model import LocalModel
from frontdesk.models.scripted import Give, Say, ScriptedModel, Step
from frontdesk.runtime.final_answer import Given, given_in, output_tool
from frontdesk.runtime.mended import mended
from frontdesk.runtime.reply_draft import ReplyDraft
from tests.models.model_server import Chunk, Scene, call_chunks, model_server, text_chunks

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
KEYS = JsonKeys.model_validate([
    {"key": "intent", "enum": ["book", "cancel", "other"], "required": True}, {"key": "phone"},
    {"key": "visitors", "type": "integer"},
]).root  # fmt: skip


async def ended(model: Model, text: str, *, by_call: bool = True) -> tuple[list[str], Given]:
    """One request as the loop makes it: what a screen would be shown, and the answer."""
    agent: Agent[None, object] = Agent(model, output_type=output_tool(KEYS, by_call=by_call))
    draft, shown = ReplyDraft(), list[str]()
    async with agent.iter(text) as run:
        node = run.next_node
        while not isinstance(node, CallToolsNode):
            if isinstance(node, ModelRequestNode):
                async with node.stream(run.ctx) as stream:
                    shown += [delta async for event in stream if (delta := draft.delta(event))]
            node = await run.next(node)  # type: ignore[arg-type, assignment]
        given = given_in(mended(node.model_response), KEYS)
    assert given is not None
    assert "".join(shown) == given.reply or not shown
    return shown, given


@pytest.fixture(autouse=True)
def allow_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)


async def over_the_wire(answer: Sequence[Chunk], *, by_call: bool = True) -> tuple[list[str], Given, Scene]:
    clients = Clients(Guard(allow_loopback=True))
    async with model_server(answer) as scene:
        shown, given = await ended(clients.model("openai_compatible", "m", scene.url, None), "Hi", by_call=by_call)
    await clients.close()
    return shown, given, scene


async def test_a_provider_is_made_to_call_and_streams_the_reply() -> None:
    arguments = json.dumps({"reply": "We open at nine. See you then.", "intent": "book"})
    shown, given, scene = await over_the_wire(call_chunks("final_answer", arguments))
    assert len(shown) == 2
    assert (given.reply, given.judged.values) == ("We open at nine. See you then.", {"intent": "book"})
    assert scene.bodies[0]["tool_choice"] == "required"
    tools = scene.bodies[0]["tools"]
    assert [tool["function"]["name"] for tool in tools] == ["final_answer"]  # type: ignore[attr-defined]


async def test_a_server_that_writes_text_all_the_same_shows_nothing_of_it() -> None:
    shown, given, _ = await over_the_wire(text_chunks("Just ", "text."))
    assert shown == []
    assert (given.reply, list(given.judged.faults)) == ("Just text.", ["intent"])


async def test_a_model_without_tools_writes_the_object_and_streams_the_reply() -> None:
    whole = json.dumps({"reply": "We open at nine. See you.", "intent": "book"})
    shown, given, scene = await over_the_wire(text_chunks(whole[:20], whole[20:]), by_call=False)
    assert len(shown) == 2
    assert (given.reply, given.judged.values) == ("We open at nine. See you.", {"intent": "book"})
    assert "tools" not in scene.bodies[0]
    assert "visitors" in json.dumps(scene.bodies[0]["messages"])


@pytest.fixture
async def built_in() -> AsyncIterator[tuple[LocalModel, Scene]]:
    async with model_server(text_chunks("")) as scene, Guard(allow_loopback=True).client() as client:

        async def endpoint() -> Endpoint:
            return Endpoint(scene.recorder.url, "key")

        yield LocalModel(Engine(client, endpoint, "built-in"), lambda: NOW), scene


def in_pieces(**members: object) -> list[Chunk]:
    whole = json.dumps(members, ensure_ascii=False)
    return text_chunks(*(whole[i : i + 4] for i in range(0, len(whole), 4)))


async def test_the_built_in_model_writes_reply_and_values_at_once(built_in: tuple[LocalModel, Scene]) -> None:
    model, scene = built_in
    scene.answers[:] = [in_pieces(reply="Good morning. How can I help?", intent="other", phone=None, visitors=None)]
    shown, given = await ended(model, "Hello")
    assert shown == ["Good morning. ", "How can I help?"]
    assert given.judged.values == {"intent": "other"}
    grammar = json.dumps(scene.bodies[0]["response_format"])
    assert '"enum": ["book", "cancel", "other"]' in grammar
    assert "final_answer" not in grammar
    assert "- intent (book|cancel|other)" in json.dumps(scene.bodies[0]["messages"])


async def test_the_built_in_model_keeps_what_nobody_said_to_itself(built_in: tuple[LocalModel, Scene]) -> None:
    model, scene = built_in
    made_up = in_pieces(reply="Sure.", intent="book", phone="new customer", visitors=None)
    scene.answers[:] = [made_up, in_pieces(reply="Sure.", intent="book", phone="611 222 333", visitors=7)]
    assert (await ended(model, "I want to come."))[1].judged.values == {"intent": "book"}
    assert (await ended(model, "I want to come."))[1].judged.values == {"intent": "book"}
    said = "I want to come, my number is 611 222 333, we are 7."
    assert (await ended(model, said))[1].judged.values == {"intent": "book", "phone": "611 222 333", "visitors": 7}


async def test_values_that_are_cut_off_leave_the_reply(built_in: tuple[LocalModel, Scene]) -> None:
    model, scene = built_in
    scene.answers[:] = [text_chunks('{"reply": "Sure.", "intent": "bo')]
    _, given = await ended(model, "Hello")
    assert (given.reply, list(given.judged.faults)) == ("Sure.", ["intent"])


@pytest.mark.parametrize("steps", [(Say("You can come."), Give({"intent": "book"}))])
async def test_a_script_gives_values_too(steps: Sequence[Step]) -> None:
    model = ScriptedModel("s", lambda _: steps, FakeClock(NOW))
    shown, given = await ended(model, "Hi")
    assert shown == ["You", " can", " come."]
    assert given.judged.values == {"intent": "book"}
    assert isinstance(given.calls[0], ToolCallPart)
