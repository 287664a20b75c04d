"""The embed script in a page of another site, with styles that would wreck a widget that is not isolated."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import FrameLocator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.serving import serving

from .conftest import PHONE, Site, place

pytestmark = pytest.mark.browser

HOST_PAGE = """<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">
<title>A shop</title><link rel="icon" href="data:,"><style nonce="n">
  * {{ color: rgb(255, 0, 0) !important; font-size: 30px !important; }}
  button {{ display: none; }} iframe {{ height: 3px !important; }}
</style></head><body><h1>A shop</h1><a href="#x">A link</a>
<script src="{chat}/webchat.js" data-key="wc_test" async></script></body></html>"""
# The least that a careful site must allow: our script and our frame, no inline styles.
POLICY = "default-src 'none'; img-src data:; style-src 'nonce-n'; script-src {chat}; frame-src {chat}"

AWAIT_END = """() => {
    window.ended = new Promise((done) => addEventListener("message", ({data}) => data === "end" && done(true)));
}"""


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[str]:
    async def page(_: Request) -> HTMLResponse:
        policy = POLICY.format(chat=site.url)
        return HTMLResponse(HOST_PAGE.format(chat=site.url), headers={"content-security-policy": policy})

    async with serving(Starlette(routes=[Route("/", page)])) as url:
        # Another name of this machine, so that it is another origin and another site.
        yield url.replace("127.0.0.1", "localhost")


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("frontdesk-chat iframe")


async def test_the_launcher_opens_the_chat_and_escape_closes_it(site: Site, shop: str) -> None:
    page = await site.open(url=shop)
    launcher = page.get_by_role("button", name="Open chat")
    await launcher.click()
    await expect(frame(page).get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("Hello from the shop")
    await page.keyboard.press("Enter")
    await expect(frame(page).locator(".visitor time")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("frontdesk-chat iframe")).to_be_hidden()
    await expect(launcher).to_be_focused()
    assert site.chat.messages[0]["text"] == "Hello from the shop"


async def test_host_styles_stay_out_and_ours_stay_in(site: Site, shop: str) -> None:
    page = await site.open(url=shop)
    launcher = page.get_by_role("button", name="Open chat")
    box = await place(launcher)
    assert (box["width"], box["height"]) == (56, 56)
    await launcher.click()
    panel = await place(page.locator("frontdesk-chat iframe"))
    assert panel["height"] > 500
    assert await page.locator("h1").evaluate("node => getComputedStyle(node).fontSize") == "30px"


async def test_an_answer_while_closed_lights_the_dot(site: Site, shop: str) -> None:
    page = await site.open(url=shop)
    await page.evaluate("Frontdesk.open()")
    await expect(frame(page).get_by_role("textbox")).to_be_focused()
    await site.chat.until(lambda: len(site.chat.streams) == 1)
    await page.frames[-1].evaluate(AWAIT_END)
    await page.evaluate("Frontdesk.close()")
    # The frame hears of the closing by a message; an answer that overtakes it counts as seen, a message behind it not.
    await page.locator("frontdesk-chat iframe").evaluate("node => node.contentWindow.postMessage('end', '*')")
    await page.frames[-1].evaluate("() => window.ended")
    site.chat.add("assistant", "Are you still there?")
    await expect(page.get_by_role("button", name="Open chat (1 new messages)")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Open chat (1 new messages)")).to_be_visible()
    await page.evaluate("Frontdesk.open()")
    await expect(frame(page).get_by_text("Are you still there?")).to_be_visible()
    await page.evaluate("Frontdesk.close()")
    await expect(page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


async def test_nothing_is_loaded_before_the_visitor_wants_the_chat(site: Site, shop: str) -> None:
    page = await site.open(url=shop)
    await expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    await expect(page.locator("frontdesk-chat iframe")).to_have_count(0)
    assert site.chat.tokens == set()


async def test_on_a_phone_the_chat_fills_the_screen_and_its_own_button_closes_it(site: Site, shop: str) -> None:
    page = await site.open(await site.visitor(reduced_motion="reduce", **PHONE), url=shop)
    await page.get_by_role("button", name="Open chat").tap()
    box = await place(page.locator("frontdesk-chat iframe"))
    assert [round(box[side]) for side in ("x", "y", "width", "height")] == [0, 0, 390, 844]
    await frame(page).get_by_role("button", name="Close chat").tap()
    await expect(page.get_by_role("button", name="Open chat")).to_be_visible()
