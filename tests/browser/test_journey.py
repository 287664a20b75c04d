"""The whole journey in a real browser on the real server: a customer writes, a configured assistant answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from frontdesk.core.database import Database
from frontdesk.core.settings import Settings
from tests.flow.harness import call
from tests.serving import serving
from tests.world import make_world

from .conftest import DESKTOP, PHONE, write
from .desk import Desk, open_desk

pytestmark = pytest.mark.browser

Picture = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(data=tmp_path, secret_key="browser tests need no better secret")  # type: ignore[call-arg]
    async with make_world(database, settings) as world:
        async with serving(world.app.app) as url, open_desk(world, url) as desk:
            yield desk


@pytest.fixture
async def page(browser: Browser, desk: Desk) -> AsyncIterator[Page]:
    context = await browser.new_context(locale="en-US", **DESKTOP)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(desk.page_url)
    await expect(page.get_by_role("heading", name="Hi, I'm Sofía")).to_be_visible()
    yield page
    await context.close()


async def test_a_customer_changes_a_phone_number_in_the_chat(desk: Desk, page: Page, picture: Picture) -> None:
    desk.script.say("Good morning! We are open on Saturdays from **9:00 to 14:00**. How can I help you?")
    await write(page, "Hi! Are you open on Saturday?")
    await expect(page.locator(".assistant .bubble")).to_have_count(1)
    desk.script.say(
        call("find_contact"),
        call("update_contact", phone="5550142"),
        "Done, your phone number is now **555 0142**.|\n\nWe will call you there:\n\n- to confirm appointments\n- to "
        "remind you the day before\n\nIs there anything else?",
    )
    await write(page, "Can you change my phone number to 555 0142?")
    draft = page.locator(".draft .bubble")
    await page.set_viewport_size({"width": 1080, "height": 720})
    await expect(draft).to_have_text("Done, your phone number is now 555 0142.")
    await picture(page, "chat-streaming.png")
    desk.script.may_go_on.release()
    await expect(draft).to_have_count(0)
    await expect(page.locator(".assistant .bubble").last).to_contain_text("Is there anything else?")
    await expect(page.locator(".typing")).to_have_count(0)
    assert [contact["phone"] for contact in (await desk.api().get("/contacts")).json()["data"]] == ["5550142"]
    await picture(page, "chat.png")
    await page.emulate_media(color_scheme="dark")
    await picture(page, "chat-dark.png")


async def test_a_newer_message_withdraws_the_draft_and_gets_one_answer(desk: Desk, page: Page) -> None:
    desk.script.say("We have time on Monday. Shall| I book it?", "On Tuesday at ten.")
    await write(page, "When do you have time?")
    await expect(page.locator(".draft")).to_be_visible()
    await write(page, "I mean on Tuesday")
    await expect(page.locator(".draft")).to_have_count(0)
    desk.script.may_go_on.release()
    await expect(page.locator(".assistant .bubble")).to_have_text(["On Tuesday at ten."])


async def test_a_person_takes_over_and_the_chat_shows_who_speaks(desk: Desk, page: Page) -> None:
    await write(page, "Can I talk to somebody?")
    await expect(page.locator(".assistant .bubble")).to_have_count(1)
    body = {"conversation_id": 1, "message_text": "Hello, this is Marta.", "takeover": True}
    answer = await desk.api().post("/conversation-messages-transform-outgoing-webchat", json=body)
    assert answer.status_code == 201
    await expect(page.locator(".person .bubble")).to_have_text("Hello, this is Marta.")
    await page.reload()
    await expect(page.locator(".bubble")).to_have_count(3)


async def test_a_second_tab_and_a_reload_see_the_same(desk: Desk, page: Page) -> None:
    other = await page.context.new_page()
    await other.goto(desk.page_url)
    desk.script.say("One. Two| three.")
    await write(page, "Count")
    for tab in (page, other):
        await expect(tab.locator(".draft .bubble")).to_have_text("One.")
    await other.reload()
    await expect(other.locator(".draft .bubble")).to_have_text("One.")
    desk.script.may_go_on.release()
    for tab in (page, other):
        await expect(tab.locator(".bubble")).to_have_text(["Count", "One. Two three."])


async def test_what_is_written_offline_is_answered_once_when_the_line_is_back(desk: Desk, page: Page) -> None:
    await page.context.set_offline(True)
    await write(page, "Hello?")
    await expect(page.get_by_text("Waiting for connection")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.locator(".assistant .bubble")).to_have_text(["I see."])
    assert (await desk.api().get("/ai-turns")).json()["total"] == 1


async def test_the_same_on_a_phone_in_spanish(desk: Desk, browser: Browser, picture: Picture) -> None:
    context = await browser.new_context(locale="es-ES", color_scheme="dark", **PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(desk.page_url)
    desk.script.say("¡Hola! Abrimos de lunes a viernes de **9:00 a 19:00** y los sábados hasta las 14:00.")
    await write(page, "Hola, ¿a qué hora abren?")
    await expect(page.locator(".assistant .bubble")).to_contain_text("Abrimos de lunes a viernes")
    await picture(page, "chat-phone.png")
    await context.close()
