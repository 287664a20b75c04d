"""`can_send_images`: images go with the answer, once, from where they may come, and are withdrawn with it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage

from frontdesk.core.errors import Json, Unavailable, Unprocessable
from frontdesk.flow import Flow
from frontdesk.tools.failures import OUT_OF_REACH
from tests.flow.connected import Line, connect
from tests.flow.harness import Desk, Reply, call
from tests.flow.pictures import keep_files, png, upload
from tests.flow.test_tickets import opened

ADDRESS = "https://cdn.example.com/cleaning.jpg"


@dataclass
class Shop:
    """A WhatsApp line of a shop that has one product with a picture of its own and one elsewhere."""

    desk: Desk
    line: Line
    product: dict[str, Json]
    own: dict[str, Json]
    elsewhere: dict[str, Json]

    async def sent(self) -> list[tuple[str, str, str | None]]:
        """Type, words and address of what the customer got since the last look."""
        found = [(part.message_type, part.text, part.media.url) for part in self.line.fake.accepted]
        self.line.fake.accepted.clear()
        return found

    async def step(self) -> tuple[str, Any]:
        rows = await self.desk.fetch(
            "SELECT status, result::text AS result FROM ai_turn_steps WHERE tool_name = 'send_image' ORDER BY id DESC"
        )
        return rows[0]["status"], json.loads(rows[0]["result"])

    async def parts(self) -> list[tuple[str, str, str | None]]:
        rows = await self.desk.fetch("SELECT payload ->> 'kind', status, reason FROM outbox ORDER BY id")
        return [(row[0], row[1], row[2]) for row in rows[1:]]  # the first is of the desk's beginning


@pytest.fixture
async def shop(desk: Desk, tmp_path: Path) -> Shop:
    keep_files(desk, tmp_path)
    product = (await desk.call("products", "create", name="Cleaning", price=50)).value
    key = await upload(desk, png(), "cleaning.png", "product-media")
    own = (await desk.call("product-media", "create", product_id=product["id"], s3_key=key, alt="A chair")).value
    elsewhere = (await desk.call("product-media", "create", product_id=product["id"], url=ADDRESS)).value
    tools = {"tools": dict.fromkeys(("get_product", "search_products", "get_notes", "add_note"), True)}
    await desk.configure(can_send_images=True, internal_tools=tools)
    return Shop(desk, await connect(desk), product, own, elsewhere)


async def test_a_picture_of_a_product_goes_right_before_the_words(shop: Shop) -> None:
    show = call("send_image", product_id=shop.product["id"], caption="Our chair")
    await shop.line.ask("How does it look?", show, "Here it is.")
    image, words = await shop.sent()
    assert image == ("image", "Our chair", f"https://desk.example{shop.own['media_path']}")
    assert words == ("text", "Here it is.", None)
    assert await shop.step() == ("done", {"queued": True, "as": "image"})
    rows = await shop.desk.fetch(
        "SELECT message_type, sender, status, file_type FROM conversation_messages WHERE channel = 'whatsapp' AND"
        " direction = 'outbound' ORDER BY position"
    )
    assert [tuple(row) for row in rows] == [
        ("image", "assistant", "sent", "image/png"), ("text", "assistant", "sent", None),
    ]  # fmt: skip


async def test_the_trace_shows_what_became_of_each_part(shop: Shop) -> None:
    shop.line.fake.faults.append(Unprocessable("The image cannot be fetched."))
    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), "It is white.")
    assert [part[0] for part in await shop.sent()] == ["text"]
    trace: Any = (await shop.desk.call("ai-turns", "get", 2)).value
    await shop.line.ask("And the other one?", "There is none.")
    assert "send_image" not in str(shop.desk.script.requests[-1])
    found = [(part["kind"], part["status"], part["reason"]) for part in trace["parts"]]
    assert found == [("image", "failed", "The image cannot be fetched."), ("answer", "sent", None)]
    assert trace["end_reason"] == "answered"


async def test_an_image_that_the_provider_never_takes_does_not_hold_the_words_for_ever(shop: Shop) -> None:
    shop.line.fake.faults += [Unavailable("busy")] * 5
    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), "It is white.")
    for _ in range(8):
        await shop.desk.pass_time(100)
    assert await shop.parts() == [("image", "failed", "busy"), ("answer", "sent", None)]


@pytest.mark.parametrize("is_on", [True, False])
async def test_it_is_offered_only_where_it_is_on(shop: Shop, is_on: bool) -> None:
    await shop.desk.configure(can_send_images=is_on)
    await shop.line.ask("Cleaning?", call("get_product", product_id=shop.product["id"]), "It costs 50.")
    offered = [tool.name for tool in shop.desk.script.infos[-1].function_tools]
    assert ("send_image" in offered) is is_on
    tools: Any = (await shop.desk.call("ai-turns", "get", 2)).value["tools"]
    assert ("send_image" in [entry["key"] for entry in tools["offered"]]) is is_on
    result = (await shop.desk.fetch("SELECT result::text FROM ai_turn_steps WHERE tool_name = 'get_product'"))[0][0]
    assert ("images" in json.loads(result)) is is_on


async def test_a_film_another_products_picture_and_a_hidden_product_are_not_sent(shop: Shop) -> None:
    hidden = (await shop.desk.call("products", "create", name="Secret", status="inactive")).value
    medium = (await shop.desk.call("product-media", "create", product_id=hidden["id"], url=ADDRESS)).value
    for arguments in ({"product_media_id": medium["id"]}, {"product_id": hidden["id"]}, {"product_id": 999}):
        await shop.line.ask("Show me.", call("send_image", **arguments), "I cannot.")  # type: ignore[arg-type]
        assert await shop.step() == ("failed", OUT_OF_REACH)


async def test_a_file_of_this_conversation_is_sent_and_another_ones_is_not(shop: Shop) -> None:
    await shop.line.ask("Hello", "Hi.")
    for conversation, outcome in ((shop.line.conversation_id, "done"), (shop.desk.conversation_id, "failed")):
        key = await upload(shop.desk, png(), "map.png")
        data = {"conversation_id": conversation, "s3_key": key, "file_name": "map.png"}
        file = (await shop.desk.call("conversation-files", "create", **data)).value
        await shop.line.ask("The way?", call("send_image", file_id=file["id"]), "See the map.")
        assert (await shop.step())[0] == outcome


@pytest.mark.parametrize("url", ["https://evil.example/a.png", ADDRESS + "x", ADDRESS[:-1], "http://cdn.example.com/"])
async def test_an_address_that_no_tool_gave_is_not_sent(shop: Shop, url: str) -> None:
    asked = call("send_image", url=url)
    await shop.line.ask(f"Send me {url}", call("get_product", product_id=shop.product["id"]), asked, "I cannot.")
    assert (await shop.step())[0] == "failed"
    assert [part[0] for part in await shop.sent()] == ["text"]


async def test_an_address_that_an_internal_tool_gave_is_sent(shop: Shop) -> None:
    text = f"Photo: {ADDRESS}."
    await shop.desk.call("products", "patch", int(str(shop.product["id"])), description=text)
    await shop.line.ask(
        "A photo?", call("get_product", product_id=shop.product["id"]), call("send_image", url=ADDRESS), "Here."
    )
    assert await shop.sent() == [("image", "", ADDRESS), ("text", "Here.", None)]


@pytest.mark.parametrize("arguments", [{}, {"product_id": 1, "url": ADDRESS}, {"product_id": "1"}, {"pixel": 1}])
async def test_wrong_arguments_are_named(shop: Shop, arguments: dict[str, Json]) -> None:
    await shop.line.ask("Show me.", call("send_image", **arguments), "I cannot.")
    status, said = await shop.step()
    assert status == "failed"
    assert said.startswith("send_image was not called")


async def test_there_is_a_limit(shop: Shop) -> None:
    calls = [call("send_image", f"c{i}", product_media_id=shop.own["id"], caption=str(i)) for i in range(6)]
    await shop.line.ask("All of them!", *calls, "Those are all.")
    assert [part[0] for part in await shop.sent()] == ["image"] * 5 + ["text"]
    assert (await shop.step())[0] == "failed"


async def test_silent_mode_sends_none_and_a_revocation_holds_those_that_wait(shop: Shop) -> None:
    async def switched_off(_: list[ModelMessage]) -> Reply:
        await shop.desk.configure(can_send_images=False)
        return "It is white."

    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), switched_off)
    assert await shop.parts() == [("image", "withdrawn", "images_off"), ("answer", "sent", None)]
    await shop.desk.configure(can_send_images=True, disable_reply=True)
    await shop.line.ask("And now?", call("send_image", product_id=shop.product["id"]), "Nobody reads it.")
    offered = [tool.name for tool in shop.desk.script.infos[-1].function_tools]
    assert "send_image" not in offered
    assert len(await shop.parts()) == 2


async def test_what_a_newer_message_overtakes_is_withdrawn(shop: Shop) -> None:
    async def newer(_: list[ModelMessage]) -> Reply:
        await shop.line.write("No, the other one!")
        return "Here it is."

    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), newer, "Which other one?")
    assert "send_image" not in str(shop.desk.script.requests[-1])  # what nobody saw is not remembered as sent
    assert await shop.parts() == [("image", "withdrawn", "superseded"), ("answer", "sent", None)]
    assert [part[1] for part in await shop.sent()] == ["Which other one?"]


async def test_a_failed_turn_sends_no_image(shop: Shop) -> None:
    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), *[" "] * 12)
    for _ in range(4):
        await shop.desk.pass_time(20)
    assert [part[:2] for part in await shop.parts() if part[0] == "image"] == [("image", "withdrawn")]
    assert [part[0] for part in await shop.sent()] == ["text"]  # the fixed line


async def test_a_crash_after_the_call_sends_the_image_once(shop: Shop) -> None:
    class Killed(BaseException):
        pass

    async def killed(_: list[ModelMessage]) -> Reply:
        raise Killed

    with pytest.raises(Killed):
        await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), killed)
    await shop.desk.clock.advance(30)
    shop.desk.script.say("Here it is.")
    await shop.desk.settle(Flow(shop.desk.door, shop.desk.flow.models, shop.desk.flow.toolbox, shop.desk.channels))
    assert [part[0] for part in await shop.sent()] == ["image", "text"]


async def test_a_channel_without_images_gets_the_link_under_the_words(shop: Shop) -> None:
    """What comes from a form is read where nobody knows whether images are shown."""
    ticket = await opened(shop.desk)
    await shop.desk.call("ai-assistants", "patch", ticket.helper_id, can_send_images=True)
    show = call("send_image", product_media_id=shop.elsewhere["id"], caption="Our chair")
    assert await ticket.ask("How does it look?", show, "It is white.") == [f"It is white.\n\nOur chair\n{ADDRESS}"]


async def test_the_assistant_remembers_the_call_and_not_a_note_in_its_own_words(shop: Shop) -> None:
    await shop.line.ask("Show me.", call("send_image", product_id=shop.product["id"]), "Here it is.")
    await shop.line.ask("Thanks", "You are welcome.")
    said = str(shop.desk.script.requests[-1])
    assert "send_image" in said
    assert "[image" not in said
