"""New conversations: whose they are, and what organizations see of each other."""

import pytest

from frontdesk.core.errors import BadRequest, NotFound
from frontdesk.reception import receive
from tests.flow.harness import Desk


async def channel(desk: Desk, assistant_id: int | None) -> int:
    row = await desk.call("inbox-channels", "create", channel="webchat", name="Site", ai_assistant_id=assistant_id)
    return int(str(row.value["id"]))


async def test_a_new_conversation_goes_to_its_channels_assistant(desk: Desk) -> None:
    desk.channel = "webchat"
    inbox = await channel(desk, desk.assistant_id)
    desk.script.say("Welcome.")
    stored = await desk.say("Hi", conversation_id=None, inbox_channel_id=inbox)
    await desk.settle()
    talk = (await desk.call("conversations", "get", stored.conversation_id)).value
    assert talk["assigned_ai_assistant_id"] == desk.assistant_id
    assert (await desk.replies())[1:] == ["Welcome."]


async def test_without_an_assistant_on_the_channel_nobody_answers(desk: Desk) -> None:
    desk.channel = "webchat"
    inbox = await channel(desk, None)
    await desk.say("Hi", conversation_id=None, inbox_channel_id=inbox)
    await desk.settle()
    assert (await desk.decisions())[-1] == ("silent", "no_assistant")
    await desk.call("inbox-channels", "patch", inbox, ai_assistant_id=desk.assistant_id)
    conversation = (await desk.fetch("SELECT max(id) FROM conversations"))[0][0]
    desk.script.say("Now I am here.")
    await desk.say("Hello?", conversation_id=conversation, inbox_channel_id=inbox)
    await desk.settle()
    assert (await desk.replies())[1:] == ["Now I am here."]


async def test_a_message_for_a_conversation_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.say("Hi", conversation_id=999)
    desk.channel = "webchat"
    with pytest.raises(BadRequest):
        await desk.say("Hi")


async def test_an_inbound_joins_the_callers_transaction(desk: Desk) -> None:
    async def refuse() -> None:
        async with desk.database.transaction(desk.organization_id) as connection:
            await receive(desk.door, desk.inbound("Hi"), connection)
            raise BadRequest("no")

    with pytest.raises(BadRequest):
        await refuse()
    assert len(await desk.decisions()) == 1
    async with desk.database.transaction(desk.organization_id) as connection:
        first = await receive(desk.door, desk.inbound("Hi", "same"), connection)
        again = await receive(desk.door, desk.inbound("Hi", "same"), connection)
    assert (first.is_new, again.is_new, again.id) == (True, False, first.id)


async def test_positions_have_no_gaps(desk: Desk) -> None:
    for text in ("one", "two", "three"):
        await desk.ask(text)
    rows = await desk.fetch("SELECT position FROM conversation_messages ORDER BY id")
    assert [row[0] for row in rows] == [*range(1, 9)]
