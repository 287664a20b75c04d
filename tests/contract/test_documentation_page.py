"""The API's page: it comes whole from this process, and the bare address leads there."""

from __future__ import annotations

import re

from tests.world import World


async def test_the_bare_address_leads_to_the_page(world: World) -> None:
    async with world.client(None) as client:
        answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


async def test_each_file_of_the_page_is_there(world: World) -> None:
    async with world.client(None) as client:
        page = (await client.get("/docs")).text
        files = re.findall(r'(?:href|src)="([^"]+)"', page)
        statuses = [(await client.get(file)).status_code for file in files]
    assert "/docs/page.css" in files
    assert set(statuses) == {200}


async def test_titles_are_english(world: World) -> None:
    async with world.client(None) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    titles = {operation["summary"] for path in paths.values() for operation in path.values()}
    assert {"Create a contact", "Change an API key", "Create an SMS message", "Get a WhatsApp message"} <= titles
    assert not [title for title in titles if re.search(r" a [aeiouAEIO]| an [^aeiouAEIOS]", title)]
