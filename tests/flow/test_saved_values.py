"""Values that are kept in custom fields: by the assistant, within its rights, exactly once."""

from typing import cast

import pytest
from pydantic_ai.messages import ModelMessage, ToolReturnPart

from frontdesk.core.errors import Json
from tests.flow.harness import Desk, Reply, call
from tests.flow.test_crash_points import MOST_POINTS, Doom, Killed, doom
from tests.flow.test_resume import is_valid
from tests.flow.test_structured_output import answer, outputs, turn
from tests.flow.test_tickets import opened

__all__ = ["doom"]  # the fixture of crash points

FIELDS: dict[str, dict[str, Json]] = {
    "last_intent": {"type": "select", "options": ["book", "cancel"]},
    "guests": {"type": "number"},
    "born": {"type": "date"},
    "wants_call": {"type": "boolean"},
    "summary": {"type": "text"},
    "topics": {"type": "multi-select", "options": ["price", "pain"]},
}


def kept(key: str, kind: str, entity: str = "contact", **more: Json) -> dict[str, Json]:
    """A key that is saved in the custom field of its name."""
    return {"key": key, "type": kind, "save_to": {"entity": entity, "custom_field": key}, **more}


INTENT = kept("last_intent", "string", enum=["book", "cancel", "other"])


async def keep(desk: Desk, *keys: dict[str, Json], entity: str = "contact") -> None:
    for key in keys:
        name = str(key["key"])
        await desk.call("custom-fields", "create", entity=entity, name=name.title(), key=name, **FIELDS[name])
    await desk.configure(additional_json_keys=list(keys))


async def values(desk: Desk, path: str = "contacts", id: int | None = None) -> dict[str, Json]:
    row = (await desk.call(path, "get", id or desk.contact_id)).value
    return cast("dict[str, Json]", row["custom_fields_by_key"])


async def make_deal(desk: Desk, name: str) -> int:
    if not await desk.fetch("SELECT id FROM pipelines"):
        pipeline = await desk.call("pipelines", "create", name="Sales")
        await desk.call("pipeline-stages", "create", name="New", pipeline_id=pipeline.id)
    return cast(int, (await desk.call("deals", "create", name=name, contact_id=desk.contact_id)).id)


async def why_not(desk: Desk) -> str:
    report = cast("list[dict[str, Json]]", (await turn(desk))["structured_output_report"])
    return str(report[0].get("not_saved"))


async def test_each_type_is_kept_in_its_field(desk: Desk) -> None:
    await keep(
        desk, INTENT, kept("guests", "integer"), kept("born", "date"), kept("wants_call", "boolean"),
        kept("summary", "number"), kept("topics", "array"),
    )  # fmt: skip
    given: dict[str, Json] = {"guests": 3, "born": "1990-02-01", "wants_call": True, "summary": 2.5, "topics": ["pain"]}
    await desk.ask("Hi", answer("Sure.", last_intent="book", **given))
    assert await values(desk) == {**given, "last_intent": "book", "summary": "2.5"}
    entry = cast("list[dict[str, Json]]", (await turn(desk))["structured_output_report"])[0]
    assert entry["saved_to"] == {"entity": "contact", "id": desk.contact_id, "custom_field": "last_intent"}


async def test_the_assistant_is_the_author_of_one_change(desk: Desk) -> None:
    await keep(desk, INTENT, kept("guests", "integer"))
    before = (await desk.call("contacts", "get", desk.contact_id)).version
    await desk.ask("Hi", answer("Sure.", last_intent="book", guests=2))
    assert (await desk.call("contacts", "get", desk.contact_id)).version == before + 1
    told = await desk.fetch("SELECT * FROM events WHERE name = 'contacts.updated' ORDER BY id DESC LIMIT 1")
    assert told[0]["row_id"] == desk.contact_id


async def test_a_field_is_found_by_its_display_name(desk: Desk) -> None:
    await keep(desk, INTENT)
    named = {**INTENT, "save_to": {"entity": "contact", "custom_field": "Last_Intent"}}
    await desk.configure(additional_json_keys=[named])
    await desk.ask("Hi", answer("Sure.", last_intent="book"))
    assert await values(desk) == {"last_intent": "book"}


async def test_what_does_not_fit_is_told_and_the_rest_is_kept(desk: Desk) -> None:
    await keep(desk, INTENT, kept("guests", "integer"))
    assert await desk.ask("Hi", answer("Sure.", last_intent="other", guests=2)) == ["Sure."]
    assert await values(desk) == {"guests": 2}
    assert "must be one of book, cancel" in await why_not(desk)
    assert await outputs(desk, "ai_turns") == [{"last_intent": "other", "guests": 2}]


@pytest.mark.parametrize("access", ["none", "read"])
async def test_without_the_right_to_write_nothing_is_kept(desk: Desk, access: str) -> None:
    await keep(desk, INTENT)
    await desk.configure(access_permissions_contact=access)
    assert await desk.ask("Hi", answer("Sure.", last_intent="book")) == ["Sure."]
    assert await values(desk) == {}
    assert await why_not(desk) == "access_permissions_contact is not read_write"


async def test_a_right_that_is_taken_away_meanwhile_counts(desk: Desk) -> None:
    await keep(desk, INTENT)

    async def revoked(_: list[ModelMessage]) -> Reply:
        await desk.configure(access_permissions_contact="read")
        return answer("Sure.", last_intent="book")

    await desk.ask("Hi", revoked)
    assert await values(desk) == {}


async def test_a_field_that_is_gone_is_told(desk: Desk) -> None:
    await keep(desk, INTENT)
    await desk.fetch("UPDATE custom_fields SET deleted_at = now()")
    assert await desk.ask("Hi", answer("Sure.", last_intent="book")) == ["Sure."]
    assert await why_not(desk) == "no custom field of the entity contact is called last_intent"


async def test_of_an_unverified_contact_only_what_this_conversation_made_is_written(desk: Desk) -> None:
    await keep(desk, INTENT)
    await desk.fetch("UPDATE conversations SET is_contact_verified = false")
    assert await desk.ask("Hi", answer("Sure.", last_intent="book")) == ["Sure."]
    assert await values(desk) == {}
    assert await why_not(desk) != "None"


async def test_a_muted_turn_keeps_its_values_too(desk: Desk) -> None:
    await keep(desk, INTENT)
    await desk.configure(disable_reply=True)
    assert await desk.ask("Hi", answer("Sure.", last_intent="book")) == []
    assert await values(desk) == {"last_intent": "book"}


async def test_the_company_and_the_one_open_deal_of_the_contact_are_meant(desk: Desk) -> None:
    await desk.configure(access_permissions_deals="read_write")
    company = (await desk.call("companies", "create", name="Northwind")).id
    await desk.call("contacts", "patch", desk.contact_id, company_id=company)
    deal = await make_deal(desk, "Crown")
    await keep(desk, kept("summary", "string", "company"), entity="company")
    await desk.call("custom-fields", "create", entity="deal", name="Guests", type="number")
    await desk.configure(additional_json_keys=[kept("summary", "string", "company"), kept("guests", "integer", "deal")])
    await desk.ask("Hi", answer("Sure.", summary="Big", guests=2))
    assert await values(desk, "companies", company) == {"summary": "Big"}
    assert await values(desk, "deals", deal) == {"guests": 2}


async def test_which_deal_is_meant_must_be_clear(desk: Desk) -> None:
    await desk.configure(access_permissions_deals="read_write")
    await keep(desk, kept("guests", "integer", "deal"), entity="deal")
    await desk.ask("Hi", answer("Sure.", guests=2))
    assert await why_not(desk) == "the contact has no open deal"
    for name in ("One", "Two"):
        await make_deal(desk, name)
    await desk.ask("Hi", answer("Sure.", guests=2))
    assert await why_not(desk) == "the contact has more than one open deal"


async def test_on_a_ticket_the_ticket_is_meant(desk: Desk) -> None:
    case = await opened(desk)
    await desk.call("custom-fields", "create", entity="ticket", name="Summary")
    keys = [kept("summary", "string", "ticket")]
    data = {"additional_json_keys": keys, "access_permissions_customer_support": "read_write"}
    await desk.call("ai-assistants", "patch", case.helper_id, **data)
    assert await case.ask("It broke.", answer("We look into it.", summary="A crown")) == ["We look into it."]
    assert (await case.now())["custom_fields_by_key"] == {"summary": "A crown"}
    query = {"support_ticket_id": case.ticket_id, "direction": "outbound"}
    page = await desk.door.call(desk.owner, "support-ticket-messages", "find", query=query)
    assert cast("list[dict[str, Json]]", page.value["data"])[0]["structured_output"] == {"summary": "A crown"}


async def test_no_model_is_asked_again_after_the_answer_was_committed(desk: Desk, doom: Doom) -> None:
    await keep(desk, INTENT)
    desk.script.say(answer("Sure.", last_intent="book"))
    await desk.say("Hi")

    async def stop_at_delivery(*_: object) -> None:
        raise Killed

    deliver, desk.flow.delivery.deliver = desk.flow.delivery.deliver, stop_at_delivery  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await desk.settle()
    desk.flow.delivery.deliver = deliver  # type: ignore[method-assign]
    await desk.pass_time(10)
    assert len(desk.script.requests) == 1
    assert (await desk.replies())[-1] == "Sure."
    assert await values(desk) == {"last_intent": "book"}


async def sensible(messages: list[ModelMessage]) -> Reply:
    """A note first, then a wrong answer, then a right one."""
    assert is_valid(messages)
    told = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if not told:
        return call("add_note", text="Wants a visit.")
    is_wrong = told[-1].tool_name == "add_note"
    return answer("Noted.", "a1" if is_wrong else "a2", last_intent="fly" if is_wrong else "book")


async def visit(desk: Desk, doom: Doom, uses: int) -> bool:
    """One conversation whose worker dies after so many uses of the database; others go on."""
    stored = await desk.say("Please note it.", conversation_id=None, ai_assistant_id=desk.assistant_id)
    desk.script.entries = [sensible] * 20
    doom.left = uses
    try:
        await desk.settle()
        survived = doom.left > 0
    except Killed:
        survived = False
    doom.left = None
    for seconds in (10, 10):
        await desk.pass_time(seconds)
    contact = await desk.call("contacts", "get", stored.contact_id)
    at = f"killed after {uses} uses of the database"
    assert contact.value["custom_fields_by_key"] == {"last_intent": "book"}, at
    assert contact.version == 2, at
    assert (await desk.replies())[-1] == "Noted.", at
    assert (await turn(desk))["structured_output"] == {"last_intent": "book"}, at
    return survived


async def test_a_crash_before_any_use_of_the_database_keeps_each_value_once(desk: Desk, doom: Doom) -> None:
    await keep(desk, INTENT)
    points = 0
    while not await visit(desk, doom, points):
        points += 1
        assert points < MOST_POINTS
    assert points > 8
    assert len(await desk.fetch("SELECT id FROM notes")) == points + 1
