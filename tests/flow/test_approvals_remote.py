"""Approved calls to other systems: once at most, to the address that was approved, and with no transaction open."""

import json
from collections.abc import AsyncIterator

import pytest
from starlette.responses import JSONResponse

from frontdesk.core.egress import Guard
from frontdesk.core.errors import Conflict, Json
from frontdesk.runtime import held_turn
from tests.flow.harness import Desk, call
from tests.flow.test_approvals import LINE, decide, note, states
from tests.flow.test_resume import LEASE, Killed
from tests.flow.test_revocations import last_result
from tests.webhook_receiver import Receiver, receiving

ORDER = call("api_place_order", article="lamp", password="hunter2")
STATUS = call("api_place_order")


@pytest.fixture
async def shop() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        receiver.answers = [JSONResponse({"id": 1}, 201)]
        yield receiver


async def offer(desk: Desk, shop: Receiver, method: str = "POST", **members: Json) -> int:
    """An API tool whose calls a person has to approve."""
    desk.door.guard = Guard.of(["127.0.0.1"])
    body: dict[str, Json] = {
        "name": "Place order", "description": "Orders.", "method": method, "endpoint": f"{shop.url}/orders",
        "body_parameters": [{"name": "article"}, {"name": "password"}] if method == "POST" else [],
    }  # fmt: skip
    made = (await desk.call("api-tools", "create", **(body | members))).value
    await desk.configure(api_tools=[{"api_tool_id": made["id"], "approval": "always"}])
    return int(str(made["id"]))


async def steps(desk: Desk) -> list[str]:
    return [row[0] for row in await desk.fetch("SELECT status FROM ai_turn_steps WHERE kind = 'tool' ORDER BY id")]


async def test_an_approved_change_goes_out_once(desk: Desk, shop: Receiver) -> None:
    await offer(desk, shop)
    assert await desk.ask("One lamp.", ORDER) == [LINE]
    assert shop.got == []
    (shown,) = await desk.fetch("SELECT arguments FROM ai_approvals")
    assert json.loads(shown[0]) == {"article": "lamp", "password": "••••"}
    desk.script.say("Ordered.")
    await decide(desk)
    await desk.settle()
    assert (len(shop.got), await steps(desk), await states(desk)) == (1, ["done"], [("used", None)])


async def test_an_intent_without_an_outcome_is_not_repeated_though_approved(
    desk: Desk, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await offer(desk, shop)
    await desk.ask("One lamp.", ORDER)
    await decide(desk)

    async def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(held_turn.HeldTurn, "record_outcome", killed)
        with pytest.raises(Killed):
            await desk.settle()
    desk.script.say("A person will check.")
    await desk.pass_time(LEASE)
    assert (len(shop.got), set(await steps(desk)), await states(desk)) == (1, {"unknown"}, [("used", None)])


async def test_a_read_that_died_on_the_way_is_made_again_under_its_approval(desk: Desk, shop: Receiver) -> None:
    await offer(desk, shop, "GET")
    await desk.ask("Where is it?", STATUS)
    await decide(desk)
    await desk.fetch("UPDATE ai_approvals SET status = 'used'")  # and the worker was gone before the answer came
    desk.script.say("On its way.")
    await desk.settle()
    assert (len(shop.got), await steps(desk), await states(desk)) == (1, ["done"], [("used", None)])


async def test_what_was_approved_for_one_address_is_not_called_at_another(desk: Desk, shop: Receiver) -> None:
    id = await offer(desk, shop)
    await desk.ask("One lamp.", ORDER)
    await decide(desk)
    await desk.call("api-tools", "patch", id, endpoint=f"{shop.url}/elsewhere")
    assert await states(desk) == [("void", "tool_changed")]
    desk.script.say("Not ordered.")
    await desk.settle()
    assert (shop.got, (await desk.replies())[-1]) == ([], "Not ordered.")
    assert "the tool was changed" in last_result(desk)


@pytest.mark.parametrize("change", ["patch", "remove"])
async def test_a_changed_tool_voids_the_question_at_once_and_the_turn_goes_on(
    desk: Desk, shop: Receiver, change: str
) -> None:
    id = await offer(desk, shop)
    await desk.ask("One lamp.", ORDER)
    await desk.call("api-tools", change, id, **({"timeout_seconds": 5} if change == "patch" else {}))
    assert await states(desk) == [("void", "tool_changed")]
    with pytest.raises(Conflict, match=r"nothing to decide any more\. It came to nothing: the tool was changed"):
        await desk.call("ai-approvals", "patch", 1, status="approved")
    desk.script.say("Not ordered.")
    await desk.settle()
    assert (shop.got, (await desk.replies())[-1]) == ([], "Not ordered.")


async def test_another_tools_change_leaves_the_question(desk: Desk, shop: Receiver) -> None:
    await offer(desk, shop)
    other = (await desk.call("api-tools", "create", name="Other", description="O.", method="GET",
                             endpoint=shop.url)).value  # fmt: skip
    await desk.ask("One lamp.", ORDER)
    await desk.call("api-tools", "patch", int(str(other["id"])), timeout_seconds=5)
    await desk.settle()
    assert await states(desk) == [("pending", None)]


async def test_of_two_calls_that_wait_the_other_question_stays(desk: Desk, shop: Receiver) -> None:
    id = await offer(desk, shop)
    tools = {"add_note": {"enabled": True, "approval": "always"}}
    await desk.configure(internal_tools={"tools": tools})
    await desk.ask("One lamp, and note it.", {**ORDER, 1: note()[0]})
    await desk.call("api-tools", "patch", id, timeout_seconds=5)
    await desk.settle()
    assert await states(desk) == [("void", "tool_changed"), ("pending", None)]
    desk.script.say("Noted, not ordered.")
    await decide(desk)
    await desk.settle()
    assert (shop.got, [state for state, _ in await states(desk)]) == ([], ["void", "used"])


async def test_a_tool_that_is_deleted_meanwhile_is_not_called(desk: Desk, shop: Receiver) -> None:
    id = await offer(desk, shop)
    await desk.ask("One lamp.", ORDER)
    await decide(desk)
    await desk.call("api-tools", "remove", id)
    desk.script.say("Not ordered.")
    await desk.settle()
    assert (shop.got, (await desk.replies())[-1]) == ([], "Not ordered.")
    assert (await states(desk))[0][0] == "void"
