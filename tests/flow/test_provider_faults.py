"""A provider behind HTTP that misbehaves, and what becomes of the turn: shortened, given up in time, withdrawn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic_ai import models
from pydantic_ai.exceptions import ModelContextWindowExceededError, ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, FunctionModel

from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.egress import Guard
from frontdesk.models.clients import Clients
from frontdesk.runtime.giving_up import LINE_STANDS
from frontdesk.runtime.prompt import fixed_line
from tests.flow.fallback_desk import with_fallbacks
from tests.flow.harness import Desk, Reply, Resolved, call
from tests.flow.test_fallback_models import last_turn
from tests.flow.test_resume import is_valid
from tests.models.http_server import Received, Recorder, head, serving
from tests.models.model_server import event, text_chunks

SORRY = fixed_line("ENG")
WRONG_KEY = ModelHTTPError(401, "m")
TOO_LONG = ModelContextWindowExceededError("m", "too long")


@dataclass
class Provider:
    """The desk's model, behind HTTP. Each request is answered by the next of `answers`; the last one repeats."""

    clients: Clients
    server: Recorder
    answers: list[bytes]

    async def resolve(self, config: AssistantConfig) -> Resolved:
        return Resolved(self.clients.model("openai_compatible", "m", f"{self.server.url}/v1", None))

    async def handle(self, _: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def size(self, request: int) -> int:
        return len(json.dumps(json.loads(self.server.requests[request].body)["messages"]))


@pytest.fixture
async def provider(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", True)
    found = Provider(Clients(Guard(allow_loopback=True)), Recorder(), [])
    desk.flow.models = found
    async with serving(found.handle) as found.server:
        yield found
    await found.clients.close()


def streamed(*pieces: str, finish: str = "stop") -> bytes:
    deltas = [event({"choices": [{"index": 0, "delta": delta}]}) for delta in text_chunks(*pieces)]
    end = event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}) + b"data: [DONE]\n\n"
    return b"".join([head(content_type="text/event-stream"), *deltas, end])


def refused(status: int, message: str, **headers: str | int) -> bytes:
    body = json.dumps({"error": {"message": message}}).encode()
    return head(status, content_type="application/json", content_length=len(body), **headers) + body


async def test_half_an_answer_that_a_filter_broke_off_is_not_sent(desk: Desk, provider: Provider) -> None:
    provider.answers = [streamed("You could", " try", finish="content_filter")]
    assert await desk.ask("Hello?") == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", "content_filtered")
    assert len(provider.server.requests) == 1
    assert await desk.fetch("SELECT id FROM ai_turns WHERE draft IS NOT NULL") == []
    provider.answers = [streamed("Here I am.")]
    assert await desk.ask("And now?") == ["Here I am."]


@dataclass
class Stalling:
    """A model that begins an answer and never goes on."""

    desk: Desk
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def resolve(self, config: AssistantConfig) -> Resolved:
        return Resolved(FunctionModel(stream_function=self.stream, model_name="stalling"))

    async def stream(self, _: list[ModelMessage], __: AgentInfo) -> AsyncIterator[str]:
        self.asked += 1
        yield "You could"
        self.begun.set()
        await self.desk.clock.alarm(1e6)
        yield " try."


async def test_a_stream_that_stops_in_the_middle_is_given_up_soon(desk: Desk) -> None:
    desk.flow.models = model = Stalling(desk)
    await desk.say("Hello?")
    running = asyncio.create_task(desk.settle())
    async with asyncio.timeout(20):
        await model.begun.wait()
        while not running.done():  # the second try, too, which comes when its pause is over
            await desk.clock.advance(3)
            await desk.fetch("SELECT 1")
    assert "in the middle of an answer" in (await last_turn(desk))["error"]
    assert (await desk.replies())[1:] == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", "model_timed_out")
    assert model.asked == 2


async def test_a_provider_that_asks_for_ten_minutes_is_not_waited_for(desk: Desk, provider: Provider) -> None:
    provider.answers = [refused(429, "slow down", retry_after=600)]
    assert await desk.ask("Hello?") == [SORRY]
    assert (await desk.decisions())[-1] == ("failed", "rate_limited")
    assert len(provider.server.requests) == 1


async def test_a_history_that_is_too_long_is_shortened_once(desk: Desk, provider: Provider) -> None:
    provider.answers = [streamed("Fine.")]
    for i in range(6):
        await desk.ask(f"{i} {'word ' * 200}")
    provider.answers = [refused(400, "the request exceeds the available context size"), streamed("Here I am.")]
    before = len(provider.server.requests)
    assert await desk.ask("Hello?") == ["Here I am."]
    assert provider.size(before + 1) < 0.75 * provider.size(before)
    assert b"Hello?" in provider.server.requests[-1].body
    (trial,) = (await last_turn(desk))["model_trials"]
    assert (trial["outcome"], trial["reason"]) == ("shortened", "context_too_long")


async def test_a_refusal_in_the_middle_of_a_turn_repeats_no_tool(desk: Desk) -> None:
    note = call("add_note", contact_id=desk.contact_id, text="Called about a visit.")
    assert await desk.ask("Note it.", note, TOO_LONG, "It is noted.") == ["It is noted."]
    assert len(await desk.fetch("SELECT id FROM notes")) == 1
    assert is_valid(desk.script.requests[-1])
    assert len(desk.script.requests) == 3


async def test_a_model_with_more_room_stands_in_for_one_that_is_too_small(desk: Desk) -> None:
    others = await with_fallbacks(desk, 1)
    own, second = others.scripts
    assert await desk.ask("Hello?", TOO_LONG, TOO_LONG) == ["I see."]
    assert others.asked == [own, own, second]


async def test_values_without_a_reply_are_left_to_the_next_model(desk: Desk) -> None:
    others = await with_fallbacks(desk, 1)
    own, second = others.scripts
    await desk.configure(additional_json_keys=[{"key": "intent", "type": "string", "required": True}])
    silent = [call("final_answer", f"a{i}", reply="", intent="greet") for i in range(4)]
    others.scripts[second].say(call("final_answer", "b1", reply="Hello.", intent="greet"))
    desk.script.say(*silent)
    await desk.say("Hello?")
    await desk.settle()
    await desk.pass_time(1)
    assert (await desk.replies())[1:] == ["Hello."]
    assert others.asked[-1] == second
    assert set(others.asked[:-1]) == {own}


async def test_the_line_is_said_once_until_something_else_was_said(desk: Desk) -> None:
    assert await desk.ask("Hello?", WRONG_KEY) == [SORRY]
    assert await desk.ask("Hello??", WRONG_KEY) == []
    said = (await desk.call("ai-decisions", "get", 3)).value
    assert said["sentence"] == (
        "No answer: the provider refuses the key (ModelHTTPError: HTTP 401 from m); the customer had got the fixed line"
        " already."
    )
    assert said["would_change"].startswith("Enter a key that works")
    assert said["sentence_es"].startswith("Sin respuesta: el proveedor rechaza la clave")
    await desk.clock.advance(LINE_STANDS.total_seconds())
    assert await desk.ask("Still there?", WRONG_KEY) == [SORRY]
    assert await desk.ask("And now?", "Here I am.") == ["Here I am."]
    assert await desk.ask("And now?", WRONG_KEY) == [SORRY]


async def test_who_gets_it_from_a_person_or_a_switch_keeps_it(desk: Desk) -> None:
    await desk.ask("Hello?", WRONG_KEY)
    await desk.change(ai_auto_assignment_disabled=True)
    assert await desk.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", "auto_assignment_disabled")
    await desk.change(ai_auto_assignment_disabled=False, assigned_user_id=desk.user_id)
    assert await desk.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", "owner_is_person")


async def test_an_assistant_that_is_gone_is_not_asked_again(desk: Desk) -> None:
    await desk.ask("Hello?", WRONG_KEY)
    await desk.fetch("UPDATE ai_assistants SET deleted_at = now(), version = version + 1 RETURNING id")
    assert await desk.ask("Hello?") == []
    assert (await desk.decisions())[-1] == ("silent", "no_assistant")


async def test_a_turn_that_broke_on_our_side_is_not_begun_again_at_once(desk: Desk) -> None:
    await desk.ask("Hello?", WRONG_KEY)
    await desk.fetch("UPDATE conversations SET owner_reason = 'internal_error' RETURNING id")
    assert await desk.ask("Hello?") == []
    await desk.clock.advance(16 * 60)
    assert await desk.ask("Hello?", "Here I am.") == ["Here I am."]


@pytest.mark.parametrize("in_pause", [False, True], ids=["asking", "in the pause"])
async def test_a_person_who_is_faster_than_the_failure_has_it_without_a_line(desk: Desk, in_pause: bool) -> None:
    async def taken(_: list[ModelMessage]) -> Reply:
        await desk.change(assigned_user_id=desk.user_id)
        return WRONG_KEY

    assert await desk.ask("Hello?", ModelTimeoutError("m", "slow") if in_pause else taken) == []
    if in_pause:
        await desk.change(assigned_user_id=desk.user_id)
        await desk.pass_time(60)
    assert (await desk.replies())[1:] == []
    assert (await desk.turns())[-1] == "person_took_over"
    assert (await desk.conversation())["assigned_user_id"] == desk.user_id


async def test_replies_that_are_switched_off_meanwhile_keep_the_line_back(desk: Desk) -> None:
    async def off(_: list[ModelMessage]) -> Reply:
        await desk.configure(disable_reply=True)
        return WRONG_KEY

    assert await desk.ask("Hello?", off) == []
    assert (await desk.decisions())[-1] == ("failed", "wrong_key")
