"""Once, logged, limited, effects: the rules around every tool, driven by a real loop and a scripted model."""

from collections.abc import Callable

import pytest
from pydantic_ai import Agent
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from structlog.testing import capture_logs

from frontdesk.core.database import Database
from frontdesk.runtime.tooling import LeaseLost, Superseded, ToolDeps, TooManyCalls, unique_call_ids
from tests.tools_world import VISITOR, World, config, make_world

Script = Callable[[int], ModelResponse]


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


def calls(*parts: tuple[str, object, str]) -> ModelResponse:
    return ModelResponse([ToolCallPart(name, arguments, tool_call_id=i) for name, arguments, i in parts])  # type: ignore[arg-type]


async def run(world: World, script: Script) -> tuple[str, list[ToolReturnPart]]:
    """Answer and tool results of a whole loop; `script` gives the response of each step."""
    steps = 0

    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        nonlocal steps
        steps += 1
        return script(steps)

    agent = Agent(FunctionModel(respond), deps_type=ToolDeps, toolsets=[world.toolset])
    result = await agent.run("hello", deps=world.deps)
    parts = [part for message in result.all_messages() for part in message.parts]
    return result.output, [part for part in parts if isinstance(part, ToolReturnPart)]


def then_done(first: ModelResponse) -> Script:
    return lambda step: first if step == 1 else ModelResponse([TextPart("done")])


async def test_a_loop_reads_and_changes_real_rows(world: World) -> None:
    first = calls(("get_contact", {}, "a"), ("update_contact", {"phone": "5557777"}, "b"))
    answer, returns = await run(world, then_done(first))
    assert answer == "done"
    assert [part.outcome for part in returns] == ["success", "success"]
    assert returns[1].content == {"id": VISITOR, "first_name": "Visitor", "phone": "5557777"}
    assert [(r.call_id, r.tool_name, r.status, r.is_change) for r in world.turn.records] == [
        ("a", "get_contact", "done", False), ("b", "update_contact", "done", True),
    ]  # fmt: skip


@pytest.mark.parametrize("arguments", ['{"text": ', "[1]", '"x"', "7", '{"text": NaN}'])
async def test_arguments_that_are_no_object_are_told_and_logged(world: World, arguments: str) -> None:
    _, [part] = await run(world, then_done(calls(("add_note", arguments, "a"))))
    assert (part.content, part.outcome) == (
        "add_note takes its arguments as one JSON object.", "failed",
    )  # fmt: skip
    assert world.turn.records[0].status == "failed"


async def test_a_call_that_is_done_answers_with_its_stored_result(world: World) -> None:
    first = calls(("add_note", {"text": "once"}, "a"))
    await run(world, then_done(first))
    _, [part] = await run(world, then_done(first))
    assert isinstance(part.content, dict)
    assert part.content["text"] == "once"
    assert len(await world.rows("SELECT * FROM notes WHERE text = 'once'")) == 1


async def test_a_failure_is_remembered_too(world: World) -> None:
    first = calls(("update_note", {"note_id": 1, "text": "x"}, "a"))
    _, [before] = await run(world, then_done(first))
    _, [after] = await run(world, then_done(first))
    assert (before.content, before.outcome) == (after.content, after.outcome)
    assert len(world.turn.records) == 1


@pytest.mark.parametrize("crash", [LeaseLost(), KeyError("gone")])
async def test_effect_and_step_row_are_one_transaction(world: World, crash: Exception) -> None:
    world.turn.breaks = crash
    with pytest.raises(type(crash)):
        await run(world, then_done(calls(("add_note", {"text": "half"}, "a"))))
    assert await world.rows("SELECT * FROM notes WHERE text = 'half'") == []


async def test_a_superseded_turn_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def superseded(_: object) -> None:
        raise Superseded

    monkeypatch.setattr(world.turn, "start_effects", superseded)
    with pytest.raises(Superseded):
        await run(world, then_done(calls(("add_note", {"text": "half"}, "a"))))
    assert await world.rows("SELECT * FROM notes WHERE text = 'half'") == []
    assert world.turn.records == []


async def test_a_broken_tool_is_recorded_and_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(deps: ToolDeps, *_: object, **__: object) -> None:
        assert deps.connection is not None
        await deps.connection.execute("UPDATE contacts SET first_name = 'half'")
        await deps.connection.execute("SELECT 1 / 0")

    monkeypatch.setattr(ToolDeps, "call", broken)
    with capture_logs() as logs:
        _, [part] = await run(world, then_done(calls(("update_contact", {"phone": "5551"}, "a"))))
    assert [(entry["event"], entry["tool"]) for entry in logs] == [("tool failed", "update_contact")]
    assert str(part.content).startswith("The tool failed on our side.")
    assert world.turn.records[0].status == "failed"
    assert await world.rows("SELECT * FROM contacts WHERE first_name = 'half'") == []


async def test_the_same_call_is_made_three_times_at_most(world: World) -> None:
    def script(step: int) -> ModelResponse:
        return calls(("search_products", {}, f"c{step}")) if step < 5 else ModelResponse([TextPart("here")])

    answer, returns = await run(world, script)
    assert answer == "here"
    assert [part.outcome for part in returns] == ["success", "success", "success", "failed"]
    assert returns[3].content == (
        "This very call was made 3 times already. Answer the customer now with what you know, without tools."
    )


async def test_calls_side_by_side_keep_the_limit_of_a_turn(world: World) -> None:
    many = [("find_contact", {"search": str(i)}, f"c{i}") for i in range(25)]
    _, returns = await run(world, then_done(calls(*many)))
    assert [part.outcome for part in returns].count("success") == 20
    assert "All 20 tool calls of this turn are used." in str(returns[-1].content)
    assert [r.status for r in world.turn.records].count("refused") == 5


async def test_calls_before_a_crash_count(world: World) -> None:
    world.turn.calls["earlier"] = 20
    _, [part] = await run(world, then_done(calls(("search_products", {}, "a"))))
    assert part.outcome == "failed"


async def test_a_model_that_never_stops_is_stopped(world: World) -> None:
    with pytest.raises(TooManyCalls):
        await run(world, lambda step: calls(("search_products", {}, f"c{step}")))
    assert [r.status for r in world.turn.records] == ["done"] * 3 + ["refused"] * 4


async def test_a_tool_cannot_be_called_around_its_wrappers(world: World) -> None:
    with pytest.raises(RuntimeError):
        await world.deps.call("contacts", "find")


async def test_an_intent_without_a_result_is_not_repeated(world: World) -> None:
    await run(world, then_done(calls(("add_note", {"text": "once"}, "a"))))
    record = world.turn.records[0]
    world.turn.records[0] = type(record)("a", "add_note", {}, "intent", None, True, 0)
    tools = await world.toolset.get_tools(world.context())
    with pytest.raises(ToolFailed, match="outcome of this call is unknown"):
        await world.toolset.call_tool("add_note", {"text": "once"}, world.context("a"), tools["add_note"])
    assert len(await world.rows("SELECT * FROM notes WHERE text = 'once'")) == 1


async def test_what_a_database_cannot_store_is_replaced_in_the_log(world: World) -> None:
    await world.use("find_contact", search="a\x00b\ud83d")
    assert world.turn.records[0].arguments == {"search": "a\ufffdb\ufffd"}


async def test_nothing_is_offered_that_the_turn_did_not_start_with(world: World) -> None:
    world.configure(config({"get_contact": True}), config())
    assert await world.offered() == {"get_contact"}
    assert str(await world.use("search_products")).startswith("search_products was not called")


def test_call_ids_that_a_server_gives_twice_are_told_apart() -> None:
    given = calls(("a", {}, "call_0"), ("b", {}, "call_1"), ("c", {}, "call_1"))
    found = unique_call_ids(given, {"call_0", "call_1"})
    assert [part.tool_call_id for part in found.tool_calls] == ["call_0_2", "call_1_2", "call_1_3"]
    assert unique_call_ids(found, {"call_0"}) == found
