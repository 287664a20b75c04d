"""The tools of messaging and deals, on real rows: what they send, to whom, and what they never show."""

from decimal import Decimal
from typing import cast

import pytest

from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from tests.tools_world import ANA, BOB, HERE, VISITOR, World, config, make_world

BOBS, OTHER = 11, 12  # conversations: Bob's on WhatsApp, and another one of the visitor
WIDE = {"enabled": True, "scope": "organization"}
SENT = """
    SELECT m.conversation_id, m.message_text, m.message_type, m.sender, m.created_by_ai_assistant_id, m.status
    FROM conversation_messages m WHERE m.position > 2 ORDER BY m.id
"""


@pytest.fixture
async def world(database: Database) -> World:
    return await make_world(database)


def wide(world: World, *names: str) -> None:
    world.configure(config(dict.fromkeys(names, WIDE)))


async def test_a_message_to_somebody_else_is_the_assistants_own_and_takes_nothing_over(world: World) -> None:
    wide(world, "send_conversation_message")
    await world.use("send_conversation_message", conversation_id=BOBS, message_text="Fresh bread!")
    assert await world.rows(SENT) == [
        {"conversation_id": BOBS, "message_text": "Fresh bread!", "message_type": "text", "sender": "assistant",
         "created_by_ai_assistant_id": 7, "status": "pending"},
    ]  # fmt: skip
    [part] = await world.rows("SELECT conversation_id, status FROM outbox")
    assert part == {"conversation_id": BOBS, "status": "pending"}
    [talk] = await world.rows(f"SELECT assigned_user_id, epoch FROM conversations WHERE id = {BOBS}")
    assert talk == {"assigned_user_id": None, "epoch": 1}


@pytest.mark.parametrize("name", ["send_conversation_message", "send_whatsapp_template"])
async def test_the_reply_to_this_conversation_is_no_tool(world: World, name: str) -> None:
    arguments: dict[str, Json] = {"message_text": "Hi"} if name.endswith("message") else {"template_id": 1}
    said = await world.use(name, conversation_id=HERE, **arguments)
    assert said == "This is the conversation that you are in: write your reply instead, it is sent there."
    assert await world.rows(SENT) == []


async def test_a_customer_reaches_only_conversations_of_their_own(world: World) -> None:
    assert "no such record" in str(await world.use("get_conversation", conversation_id=BOBS))
    assert "no such record" in str(await world.use("get_conversation", conversation_id=OTHER))
    world.talks_to(VISITOR, is_verified=True)
    mine = await world.use("get_conversation", conversation_id=OTHER)
    assert isinstance(mine, dict)
    assert mine["id"] == OTHER
    found = await world.use("find_conversations")
    assert sorted(cast(int, one["id"]) for one in rows(found)) == [HERE, OTHER]


async def test_internal_notes_are_not_for_the_customer_and_are_for_the_team(world: World) -> None:
    assert texts(await world.use("get_conversation", conversation_id=HERE)) == ["Do you have bread?"]
    wide(world, "get_conversation")
    assert texts(await world.use("get_conversation", conversation_id=HERE)) == [
        "Do you have bread?",
        "Handle with care",
    ]


async def test_a_customer_has_no_number_written_to(world: World) -> None:
    said = await world.use("initiate_whatsapp_conversation", phone="+34600111222", template_id=1, values={"1": "Eva"})
    assert said == "Nothing was done: phone cannot be set in this conversation."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [(None, "1"), ({}, "1"), ({"2": "Bob"}, "1"), ({"1": "Bob", "2": "Eva"}, "2")],
    ids=["none", "empty", "wrong", "too many"],
)
async def test_values_that_do_not_fit_the_template_are_named(world: World, values: Json, sentence: str) -> None:
    wide(world, "send_whatsapp_template")
    said = str(await world.use("send_whatsapp_template", conversation_id=BOBS, template_id=1, values=values))
    assert said.startswith(("Nothing was done: template_values", "send_whatsapp_template was not called: values"))
    assert sentence in said
    assert await world.rows(SENT) == []


async def test_lines_of_a_deal_are_exact_and_all_or_none(world: World) -> None:
    line: dict[str, Json] = {"product_id": 1, "quantity": 3, "price": 19.99, "discount_type": "percentage",
                             "discount_percentage": 10, "tax_percentage": 7}  # fmt: skip
    made = await world.use("add_deal_products", deal_id=1, lines=[line])
    [shown] = rows(made)
    assert (shown["total_amount_without_tax"], shown["total_amount_with_tax"]) == ("53.97", "57.75")
    wrong = await world.use("add_deal_products", deal_id=1, lines=[line, {**line, "product_id": 99}])
    assert "product_id" in str(wrong)
    [count] = await world.rows("SELECT count(*) AS n, sum(total_amount_with_tax) AS total FROM deal_products")
    assert count == {"n": 1, "total": Decimal("57.75")}


async def test_a_deal_of_the_customer_is_opened_in_the_customers_name(world: World) -> None:
    deal = await world.use("create_deal", name="Crown", amount=1234.5, expected_close_date="2026-02-01")
    assert isinstance(deal, dict)
    assert (deal["amount"], deal["contact_id"], deal["currency"]) == ("1234.50", VISITOR, "USD")
    refused = str(await world.use("create_deal", name="Crown", contact_id=ANA))
    assert "contact_id" in refused
    assert "no such record" in str(await world.use("update_deal", deal_id=2, status="won"))


async def test_an_activity_with_a_wrong_type_or_time_is_told_so(world: World) -> None:
    day: dict[str, Json] = {"subject": "Call", "start_date": "2026-01-07"}
    unknown = str(await world.use("create_activity", **day, activity_type="seance"))
    assert unknown.startswith("Nothing was done: activity_type")
    wrong = str(await world.use("create_activity", **day, activity_type="call", start_time="25:00"))
    assert wrong.startswith("create_activity was not called: start_time")


async def test_custom_values_are_written_by_name(world: World) -> None:
    contact = await world.use("update_contact", custom_fields={"Shoe size": 43.5})
    assert isinstance(contact, dict)
    assert contact["custom_fields_by_name"] == {"Shoe size": 43.5}
    unknown = str(await world.use("update_contact", custom_fields={"Hat size": 7}))
    assert unknown.startswith("Nothing was done: custom_fields_by_name.Hat size")
    assert await world.use("get_custom_fields", entity="contact") == {
        "total": 1,
        "data": [{"key": "shoe_size", "name": "Shoe size", "type": "number", "is_required": False}],
    }


async def test_pipelines_come_with_their_stages_in_order(world: World) -> None:
    assert await world.use("get_pipelines") == {
        "total": 1,
        "data": [{"id": 1, "name": "Sales", "stages": [{"id": 1, "name": "New"}, {"id": 2, "name": "Offer"}]}],
    }


async def test_bobs_activities_are_not_the_visitors(world: World) -> None:
    mine = await world.use("get_activities")
    assert [one["subject"] for one in rows(mine)] == ["Call the visitor"]
    assert rows(await world.use("get_activities", contact_id=BOB)) == []


def rows(result: Json) -> list[dict[str, Json]]:
    assert isinstance(result, dict), result
    return cast("list[dict[str, Json]]", result["data"])


def texts(conversation: Json) -> list[Json]:
    assert isinstance(conversation, dict), conversation
    return [one["message_text"] for one in cast("list[dict[str, Json]]", conversation["messages"])]
