"""Scope `own` on activities, tags and custom values: what a customer's conversation reaches of its own contact."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.errors import BadRequest, Forbidden, Invalid, NotFound
from tests.world import OURS, World


@dataclass
class Desk:
    """A customer, somebody else, and the conversation in which the customer writes."""

    world: World
    mine: int
    other: int
    conversation: int

    def caller(self, *, is_verified: bool = True) -> Caller:
        scope = Scope(self.conversation, self.mine, is_verified)
        return Caller(OURS, None, Role.member, 7, scope, "tool", conversation_id=self.conversation)

    async def call(self, path: str, verb: str, *, is_verified: bool = True, **given: object) -> dict[str, object]:
        caller = self.caller(is_verified=is_verified)
        return dict((await self.world.door.call(caller, path, verb, **given)).value)  # type: ignore[arg-type]


@pytest.fixture
async def desk(world: World) -> Desk:
    mine, other = await world.row("contacts"), await world.row("contacts")
    conversation = await world.row("conversations", contact_id=mine)
    return Desk(world, mine, other, conversation)


def ids(page: dict[str, object]) -> list[int]:
    return [row["id"] for row in page["data"]]  # type: ignore[attr-defined]


async def test_a_customer_reaches_their_activities_and_no_others(desk: Desk) -> None:
    mine = await desk.world.row("activities", contact_id=desk.mine)
    other = await desk.world.row("activities", contact_id=desk.other)
    assert ids(await desk.call("activities", "find")) == [mine]
    assert ids(await desk.call("activities", "find", is_verified=False)) == []
    for verb in ("get", "patch", "remove"):
        with pytest.raises(NotFound):
            await desk.call("activities", verb, id=other, data={})


async def test_what_the_staff_noted_on_an_activity_is_not_shown(desk: Desk) -> None:
    mine = await desk.world.row("activities", contact_id=desk.mine, note="pays late")
    shown = [
        await desk.call("activities", "get", id=mine),
        (await desk.call("activities", "find"))["data"][0],  # type: ignore[index]
        await desk.call("activities", "patch", id=mine, data={"done": True}),
    ]
    for row in shown:
        assert "note" not in row
        assert row["contact"]["id"] == desk.mine
    for query in ({"$select": ["note"]}, {"note": "pays late"}, {"$or": [{"note": "x"}]}, {"$sort": {"note": 1}}):
        with pytest.raises(BadRequest, match="Unknown field 'note'"):
            await desk.call("activities", "find", query=query)


async def test_an_activity_made_here_is_with_the_customer(desk: Desk) -> None:
    data = {"subject": "Call me", "activity_type": "call", "start_date": "2026-03-02", "note": "said so in the chat"}
    made = await desk.call("activities", "create", data=data)
    assert (made["contact_id"], made["assigned_to_user_id"]) == (desk.mine, None)
    assert "note" not in made
    with pytest.raises(Invalid):
        await desk.call("activities", "create", data={**data, "contact_id": desk.other})


async def test_the_staffs_tags_are_neither_shown_nor_given(desk: Desk) -> None:
    tag = await desk.world.row("tags", name="late payer")
    await desk.world.row("contact-tags", contact_id=desk.mine, tag_id=tag)
    assert "tags" not in await desk.call("contacts", "get", id=desk.mine)
    with pytest.raises(Invalid, match="validation failed"):
        await desk.call("contacts", "patch", id=desk.mine, data={"tag_ids": []})
    for path in ("tags", "contact-tags", "teams", "team-members"):
        with pytest.raises(Forbidden):
            await desk.call(path, "find")


async def test_custom_values_are_filled_in_on_the_customers_own_contact(desk: Desk) -> None:
    await desk.world.row("custom-fields", name="Budget", key="budget", type="number", is_required=True)
    assert (await desk.call("custom-fields", "find"))["total"] == 1
    values = {"custom_fields_by_name": {"Budget": 5}}
    changed = await desk.call("contacts", "patch", id=desk.mine, data=values)
    assert changed["custom_fields_by_key"] == {"budget": 5}
    for path, verb in (("contacts", "patch"), ("custom-fields", "patch")):
        with pytest.raises((NotFound, Forbidden)):
            await desk.call(path, verb, id=desk.other, data=values if path == "contacts" else {})
    made = await desk.call("contacts", "create", data={"first_name": "Bea"})
    assert made["custom_fields_by_name"] == {}


async def test_a_note_on_a_deal_is_for_the_staff(desk: Desk) -> None:
    deal = await desk.world.row("deals", contact_id=desk.mine)
    await desk.world.row("notes", contact_id=None, deal_id=deal, is_internal=False)
    assert ids(await desk.call("notes", "find")) == []
    with pytest.raises(Invalid):
        await desk.call("notes", "create", data={"text": "x", "deal_id": deal})
