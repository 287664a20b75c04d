"""Values beside the reply: one model call, checked, corrected once, stored with the turn, shown to nobody else."""

import json
from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import DeltaToolCall, DeltaToolCalls
from pydantic_core import from_json

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_resume import LEASE, crash, die, is_valid

KEYS: list[Json] = [
    {"key": "intent", "type": "string", "enum": ["book", "cancel", "other"], "required": True},
    {"key": "visitors", "type": "integer"},
]

EARLY: DeltaToolCalls = {
    0: DeltaToolCall("add_note", '{"text": "Called."}', tool_call_id="n"),
    1: DeltaToolCall("final_answer", '{"reply": "Too early", "intent": "other"}', tool_call_id="f"),
}


def answer(reply: str, call_id: str = "a1", **values: Json) -> DeltaToolCalls:
    return call("final_answer", call_id, reply=reply, **values)


@pytest.fixture
async def keyed(desk: Desk) -> Desk:
    """The desk with an assistant that gives an intent with each reply."""
    await desk.configure(additional_json_keys=KEYS)
    return desk


async def turn(desk: Desk) -> dict[str, Json]:
    page = await desk.door.call(desk.owner, "ai-turns", "find", query={"$sort": {"id": -1}, "$limit": 1})
    return cast("list[dict[str, Json]]", page.value["data"])[0]


async def outputs(desk: Desk, table: str) -> list[Json]:
    rows = await desk.fetch(f"SELECT structured_output FROM {table} WHERE structured_output IS NOT NULL ORDER BY id")
    return [json.loads(row[0]) for row in rows]


async def test_one_call_gives_the_reply_and_the_values(keyed: Desk) -> None:
    assert await keyed.ask("I want to come.", answer("When?", intent="book", visitors=2)) == ["When?"]
    assert len(keyed.script.requests) == 1
    told = {"intent": "book", "visitors": 2}
    for table in ("ai_turns", "ai_decisions", "conversation_messages"):
        assert await outputs(keyed, table) == [told]
    report = (await turn(keyed))["structured_output_report"]
    assert report == [{"key": "intent", "status": "given"}, {"key": "visitors", "status": "given"}]


async def test_the_model_must_end_by_the_answer_and_sees_the_keys(keyed: Desk) -> None:
    await keyed.ask("Hello?", answer("Hi.", intent="other"))
    info = keyed.script.infos[-1]
    assert not info.allow_text_output
    schema = info.output_tools[0].parameters_json_schema
    assert list(schema["properties"]) == ["reply", "intent", "visitors"]
    assert schema["required"] == ["reply", "intent"]


async def test_without_keys_nothing_is_asked_for(desk: Desk) -> None:
    await desk.ask("Hello?", "Hi.")
    assert desk.script.infos[-1].output_tools == []
    assert (await turn(desk))["structured_output"] is None


async def test_tools_go_on_working_in_the_same_loop(keyed: Desk) -> None:
    said = await keyed.ask("Note it.", call("add_note", text="Called."), answer("Noted.", intent="other"))
    assert said == ["Noted."]
    assert [row["text"] for row in await keyed.fetch("SELECT text FROM notes")] == ["Called."]


async def test_an_answer_beside_a_tool_call_waits_for_its_result(keyed: Desk) -> None:
    assert await keyed.ask("Note it.", EARLY, answer("Noted.", "a2", intent="other")) == ["Noted."]
    parts = [part for part in keyed.script.requests[-1][-1].parts if isinstance(part, ToolReturnPart)]
    assert [(part.tool_call_id, part.outcome) for part in parts] == [("n", "success"), ("f", "denied")]


async def test_a_wrong_value_is_asked_for_once_more_and_the_reply_stands(keyed: Desk) -> None:
    said = await keyed.ask("Hi", answer("First.", intent="fly"), answer("Second.", "a2", intent="cancel"))
    assert said == ["First."]
    part = keyed.script.requests[-1][-1].parts[-1]
    assert isinstance(part, ToolReturnPart)
    assert "intent must be one of book, cancel, other" in part.model_response_str()
    assert await outputs(keyed, "ai_turns") == [{"intent": "cancel"}]


async def test_wrong_twice_costs_the_value_and_not_the_reply(keyed: Desk) -> None:
    wrong = answer("Sure.", intent="fly", visitors=3), answer("Sure.", "a2", intent="swim")
    assert await keyed.ask("Hi", *wrong) == ["Sure."]
    assert len(keyed.script.requests) == 2
    found = await turn(keyed)
    assert found["structured_output"] == {"visitors": 3}
    assert cast("list[Json]", found["structured_output_report"])[0] == {
        "key": "intent", "status": "invalid", "reason": "intent must be one of book, cancel, other",
    }  # fmt: skip


async def test_a_correction_that_fails_costs_the_value_and_not_the_reply(keyed: Desk) -> None:
    assert await keyed.ask("Hi", answer("Sure."), TimeoutError("too slow")) == ["Sure."]
    assert await keyed.turns() == ["answered", "answered"]
    assert await outputs(keyed, "ai_turns") == [{}]


async def test_a_model_that_writes_text_is_told_how_to_answer(keyed: Desk) -> None:
    assert await keyed.ask("Hi", "Just text.", answer("Else.", intent="other")) == ["Just text."]
    part = keyed.script.requests[-1][-1].parts[-1]
    assert isinstance(part, UserPromptPart)
    assert "intent is required" in part.content
    assert await outputs(keyed, "ai_turns") == [{"intent": "other"}]
    assert await keyed.ask("Hi", "Text.", "Text again.") == ["Text."]


async def test_an_answer_without_a_reply_is_no_answer(keyed: Desk) -> None:
    await keyed.ask("Hi", answer("", intent="other"), answer(" ", "a2", intent="other"))
    assert (await keyed.turns())[-1] == "waiting"


async def test_later_turns_see_the_reply_as_plain_text(keyed: Desk) -> None:
    await keyed.ask("Hi", answer("First.", intent="fly"), answer("First.", "a2", intent="other"))
    await keyed.ask("And?", answer("Second.", intent="other"))
    replies = [message for message in keyed.script.requests[-1] if isinstance(message, ModelResponse)]
    assert not any(isinstance(part, ToolCallPart) for message in replies for part in message.parts)
    assert replies[-1].parts == [TextPart("First.")]


async def test_a_muted_turn_gives_its_values_silently(keyed: Desk) -> None:
    await keyed.configure(disable_reply=True)
    assert await keyed.ask("Cancel it!", answer("Not said.", intent="cancel")) == []
    assert await outputs(keyed, "ai_turns") == await outputs(keyed, "ai_decisions") == [{"intent": "cancel"}]
    assert (await keyed.decisions())[-1] == ("muted", "reply_disabled")
    (ended,) = await keyed.fetch("SELECT data FROM events WHERE name = 'ai-turns.ended' ORDER BY id DESC LIMIT 1")
    assert json.loads(ended[0])["structured_output"] == {"intent": "cancel"}


@pytest.mark.parametrize("first", ["Just text.", answer("Just text.", intent="fly")], ids=["text", "call"])
async def test_killed_in_the_correction_the_turn_goes_on_with_it(keyed: Desk, first: Reply) -> None:
    await crash(keyed, first, die)
    keyed.script.say(answer("Else.", "a2", intent="other"))
    await keyed.pass_time(LEASE)
    assert (await keyed.replies())[-1] == "Just text."
    assert await outputs(keyed, "ai_turns") == [{"intent": "other"}]
    assert is_valid(keyed.script.requests[-1])
    assert "intent" in str(keyed.script.requests[-1][-1].parts[-1])
    assert len(keyed.script.requests) == 3


async def test_killed_beside_a_tool_call_the_answer_still_waits_for_it(keyed: Desk) -> None:
    await crash(keyed, EARLY, die)
    keyed.script.say(answer("Noted.", "a2", intent="other"))
    await keyed.pass_time(LEASE)
    assert (await keyed.replies())[-1] == "Noted."
    assert len(await keyed.fetch("SELECT id FROM notes")) == 1
    assert is_valid(keyed.script.requests[-1])


async def test_only_the_first_part_of_an_answer_carries_the_values(keyed: Desk) -> None:
    await keyed.configure(response_config={"mode": "multi", "delay_seconds": {"min": 0, "max": 0}})
    assert len(await keyed.ask("Hi", answer("One.\n\nTwo.", intent="other"))) == 2
    assert await outputs(keyed, "conversation_messages") == [{"intent": "other"}]


@pytest.fixture
async def drafts(keyed: Desk, database_url: str) -> AsyncIterator[list[str]]:
    told: list[str] = []
    connection = await asyncpg.connect(database_url)

    def note(*arguments: object) -> None:
        event = from_json(str(arguments[3]))
        told.append(str(event.get("text", event["e"])))

    await connection.add_listener("frontdesk_live", note)
    yield told
    await connection.close()


async def test_the_reply_grows_on_the_screen_and_nothing_else_does(keyed: Desk, drafts: list[str]) -> None:
    text = json.dumps({"intent": "book", "reply": 'We open at "nine". 😀 Come in. Bye', "visitors": 2})

    async def slowly(_: list[ModelMessage]) -> DeltaToolCalls:
        await keyed.clock.advance(1)
        return {0: DeltaToolCall("final_answer", text, tool_call_id="a")}

    await keyed.ask("When?", slowly)
    await keyed.fetch("SELECT pg_notify('frontdesk_live', '{\"e\": \"end\"}')")
    shown = [text for text in drafts if text not in ("message", "typing", "end")]
    assert shown == ['We open at "nine". 😀 Come in. ']


@pytest.mark.parametrize("is_keyed", [False, True], ids=["text", "values"])
async def test_a_letter_that_the_server_cut_in_two_is_whole_again(desk: Desk, is_keyed: bool) -> None:
    cut = "Hello \ud83d\ude00. Bye"
    await desk.configure(additional_json_keys=KEYS if is_keyed else [])
    raw = f'{{"reply": "{cut}", "intent": "other"}}'
    said: Reply = {0: DeltaToolCall("final_answer", raw, tool_call_id="a")} if is_keyed else cut
    assert await desk.ask("Hi", said) == ["Hello 😀. Bye"]
