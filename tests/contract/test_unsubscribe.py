"""The link by which the recipient of a broadcast opts out."""

from __future__ import annotations

import pytest

from tests.world import THEIRS, World

KEY = "0123456789abcdef0123456789abcdef"


async def recipient(world: World, organization_id: int = 1) -> int:
    """A contact who got a broadcast with this link."""
    contact = await world.row("contacts", organization_id, email="ana@example.com")
    await world.row("email-broadcast-recipients", organization_id, contact_id=contact, unsubscribe_key=KEY)
    return contact


async def opted_out_at(world: World, contact: int) -> object:
    async with world.database.system() as connection:
        return await connection.fetchval("SELECT opted_out_at FROM contacts WHERE id = $1", contact)


@pytest.mark.parametrize("organization_id", [1, THEIRS])
async def test_the_page_asks_and_the_button_opts_out(world: World, organization_id: int) -> None:
    contact = await recipient(world, organization_id)
    async with world.client(None) as client:
        page = await client.get(f"/unsubscribe/{KEY}")
        assert (page.status_code, "<form" in page.text) == (200, True)
        assert await opted_out_at(world, contact) is None  # mail scanners open every link
        done = await client.post(f"/unsubscribe/{KEY}", data={"List-Unsubscribe": "One-Click"})
        first = await opted_out_at(world, contact)
        assert (await client.post(f"/unsubscribe/{KEY}")).status_code == 200
    assert (done.status_code, "unsubscribed" in done.text) == (200, True)
    assert first is not None
    assert await opted_out_at(world, contact) == first


async def test_a_spaniard_reads_spanish(world: World) -> None:
    await recipient(world)
    async with world.client(None, **{"accept-language": "es-MX,es;q=0.9"}) as client:
        assert "Cancelar la suscripción" in (await client.get(f"/unsubscribe/{KEY}")).text


async def test_the_page_names_who_wrote(world: World) -> None:
    await recipient(world)
    async with world.client() as owner:
        await owner.patch("/organizations/1", json={"name": "Luna <b>{0}</b> & Co"})
    async with world.client(None) as client:
        text = (await client.get(f"/unsubscribe/{KEY}")).text
    assert "of this kind from Luna &lt;b&gt;{0}&lt;/b&gt; &amp; Co." in text


@pytest.mark.parametrize("key", ["f" * 32, "x", "..%2f..", KEY + "0", "%00" * 4])
async def test_an_unknown_link_says_so(world: World, key: str) -> None:
    await recipient(world)
    async with world.client(None) as client:
        answers = [await client.get(f"/unsubscribe/{key}"), await client.post(f"/unsubscribe/{key}")]
    assert [answer.status_code for answer in answers] == [404, 404]


async def test_the_page_runs_nothing_and_is_kept_nowhere(world: World) -> None:
    await recipient(world)
    async with world.client(None) as client:
        headers = (await client.get(f"/unsubscribe/{KEY}")).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_the_key_is_shown_to_nobody(world: World) -> None:
    await recipient(world)
    async with world.client() as client:
        rows = (await client.get("/email-broadcast-recipients")).json()
    assert KEY not in str(rows)


async def test_who_was_merged_since_is_meant_by_the_one_that_was_kept(world: World) -> None:
    merged, kept = await recipient(world), await world.row("contacts")
    await world.row("email-broadcast-recipients", contact_id=kept, unsubscribe_key="e" * 32)
    async with world.client() as client:
        await client.post("/contact-merges", json={"contact_id": kept, "merged_contact_id": merged})
        assert (await client.post(f"/unsubscribe/{KEY}")).status_code == 200
    assert await opted_out_at(world, kept) is not None
