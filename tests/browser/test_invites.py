"""The page of an invitation in a real browser: from the link to a membership, and what a link that is over says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, expect

from frontdesk.core.caller import Role
from frontdesk.core.database import Database
from frontdesk.core.settings import Settings
from tests.serving import serving
from tests.world import PASSWORD, THEIRS, World, email_of, make_world

from .conftest import DESKTOP, PHONE
from .test_access import AXE, faults

pytestmark = pytest.mark.browser


class House:
    """A served world, and a browser to open links in."""

    def __init__(self, world: World, url: str, browser: Browser) -> None:
        self.world, self.url, self.browser = world, url, browser
        self.addresses: list[str] = []

    async def link(self, email: str = "marta@example.com") -> str:
        async with self.world.client(Role.owner) as client:
            body = {"email": email, "role": "admin"}
            made = (await client.post("/organizations-users-invites", json=body)).json()
        return f"{self.url}/invites#{made['token']}"

    async def open(self, link: str, **options: object) -> Page:
        context = await self.browser.new_context(**{"locale": "en-US", **DESKTOP, **options})  # type: ignore[arg-type]
        page = await context.new_page()
        page.on("request", self._asked)
        await page.goto(link)
        return page

    def _asked(self, request: Request) -> None:
        self.addresses.append(request.url.partition("#")[0] + str(request.headers.get("referer", "")))


@pytest.fixture
async def house(database: Database, tmp_path: Path, browser: Browser) -> AsyncIterator[House]:
    settings = Settings(data=tmp_path, secret_key="browser tests need no better secret")  # type: ignore[call-arg]
    async with make_world(database, settings) as world, serving(world.app.app) as url:
        yield House(world, url, browser)


async def test_a_new_person_joins(house: House) -> None:
    link = await house.link()
    page = await house.open(link)
    await expect(page.get_by_role("heading")).to_have_text("Join Ours")
    await page.get_by_role("button", name="Accept the invitation").click()
    await expect(page.get_by_text("Enter your first name.")).to_be_visible()
    await expect(page.get_by_label("First name")).to_be_focused()
    await page.get_by_label("First name").fill("Marta")
    await page.get_by_label("Password").fill("ten letters at least")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("Welcome to Ours")
    assert link.partition("#")[2] not in " ".join(house.addresses)
    await page.reload()
    await expect(page.get_by_text("It was accepted already.")).to_be_visible()


async def test_who_has_a_login_enters_its_password_in_their_language(house: House) -> None:
    page = await house.open(await house.link(email_of(Role.member, THEIRS)), locale="es-CO")
    await expect(page.get_by_role("heading")).to_have_text("Únete a Ours")
    await expect(page.get_by_label("Nombre")).to_be_hidden()
    await page.get_by_label("Contraseña").fill("wrong password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Esa no es la contraseña de este acceso.")).to_be_visible()
    await page.get_by_label("Contraseña").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("Te damos la bienvenida a Ours")


@pytest.mark.parametrize("behind", ["", "#", "#fdi_nobody"], ids=["none", "empty", "unknown"])
async def test_a_link_that_is_not_complete_says_so(house: House, behind: str) -> None:
    page = await house.open(f"{house.url}/invites{behind}")
    await expect(page.get_by_role("heading")).to_have_text("This invitation does not work")
    await expect(page.get_by_role("button")).to_be_hidden()


async def test_a_name_is_text_and_not_a_page(house: House) -> None:
    async with house.world.database.system() as connection:
        await connection.execute("UPDATE organizations SET name = '<img src=x onerror=alert(1)>' WHERE id = 1")
    page = await house.open(await house.link())
    await expect(page.get_by_role("heading")).to_have_text("Join <img src=x onerror=alert(1)>")
    assert await page.locator("img").count() == 0


@pytest.mark.skipif(not AXE.exists(), reason="npm --prefix ui ci brings axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_no_fault(house: House, scheme: str, device: dict[str, object]) -> None:
    page = await house.open(await house.link(), color_scheme=scheme, **device)
    await page.get_by_role("button", name="Accept the invitation").click()
    await expect(page.get_by_text("Enter your first name.")).to_be_visible()
    # axe comes as a script of ours, which the page's policy lets in by the browser's own tools only.
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
