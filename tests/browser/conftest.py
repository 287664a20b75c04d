"""One Chromium for all browser tests of a worker, a fresh fake chat for each, and pages that report their faults."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests.serving import serving

from .chromium import ARGUMENTS, executable
from .fake_server import KEY, FakeChat, application

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
PATIENCE = 20_000  # milliseconds; on a loaded machine a page takes its time
expect.set_options(timeout=PATIENCE)
DESKTOP = {"viewport": {"width": 1280, "height": 860}}


@dataclass
class Site:
    """A running chat server and the browser to look at it with."""

    chat: FakeChat
    url: str
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def page_url(self) -> str:
        return f"{self.url}/chat/{KEY}"

    async def visitor(self, **options: object) -> BrowserContext:
        """A new browser profile: English on a desktop unless the options say otherwise."""
        context = await self.browser.new_context(**{"locale": "en-US", "timezone_id": "UTC", **DESKTOP, **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on("console", self._heard)
        self.contexts.append(context)
        return context

    async def open(self, context: BrowserContext | None = None, url: str | None = None, **options: object) -> Page:
        """A tab with the chat in it, connected."""
        streams = len(self.chat.streams)
        page = await (context or await self.visitor(**options)).new_page()
        await page.goto(url or self.page_url)
        if url is None:
            await self.chat.until(lambda: len(self.chat.streams) > streams)
        return page

    def _heard(self, said: ConsoleMessage) -> None:
        # A lost line is a console error too, and is what many of these tests are about.
        if said.type == "error" and "Content Security Policy" in said.text:
            self.faults.append(said.text)


async def scroll(page: Page, top: int) -> None:
    """Scroll the log, and let the page hear of it: browsers tell at the next frame."""
    await page.locator(".scroller").evaluate(
        """(node, top) => new Promise((done) => {
            node.scrollTo(0, top);
            requestAnimationFrame(() => requestAnimationFrame(done));
        })""",
        top,
    )


async def place(what: Locator) -> FloatRect:
    """Where something is once it has come to rest."""
    await expect(what).to_be_visible()
    await what.evaluate("node => Promise.all(node.getAnimations().map(({finished}) => finished))")
    box = await what.bounding_box()
    assert box is not None
    return box


async def write(page: Page, text: str) -> None:
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = executable()
    if program is None:
        pytest.skip("Chromium is missing and could not be installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def site(browser: Browser) -> AsyncIterator[Site]:
    chat = FakeChat()
    async with serving(application(chat)) as url:
        site = Site(chat, url, browser)
        yield site
        for context in site.contexts:
            await context.close()
        chat.drop()
    assert site.faults == []


@pytest.fixture
def picture() -> Callable[[Page, str], Awaitable[None]]:
    """Saves what a page shows; into `docs/images` only when FRONTDESK_PICTURES asks for new ones."""
    folder = Path(__file__).parents[2] / "docs" / "images"

    async def save(page: Page, name: str) -> None:
        image = await page.screenshot(animations="disabled")
        assert len(image) > 5_000
        if os.environ.get("FRONTDESK_PICTURES") or not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(image)

    return save
