"""The chat for people who use a keyboard or a screen reader, or see badly: axe-core's rules and our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from .conftest import PHONE, Site, write

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"


async def populate(site: Site) -> None:
    site.chat.session["is_small_model"] = True
    site.chat.add("visitor", "Hi https://example.com", idempotency_key="12345678")
    site.chat.add("assistant", "- **A** list\n- with `code` and [a link](https://example.com)\n\n```\ncode\n```")
    site.chat.add("system", "Ana joined")
    site.chat.add("person", "Hello, this is Ana.", name="Ana")


async def faults(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
    return [f"{fault['id']}: {json.dumps(fault['nodes'][0]['target'])}" for fault in found["violations"]]


@pytest.mark.skipif(not AXE.exists(), reason="npm --prefix ui ci brings axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_fault(site: Site, scheme: str) -> None:
    await populate(site)
    page = await site.open(color_scheme=scheme, reduced_motion="reduce")
    await expect(page.get_by_text("Hello, this is Ana.")).to_be_visible()
    assert await faults(page) == []
    site.chat.refuses_with = (400, "No.")
    await write(page, "Refused")
    site.chat.draft(1, 1, "Half an answer")
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await faults(page) == []


async def test_only_what_is_new_is_read_out(site: Site) -> None:
    site.chat.add("assistant", "Old")
    page = await site.open()
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_attribute("aria-live", "polite")
    await log.evaluate("""node => { window.heard = []; new MutationObserver(list => list.forEach(change =>
        change.addedNodes.forEach(added => added.ariaHidden ?? window.heard.push(added.textContent)))
    ).observe(node, {childList: true}) }""")
    site.chat.typing(True, 2)
    await expect(page.get_by_role("status").filter(has_text="Sofía is typing")).to_have_count(1)
    site.chat.draft(2, 1, "Half")
    await expect(page.locator(".draft")).to_have_attribute("aria-hidden", "true")
    site.chat.add("assistant", "Whole", turn_id=2)
    await expect(page.get_by_text("Whole")).to_be_visible()
    heard = [text for text in await page.evaluate("window.heard") if "Half" not in text]
    assert heard[-1].startswith("Sofía: Whole")


async def test_every_control_is_reached_by_tab_and_shows_its_focus(site: Site) -> None:
    await populate(site)
    site.chat.refuses_with = (400, "No.")
    page = await site.open()
    await write(page, "Refused")
    await expect(page.get_by_role("alert")).to_be_visible()
    seen = []
    for _ in range(5):
        await page.keyboard.press("Shift+Tab")
        seen.append(await page.evaluate("document.activeElement.textContent || document.activeElement.ariaLabel"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", seen[-1]
    assert seen == ["Delete", "Try again", "code", "a link", "https://example.com"]


async def test_with_reduced_motion_nothing_moves(site: Site) -> None:
    page = await site.open(reduced_motion="reduce")
    site.chat.typing(True, 1)
    await expect(page.locator(".dots")).to_be_visible()
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_on_a_phone_the_field_does_not_zoom_and_buttons_are_big_enough(site: Site) -> None:
    page = await site.open(await site.visitor(**PHONE))
    size = await page.get_by_role("textbox").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    box = await page.get_by_role("button", name="Send message").bounding_box()
    assert size >= 16
    assert box is not None
    assert box["width"] >= 36
    assert await page.evaluate("document.activeElement === document.body")
