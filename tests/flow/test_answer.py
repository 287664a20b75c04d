"""A message in, an answer out, with tools on the way."""

from pydantic_ai.messages import ToolReturnPart

from tests.flow.harness import Desk, call


async def test_a_message_is_answered_once(desk: Desk) -> None:
    assert await desk.ask("When do you open?", "We open at nine.") == ["We open at nine."]
    assert await desk.decisions() == [("answered", "answered")] * 2


async def test_a_tool_changes_a_real_row(desk: Desk) -> None:
    asked = await desk.ask(
        "My number is 5550009 now.",
        call("find_contact", search="Luis"),
        call("update_contact", contact_id=desk.contact_id, phone="5550009"),
        "Your number is changed.",
    )
    assert asked == ["Your number is changed."]
    contact = (await desk.call("contacts", "get", desk.contact_id)).value
    assert (contact["phone"], contact["created_by_ai_assistant_id"]) == ("5550009", None)
    returned = [part for part in desk.script.requests[-1][-1].parts if isinstance(part, ToolReturnPart)]
    assert "5550009" in returned[0].model_response_str()
