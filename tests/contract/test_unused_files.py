"""What becomes of files: kept while a record uses them, removed a day after nobody does."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta

import pytest

from frontdesk.core.clock import FakeClock
from frontdesk.core.disk_store import DiskStore
from frontdesk.core.errors import Unavailable
from frontdesk.core.file_kinds import make_key
from frontdesk.core.files import Files
from frontdesk.core.uploads import remove_unclaimed
from frontdesk.runtime.upload_sweeper import sweep_uploads
from tests.stored_files import asked, stored_key
from tests.world import OURS, THEIRS, World


def files_of(world: World) -> Files:
    files = world.app.app.state.door.files  # type: ignore[attr-defined]
    assert isinstance(files, Files)
    return files


def is_stored(world: World, key: str) -> bool:
    disk = files_of(world).disk
    assert disk
    return disk.path(key).exists()


async def sweep(world: World, **later: float) -> int:
    files = files_of(world)
    return await remove_unclaimed(world.database, files, FakeClock(files.clock.now() + timedelta(**later)))


async def test_what_nobody_claims_goes_after_a_day(world: World) -> None:
    key = await stored_key(world)
    assert (await sweep(world, hours=23), is_stored(world, key)) == (0, True)
    assert (await sweep(world, hours=25), is_stored(world, key)) == (1, False)
    assert await sweep(world, hours=25) == 0


async def test_a_promise_that_was_never_kept_goes_too(world: World) -> None:
    async with world.client() as client:
        await client.post("/s3-url-signing", json=asked())
    assert await sweep(world, hours=25) == 1


async def test_what_a_record_uses_stays(world: World) -> None:
    key, conversation = await stored_key(world), await world.row("conversations")
    async with world.client() as client:
        await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
    assert (await sweep(world, days=400), is_stored(world, key)) == (0, True)


@pytest.mark.parametrize("removed", ["/product-media/1", "/products/1"])
async def test_a_picture_goes_a_day_after_its_last_use(world: World, removed: str) -> None:
    key = await stored_key(world, "product-media")
    async with world.client() as client:
        for product in (await world.row("products"), await world.row("products")):
            await client.post("/product-media", json={"product_id": product, "s3_key": key})
        await client.delete(removed)
        assert await sweep(world, hours=25) == 0
        await client.delete("/product-media/2")
    assert (await sweep(world, hours=25), is_stored(world, key)) == (1, False)


async def test_pictures_of_variants_go_with_the_family(world: World) -> None:
    key, parent = await stored_key(world, "product-media"), await world.row("products")
    variant = await world.row("products", parent_id=parent, is_variant=True)
    async with world.client() as client:
        await client.post("/product-media", json={"product_id": variant, "s3_key": key})
        await client.delete(f"/products/{parent}")
    assert await sweep(world, hours=25) == 1


async def test_an_avatar_stays_while_its_contact_shows_it(world: World) -> None:
    first, second = await stored_key(world, "avatar"), await stored_key(world, "avatar")
    async with world.client() as client:
        one = f"/contacts/{await world.row('contacts')}"
        await client.patch(one, json={"avatar_url": f"/files/{first}"})
        assert (await sweep(world, hours=25), is_stored(world, first)) == (1, True)
        await client.patch(one, json={"avatar_url": None})
    assert (await sweep(world, hours=25), is_stored(world, first)) == (1, False)
    assert not is_stored(world, second)


@pytest.mark.parametrize("purpose", ["avatar", "product-media"])
async def test_an_avatar_of_ours_that_is_none_is_refused(world: World, purpose: str) -> None:
    key = await stored_key(world, purpose, THEIRS if purpose == "avatar" else OURS)
    async with world.client() as client:
        answer = await client.post("/contacts", json={"first_name": "Ana", "avatar_url": f"/files/{key}"})
        elsewhere = await client.post("/contacts", json={"avatar_url": "https://example.com/a.png"})
    assert (answer.status_code, elsewhere.status_code) == (400, 201)
    assert [*answer.json()["errors"]] == ["avatar_url"]


@pytest.mark.parametrize("is_known", [True, False], ids=["uploaded", "made up"])
async def test_a_message_that_names_a_path_keeps_its_file(world: World, is_known: bool) -> None:
    key = await stored_key(world) if is_known else make_key(OURS, "conversation-file", "a.png").text
    conversation = await world.row("conversations", channel="webchat")
    body = {"conversation_id": conversation, "message_type": "image", "s3_path": f"s3://local/{key}"}
    async with world.client() as client:
        answer = await client.post("/conversation-messages-transform-outgoing-webchat", json=body)
    assert answer.status_code == (201 if is_known else 400), answer.text
    assert await sweep(world, days=2) == 0


async def test_what_is_being_removed_cannot_be_claimed(world: World) -> None:
    key, conversation = await stored_key(world), await world.row("conversations")
    async with world.database.system() as connection:
        await connection.execute("UPDATE file_uploads SET removing_at = now()")
    async with world.client() as client:
        answer = await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
    assert answer.status_code == 400
    assert "removed" in answer.json()["errors"]["s3_key"]


async def test_a_removal_that_broke_off_is_taken_up_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await stored_key(world)

    async def fail(*_: object) -> None:
        raise Unavailable("The file store cannot be reached.")

    with monkeypatch.context() as broken:
        broken.setattr(DiskStore, "remove", fail)
        with pytest.raises(Unavailable):
            await sweep(world, hours=25)
    assert (await sweep(world, hours=25.5), is_stored(world, key)) == (0, True)
    assert (await sweep(world, hours=27), is_stored(world, key)) == (1, False)


async def test_drafts_of_killed_uploads_go_after_a_day(world: World) -> None:
    disk = files_of(world).disk
    assert disk
    await stored_key(world)
    old, new = disk.folder / ".drafts" / "old", disk.folder / ".drafts" / "new"
    for draft in (old, new):
        draft.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    await disk.remove_drafts()
    assert (old.exists(), new.exists()) == (False, True)


async def test_the_worker_sweeps_until_it_is_told_to_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key, files, stopping, swept = await stored_key(world), files_of(world), asyncio.Event(), asyncio.Event()
    clock = FakeClock(files.clock.now() + timedelta(days=2))

    async def note(_: DiskStore) -> None:
        swept.set()

    monkeypatch.setattr(DiskStore, "remove_drafts", note)
    sweeping = asyncio.create_task(sweep_uploads(world.database, files, clock, stopping))
    await swept.wait()
    stopping.set()
    await sweeping
    assert not is_stored(world, key)
