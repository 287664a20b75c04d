"""The chat page against the scripted server: what a visitor sees, also when the line or the server misbehaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.flow.pictures import png

from .conftest import PHONE, Site, place, scroll, write

pytestmark = pytest.mark.browser
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def test_a_message_is_sent_and_its_answer_takes_the_place_of_the_draft(site: Site) -> None:
    page = await site.open()
    await write(page, "What does a cleaning cost?")
    await expect(page.locator(".visitor .bubble")).to_have_text("What does a cleaning cost?")
    site.chat.typing(True, 7)
    await expect(page.locator(".dots")).to_be_visible()
    site.chat.draft(7, 1, "A cleaning costs")
    await expect(page.locator(".draft .bubble")).to_have_text("A cleaning costs")
    await expect(page.locator(".dots")).to_have_count(0)
    site.chat.add("assistant", "A cleaning costs **€60**.", turn_id=7)
    await expect(page.locator(".assistant .bubble")).to_have_text("A cleaning costs €60.")
    await expect(page.locator(".draft")).to_have_count(0)


async def test_a_withdrawn_draft_disappears_and_stays_away(site: Site) -> None:
    page = await site.open()
    site.chat.draft(3, 1, "Booked!")
    await expect(page.locator(".draft")).to_be_visible()
    site.chat.emit("draft.withdrawn", {"turn_id": 3})
    await expect(page.locator(".draft")).to_have_count(0)
    site.chat.draft(3, 2, "Booked! Really.")
    site.chat.add("assistant", "Sorry, that did not work.", turn_id=4)
    await expect(page.locator(".assistant .bubble")).to_have_text("Sorry, that did not work.")
    await expect(page.locator(".draft")).to_have_count(0)


async def test_parts_of_an_answer_eat_the_draft_from_its_start(site: Site) -> None:
    page = await site.open()
    site.chat.draft(5, 1, "First part.\n\nSecond part.")
    site.chat.add("assistant", "First part.", turn_id=5)
    await expect(page.locator(".draft .bubble")).to_have_text("Second part.")
    site.chat.add("assistant", "Second part.", turn_id=5)
    await expect(page.locator(".draft")).to_have_count(0)
    await expect(page.locator(".assistant .bubble")).to_have_text(["First part.", "Second part."])


async def test_a_picture_comes_with_its_words_and_one_that_cannot_be_loaded_is_a_link(site: Site) -> None:
    page = await site.open()
    await page.route("**/chair.png", lambda route: route.fulfill(body=png(40, 30), content_type="image/png"))
    await page.route("**/gone.png", lambda route: route.abort())
    site.chat.draft(5, 1, "It is white.")
    site.chat.add("assistant", "Our chair", turn_id=5, image="https://pictures.example/chair.png")
    picture = page.locator(".assistant .bubble img")
    await expect(picture).to_have_js_property("naturalWidth", 40)
    await expect(picture).to_have_attribute("alt", "Our chair")
    await expect(page.locator(".draft .bubble")).to_have_text("It is white.")
    site.chat.add("assistant", "", turn_id=5, image="https://pictures.example/gone.png")
    link = page.locator(".assistant .bubble a").last
    await expect(link).to_have_text("https://pictures.example/gone.png")
    await expect(link).to_have_attribute("href", "https://pictures.example/gone.png")


async def test_a_resync_forgets_what_was_being_written(site: Site) -> None:
    page = await site.open()
    site.chat.draft(3, 1, "Half a sen")
    await expect(page.locator(".draft")).to_be_visible()
    site.chat.emit("resync", {})
    await expect(page.locator(".draft")).to_have_count(0)


async def test_a_reload_shows_the_history_and_scrolling_up_loads_what_is_older(site: Site) -> None:
    for number in range(1, 131):
        site.chat.add("visitor" if number % 2 else "assistant", f"Message {number}")
    page = await site.open()
    await expect(page.get_by_text("Message 130", exact=True)).to_be_in_viewport()
    await expect(page.locator(".bubble")).to_have_count(50)
    for count in (100, 130):
        await scroll(page, 0)
        await expect(page.locator(".bubble")).to_have_count(count)
    await page.reload()
    await expect(page.get_by_text("Message 130", exact=True)).to_be_in_viewport()


async def test_old_messages_come_in_above_without_moving_what_is_read(site: Site) -> None:
    for number in range(1, 101):
        site.chat.add("assistant", f"Message {number}")
    site.chat.gives_older.clear()
    page = await site.open()
    read = page.get_by_text("Message 55", exact=True)
    await expect(page.get_by_text("Message 100", exact=True)).to_be_in_viewport()
    await scroll(page, 250)
    before = await place(read)
    await scroll(page, 200)
    await expect(page.locator(".older")).to_be_visible()
    while_loading = await place(read)
    site.chat.gives_older.set()
    await expect(page.locator(".bubble")).to_have_count(100)
    await expect(page.locator(".older")).to_be_hidden()
    after = await place(read)
    assert abs(before["y"] + 50 - while_loading["y"]) < 1
    assert abs(while_loading["y"] - after["y"]) < 1


async def test_a_dropped_line_comes_back_after_the_last_position(site: Site) -> None:
    page = await site.open()
    site.chat.add("assistant", "Before")
    await expect(page.get_by_text("Before")).to_be_visible()
    site.chat.drop()
    await site.chat.until(lambda: not site.chat.streams)
    site.chat.messages.append({"position": 2, "from": "assistant", "name": "Sofía", "text": "Meanwhile",
                               "created_at": datetime.now(UTC).isoformat()})  # fmt: skip
    await expect(page.locator(".assistant .bubble")).to_have_text(["Before", "Meanwhile"])
    assert site.chat.stream_starts == [0, 1]


async def test_a_server_that_is_down_is_said_and_waited_for(site: Site) -> None:
    page = await site.open()
    site.chat.is_down = True
    site.chat.drop()
    await expect(page.get_by_text("Reconnecting…")).to_be_visible()
    site.chat.is_down = False
    await expect(page.get_by_text("Reconnecting…")).to_be_hidden(timeout=15_000)


async def test_a_message_written_offline_is_sent_once_when_the_line_is_back(site: Site) -> None:
    page = await site.open()
    await page.context.set_offline(True)
    await write(page, "Are you there?")
    await expect(page.get_by_text("You're offline.")).to_be_visible()
    await expect(page.get_by_text("Waiting for connection")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.locator(".visitor time")).to_be_visible()
    await expect(page.get_by_text("You're offline.")).to_be_hidden()
    assert [message["text"] for message in site.chat.messages] == ["Are you there?"]


async def test_an_unsent_message_survives_a_reload(site: Site) -> None:
    site.chat.refuses_with = (503, "Down.")
    page = await site.open()
    await write(page, "Keep me")
    await site.chat.until(lambda: len(site.chat.posts) > 0)
    await page.reload()
    await expect(page.get_by_text("Sending…")).to_be_visible()
    site.chat.refuses_with = None
    await expect(page.locator(".visitor time")).to_be_visible(timeout=15_000)
    assert [message["text"] for message in site.chat.messages] == ["Keep me"]


async def test_a_lost_answer_does_not_make_a_second_message(site: Site) -> None:
    site.chat.loses_answers = 1
    page = await site.open()
    await write(page, "Once")
    await site.chat.until(lambda: len(site.chat.messages) == 1)
    await expect(page.locator(".visitor time")).to_be_visible()
    await expect(page.locator(".visitor .bubble")).to_have_count(1)
    assert len(site.chat.messages) == 1


async def test_two_tabs_stay_in_step_and_send_once(site: Site) -> None:
    first = await site.open()
    second = await site.open(first.context)
    await first.context.set_offline(True)
    await write(first, "From the first tab")
    await expect(second.locator(".visitor .bubble")).to_have_text("From the first tab")
    await first.context.set_offline(False)
    for tab in (first, second):
        await expect(tab.locator(".visitor time")).to_be_visible()
    site.chat.add("assistant", "To both")
    for tab in (first, second):
        await expect(tab.get_by_text("To both")).to_be_visible()
    assert len(site.chat.messages) == 2
    assert len(site.chat.tokens) == 1


async def test_a_refused_message_says_why_and_can_be_tried_again_or_deleted(site: Site) -> None:
    site.chat.refuses_with = (400, "text must not contain that.")
    page = await site.open()
    await write(page, "Bad")
    await expect(page.get_by_role("alert")).to_contain_text("Not sent. text must not contain that.")
    site.chat.refuses_with = None
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".visitor time")).to_be_visible()
    site.chat.refuses_with = (400, "No.")
    await write(page, "Worse")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator(".visitor .bubble")).to_have_text("Bad")


async def test_a_visitor_whom_the_server_forgot_begins_anew(site: Site) -> None:
    page = await site.open()
    await write(page, "Hello")
    await expect(page.locator(".visitor time")).to_be_visible()
    site.chat.tokens.clear()
    site.chat.messages.clear()
    await write(page, "Hello again")
    await expect(page.locator(".visitor .bubble")).to_have_text(["Hello again"])
    await expect(page.locator(".visitor time")).to_be_visible()


async def test_new_messages_wait_behind_a_pill_while_the_visitor_reads_above(site: Site) -> None:
    for number in range(40):
        site.chat.add("assistant", f"Line {number}")
    page = await site.open()
    await expect(page.get_by_text("Line 39")).to_be_in_viewport()
    await scroll(page, 300)
    site.chat.add("assistant", "Fresh")
    pill = page.get_by_role("button", name="1 new message")
    await expect(pill).to_be_visible()
    await expect(page).to_have_title("(1) Sofía")
    await pill.click()
    await expect(page.get_by_text("Fresh")).to_be_in_viewport()
    await expect(page).to_have_title("Sofía")


async def test_markup_of_a_model_stays_text_and_only_safe_links_are_links(site: Site) -> None:
    page = await site.open()
    text = "<img src=x onerror=alert(1)> [go](javascript:alert(1)) [site](https://example.com/a_b) (see https://example.org/x)."
    site.chat.add("assistant", text)
    bubble = page.locator(".assistant .bubble")
    await expect(bubble).to_contain_text("<img src=x onerror=alert(1)> go site (see https://example.org/x).")
    links = bubble.locator("a")
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "https://example.com/a_b", "https://example.org/x",
    ]  # fmt: skip
    assert await links.first.get_attribute("rel") == "noopener noreferrer nofollow"


async def test_lists_code_and_long_words_are_laid_out_inside_the_bubble(site: Site) -> None:
    page = await site.open(**PHONE)
    site.chat.add("assistant", f"1. one\n2. two\n\n- `code`\n\n```\n{'x' * 300}\n```\n{'w' * 400}")
    bubble = page.locator(".assistant .bubble")
    await expect(bubble.locator("ol li")).to_have_text(["one", "two"])
    await expect(bubble.locator("ul code")).to_have_text("code")
    width = await page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= 390


async def test_enter_sends_and_shift_enter_makes_a_line(site: Site) -> None:
    page = await site.open()
    await page.keyboard.type("first")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second")
    await page.keyboard.press("Enter")
    await expect(page.locator(".visitor time")).to_be_visible()
    assert site.chat.messages[0]["text"] == "first\nsecond"
    await expect(page.get_by_role("textbox")).to_be_focused()


async def test_a_text_over_the_limit_is_not_sent_and_the_limit_is_said(site: Site) -> None:
    site.chat.session["max_message_length"] = 20
    page = await site.open()
    await write(page, "x" * 21)
    await expect(page.get_by_text("Messages can have up to 20 characters. (21)")).to_be_visible()
    await expect(page.get_by_role("button", name="Send message")).to_be_disabled()
    assert site.chat.posts == []


async def test_the_small_model_is_named_and_days_and_people_are_told_apart(site: Site) -> None:
    site.chat.session["is_small_model"] = True
    site.chat.add("person", "I moved your appointment.", name="Ana", at=NOON - timedelta(days=1))
    site.chat.add("system", "Ana left", at=NOON)
    visitor = await site.visitor()
    await visitor.clock.set_fixed_time(NOON)
    page = await site.open(visitor)
    await expect(page.get_by_text("small built-in model")).to_be_visible()
    await expect(page.locator(".day")).to_have_text(["Yesterday", "Today"])
    await expect(page.locator(".person .speaker")).to_contain_text("Ana")
    await expect(page.locator(".note")).to_have_text("Ana left")


async def test_spanish_visitors_read_spanish(site: Site) -> None:
    page = await site.open(locale="es-MX")
    await expect(page.get_by_role("heading", name="Hola, soy Sofía")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Tu mensaje")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "es"


async def computed(page: Page, selector: str, name: str) -> str:
    return str(await page.locator(selector).first.evaluate(f"node => getComputedStyle(node).{name}"))


@pytest.mark.parametrize(("scheme", "colour"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 23, 27)")])
async def test_the_page_follows_the_systems_colours(site: Site, scheme: str, colour: str) -> None:
    page = await site.open(color_scheme=scheme)
    assert await computed(page, "#chat", "backgroundColor") == colour
