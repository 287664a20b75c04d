"""Configuration that changes while a turn runs, and what a stranger can reach."""

from pydantic_ai.messages import ModelMessage, ToolReturnPart

from tests.flow.harness import Desk, Reply, call


def last_result(desk: Desk) -> str:
    parts = desk.script.requests[-1][-1].parts
    return " ".join(part.model_response_str() for part in parts if isinstance(part, ToolReturnPart))


async def test_a_tool_that_is_switched_off_in_the_middle_of_a_turn_does_not_run(desk: Desk) -> None:
    async def change(_: list[ModelMessage]) -> Reply:
        await desk.configure(internal_tools={"tools": {"find_contact": True}})
        return call("update_contact", contact_id=desk.contact_id, phone="5550009")

    assert await desk.ask("My number is 5550009.", change, "I cannot change it.") == ["I cannot change it."]
    assert (await desk.call("contacts", "get", desk.contact_id)).value["phone"] == "5550001"
    step = (await desk.fetch("SELECT status, result FROM ai_turn_steps WHERE kind = 'tool'"))[0]
    assert step["status"] == "refused"
    assert "switched off" in step["result"]


async def test_replies_switched_off_in_the_middle_of_a_turn_are_not_sent(desk: Desk) -> None:
    async def change(_: list[ModelMessage]) -> Reply:
        await desk.configure(disable_reply=True)
        return "Never sent."

    assert await desk.ask("Hello?", change) == []
    assert (await desk.decisions())[-1] == ("muted", "reply_disabled")
    assert [row["status"] for row in await desk.fetch("SELECT status FROM outbox ORDER BY id")][1:] == ["withdrawn"]


async def test_a_contact_blocked_in_the_middle_of_a_turn_gets_nothing(desk: Desk) -> None:
    async def change(_: list[ModelMessage]) -> Reply:
        await desk.change(blocked=True)
        return "Never sent."

    assert await desk.ask("Hello?", change) == []
    assert (await desk.decisions())[-1] == ("silent", "contact_blocked")


async def test_a_stranger_does_not_reach_another_contact(desk: Desk) -> None:
    await desk.say("Hi", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.say(call("find_contact", search="Ana Torres"), "I cannot tell you that.")
    await desk.settle()
    assert (await desk.replies())[1:] == ["I cannot tell you that."]
    assert '"total": 0' in last_result(desk) or '"total":0' in last_result(desk)
    assert "5550002" not in str(desk.script.requests[-1])


async def test_a_stranger_cannot_change_another_contact(desk: Desk) -> None:
    await desk.say("Hi", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.say(call("update_contact", contact_id=desk.contact_id, phone="666"), "That did not work.")
    await desk.settle()
    assert (await desk.call("contacts", "get", desk.contact_id)).value["phone"] == "5550001"


async def test_a_stranger_changes_the_own_contact(desk: Desk) -> None:
    stored = await desk.say("I am Eva", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.say(call("update_contact", first_name="Eva"), "Hello Eva.")
    await desk.settle()
    assert (await desk.call("contacts", "get", stored.contact_id)).value["first_name"] == "Eva"
