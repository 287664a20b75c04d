"""The built-in model's class against a scripted server: what is let through, repaired, asked for or kept back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError
from pydantic_ai.messages import ModelRequest, ToolReturnPart
from pydantic_ai.tools import ToolDefinition

from frontdesk.core.egress import Guard
from frontdesk.models.local.engine import Endpoint, Engine
from frontdesk.models.local.model import LocalModel
from tests.models.asking import FIND, GET_PRODUCT, SEARCH, UPDATE, Asked, Talk
from tests.models.model_server import Chunk, Scene, model_server, text_chunks

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
NOTE = ToolDefinition(
    name="add_note",
    parameters_json_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)
BOOK = ToolDefinition(
    name="book_visit",
    parameters_json_schema={
        "type": "object",
        "properties": {"day": {"type": "string", "format": "date"}, "name": {"type": "string"}},
        "required": ["day", "name"],
    },
)
TOOLS = (FIND, UPDATE, SEARCH, GET_PRODUCT, NOTE, BOOK)


def reply(text: str) -> list[Chunk]:
    """The JSON in small pieces, as a model writes it."""
    whole = json.dumps({"reply": text}, ensure_ascii=False)
    return text_chunks(*(whole[i : i + 4] for i in range(0, len(whole), 4)))


def use(tool: str, **arguments: object) -> list[Chunk]:
    return text_chunks(json.dumps({"tool": tool, "arguments": arguments}))


@dataclass
class House:
    """A talk with the model behind a scene whose answers a test writes."""

    scene: Scene
    talk: Talk
    left: list[list[Chunk]] = field(default_factory=list)

    async def ask(self, text: str, *answers: list[Chunk]) -> Asked:
        self.scene.answers[:] = answers
        return await self.talk.ask(text)

    async def result(self, value: object, *answers: list[Chunk]) -> Asked:
        """The tool's answer to the call that was made last."""
        response = self.talk.messages[-1]
        call = response.tool_calls[-1]  # type: ignore[union-attr]
        part = ToolReturnPart(tool_name=call.tool_name, content=value, tool_call_id=call.tool_call_id)
        self.talk.messages.append(ModelRequest(parts=[part]))
        self.scene.answers[:] = answers
        return await self.talk.go_on()

    @property
    def schema(self) -> str:
        return json.dumps(self.scene.bodies[-1]["response_format"])

    @property
    def prompt(self) -> list[dict[str, str]]:
        return self.scene.bodies[-1]["messages"]  # type: ignore[return-value]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(model_server(reply("Hello")))
        client = await stack.enter_async_context(Guard(allow_loopback=True).client())

        async def endpoint() -> Endpoint:
            return Endpoint(scene.recorder.url, "secret-of-this-run")

        model = LocalModel(Engine(client, endpoint, "built-in"), lambda: NOW)
        yield House(scene, Talk(model, TOOLS, "You are the receptionist of Luna, open from 9:00 to 18:00."))


async def test_a_reply_is_streamed_sentence_by_sentence(house: House) -> None:
    asked = await house.ask("Hi", reply("Good morning. How can I help you? I am here."))
    assert asked.text == "Good morning. How can I help you? I am here."
    assert asked.events >= 3
    assert asked.response.usage.input_tokens == 12


async def test_the_server_is_asked_with_its_key_and_a_grammar(house: House) -> None:
    await house.ask("Hi", reply("Hello"))
    assert house.scene.recorder.requests[0].headers["authorization"] == "Bearer secret-of-this-run"
    assert "find_contact" in house.schema


async def test_the_beginning_of_the_prompt_does_not_change(house: House) -> None:
    house.talk.moving = "It is noon."
    await house.ask("Hi", reply("Hello"))
    first = house.prompt
    house.talk.moving = "It is one o'clock."
    await house.ask("¿Cuánto cuesta?", reply("¿Qué?"))
    assert house.prompt[: len(first) - 1] == first[:-1]
    assert "one o'clock" in house.prompt[-1]["content"]
    assert house.prompt[-1]["content"].endswith("(Reply in Spanish.)")


async def test_a_grounded_call_is_made(house: House) -> None:
    asked = await house.ask("Is Ana Torres a patient?", use("find_contact", search="Ana Torres"))
    assert asked.calls == [("find_contact", {"search": "Ana Torres"})]


async def test_invented_optional_arguments_are_dropped(house: House) -> None:
    asked = await house.ask("How much is a crown?", use("search_products", search="crown", type="product", limit=10))
    assert asked.calls == [("search_products", {"search": "crown"})]


@pytest.mark.parametrize(("said", "phone"), [("600 123 456", "600123456"), ("+34 (600) 123-456", "+34 600 123 456")])
async def test_a_phone_may_be_written_otherwise(house: House, said: str, phone: str) -> None:
    asked = await house.ask(f"My phone is now {said}", use("update_contact", phone=phone))
    assert asked.calls == [("update_contact", {"phone": phone})]


async def test_an_invented_change_becomes_a_question(house: House) -> None:
    asked = await house.ask("I have a new phone number", use("update_contact", phone="611 222 333"))
    assert (asked.calls, asked.text) == ([], "Could you please tell me the phone number?")


async def test_a_change_is_grounded_in_the_customers_words_only(house: House) -> None:
    await house.ask("Who is Ana?", use("find_contact", search="Ana"))
    asked = await house.result(
        {"data": [{"id": 3, "phone": "699 888 777"}]}, use("update_contact", phone="699 888 777")
    )
    assert asked.calls == []


async def test_an_invented_id_is_dropped(house: House) -> None:
    asked = await house.ask("Set my phone to 600 123 456", use("update_contact", contact_id=77, phone="600 123 456"))
    assert asked.calls == [("update_contact", {"phone": "600 123 456"})]


async def test_a_missing_id_is_looked_up_and_the_call_goes_on(house: House) -> None:
    asked = await house.ask("Tell me more about the crown", use("get_product", product_id=5))
    assert asked.calls == [("search_products", {})]
    asked = await house.result({"total": 1, "data": [{"id": 9, "name": "Crown"}]}, use("get_product"))
    assert asked.calls == [("get_product", {"product_id": 9})]
    assert "reply" not in house.schema


async def test_of_several_rows_the_customer_chooses(house: House) -> None:
    await house.ask("Tell me more about it", use("get_product"))
    asked = await house.result({"data": [{"id": 9}, {"id": 10}]}, use("get_product", product_id=11))
    assert (asked.calls, "Which one" in asked.text) == ([], True)


async def test_the_same_call_is_not_made_twice(house: House) -> None:
    again = use("find_contact", search="Ana")
    await house.ask("Who is Ana?", again)
    asked = await house.result([], again, reply("I found nobody."))
    assert (asked.calls, asked.text) == ([], "I found nobody.")
    assert "find_contact" not in house.schema


async def test_a_change_is_repeated_to_the_customer(house: House) -> None:
    await house.ask("Pon mi teléfono en 600 123 456", use("update_contact", phone="600 123 456"))
    asked = await house.result({"id": 3, "phone": "600 123 456"}, reply("Ya está cambiado."))
    assert asked.text == "Ya está cambiado. Guardado: 600 123 456."
    assert "find_contact" not in house.schema
    assert "update_contact" not in house.schema


async def test_an_invented_number_leads_to_a_look_up(house: House) -> None:
    asked = await house.ask(
        "How much is a crown?", reply("A crown costs 300 €."), use("search_products", search="crown")
    )
    assert (asked.text, asked.calls) == ("", [("search_products", {"search": "crown"})])


async def test_a_claim_without_a_receipt_leads_to_the_call(house: House) -> None:
    asked = await house.ask(
        "Set my phone to 600 123 456", reply("I have updated your phone."), use("update_contact", phone="600 123 456")
    )
    assert asked.calls == [("update_contact", {"phone": "600 123 456"})]


async def test_an_invented_number_after_a_result_is_kept_back(house: House) -> None:
    await house.ask("¿Qué teléfono tiene Ana?", use("find_contact", search="Ana"))
    asked = await house.result({"data": []}, reply("Su teléfono es el 699 111 222."))
    assert asked.text == "No tengo esa información aquí."


@pytest.mark.parametrize("fact", ["We close at 6 pm.", "We close at 18:00.", "It is open from 9 to 18."])
async def test_what_the_instructions_say_is_a_fact(house: House, fact: str) -> None:
    assert (await house.ask("When do you close?", reply(fact))).text == fact


async def test_dates_are_worked_out(house: House) -> None:
    asked = await house.ask("I am Eva, can I come tomorrow?", use("book_visit", day="2023-10-11", name="Eva"))
    assert asked.calls == [("book_visit", {"day": "2026-03-05", "name": "Eva"})]
    asked = await house.ask("I am Eva, can I come tomorrow?", use("book_visit", day="tomorrow", name="Eva"))
    assert asked.calls == [("book_visit", {"day": "2026-03-05", "name": "Eva"})]


async def test_a_missing_required_value_is_asked_for(house: House) -> None:
    asked = await house.ask("Can I come tomorrow?", use("book_visit", day="tomorrow", name="Laura"))
    assert asked.text == "Could you please tell me the name?"


async def test_a_note_that_strays_is_the_customers_own_words(house: House) -> None:
    asked = await house.ask("Anota que soy alérgica", use("add_note", text="Prefers morning visits by car"))
    assert asked.calls == [("add_note", {"text": "Anota que soy alérgica"})]


async def test_a_cut_answer_ends_in_words(house: House) -> None:
    asked = await house.ask("Hi", text_chunks('{"tool": "find_con'), reply("Hello."))
    assert asked.text == "Hello."


async def test_after_four_calls_it_answers(house: House) -> None:
    await house.ask("Ana, Bea, Eva, Ida", use("find_contact", search="Ana"))
    for name in ("Bea", "Eva", "Ida"):
        await house.result([], use("find_contact", search=name))
    asked = await house.result([], reply("I found nobody."))
    assert asked.text == "I found nobody."
    assert "find_contact" not in house.schema


async def test_a_long_history_is_cut_at_its_beginning(house: House) -> None:
    for number in range(3):
        await house.ask(f"{number} " + "very long " * 1500, reply("Yes."))
    assert not any(message["content"].startswith("0 ") for message in house.prompt)


@pytest.mark.parametrize(("fault", "error"), [({"status": 503}, ModelHTTPError), ({"is_cut_off": True}, ModelAPIError)])
async def test_a_failing_server_is_a_failing_model(
    house: House, fault: dict[str, object], error: type[Exception]
) -> None:
    for name, value in fault.items():
        setattr(house.scene, name, value)
    with pytest.raises(error):
        await house.ask("Hi", reply("Hello"))


async def test_a_gone_server_is_a_connection_error() -> None:
    async def endpoint() -> Endpoint:
        return Endpoint("http://127.0.0.1:1", "k")

    async with Guard(allow_loopback=True).client() as client:
        with pytest.raises(ModelConnectionError):
            await Talk(LocalModel(Engine(client, endpoint, "built-in"), lambda: NOW)).ask("Hi")


async def test_words_are_no_phone_number(house: House) -> None:
    asked = await house.ask("I have a new phone number", use("update_contact", phone="new phone number"))
    assert asked.calls == []


async def test_a_change_is_told_in_the_customers_language(house: House) -> None:
    await house.ask("Pon mi teléfono en 600 123 456", use("update_contact", phone="600 123 456"))
    asked = await house.result({"id": 3}, reply("Done, your phone number is now 600 123 456."))
    assert asked.text == "Hecho. Guardado: 600 123 456."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("A crown costs 450 €.", "A crown costs 450 €."),
        ("A massage costs 450 €.", "I don't have that information here."),
    ],
)
async def test_a_price_belongs_to_its_row(house: House, said: str, told: str) -> None:
    await house.ask("How much is a massage and a crown?", use("search_products"))
    rows = [{"id": 1, "name": "Crown", "price": "450.00"}, {"id": 2, "name": "Cleaning", "price": "60.00"}]
    assert (await house.result({"total": 2, "data": rows}, reply(said))).text == told


async def test_an_answer_that_goes_in_circles_is_cut_off(house: House) -> None:
    await house.ask("Pon mi teléfono en 600 123 456", use("update_contact", phone="600 123 456"))
    asked = await house.result({"id": 3}, reply("¡" * 300))
    assert asked.text == "Hecho. Guardado: 600 123 456."
