"""Files: signed addresses that hold what they allow, uploads whole or not there, downloads that run nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from frontdesk.core.clock import FakeClock
from frontdesk.core.disk_store import DiskStore
from frontdesk.core.files import Files
from frontdesk.web import files as edge
from tests.stored_files import PNG, asked, stored_key, upload
from tests.world import OURS, THEIRS, World

PNG_HEADER = {"content-type": "image/png"}


def store_of(world: World) -> DiskStore:
    disk = world.app.app.state.door.files.disk  # type: ignore[attr-defined]
    assert isinstance(disk, DiskStore)
    return disk


def drafts(world: World) -> list[str]:
    folder = store_of(world).folder / ".drafts"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def changed(url: str, **values: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | values)}"


async def test_an_address_is_signed_for_one_file(world: World) -> None:
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked(file_name="Más fotos/../día 1.PNG"))).json()
    key = signed["s3PathWithoutBucket"]
    assert key.startswith(f"{OURS}/conversation-file/")
    assert key.endswith("/dia-1.PNG")
    assert signed["s3Path"] == f"s3://local/{key}"
    assert (signed["method"], signed["headers"]) == ("PUT", {"Content-Type": "image/png"})
    assert signed["expires_at"].endswith("Z")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "invoice"}, "type"), ({"type": None}, "type"), ({"file_type": "text/html"}, "file_type"),
        ({"file_type": "image/svg+xml"}, "file_type"), ({"file_type": "image/png\nx"}, "file_type"),
        ({"file_type": "application/pdf", "type": "product-media"}, "file_type"), ({"file_size": 0}, "file_size"),
        ({"file_size": 101 * 2**20}, "file_size"), ({"file_size": 6 * 2**20, "type": "avatar"}, "file_size"),
        ({"file_size": "10"}, "file_size"), ({"file_name": 7}, "file_name"), ({"file_name": "x" * 300}, "file_name"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_may_not_be_uploaded_is_refused_by_its_field(
    world: World, given: dict[str, object], field: str
) -> None:
    async with world.client() as client:
        answer = await client.post("/s3-url-signing", json=asked(**given))
    assert answer.status_code == 400
    assert [*answer.json()["errors"]] == [field]


async def test_what_was_sent_lies_whole_in_the_store(world: World) -> None:
    async with world.client() as client:
        uploaded = await upload(client)
    assert uploaded.put.status_code == 200, uploaded.put.text
    path = store_of(world).path(uploaded.key)
    assert path.read_bytes() == PNG
    assert path.stat().st_mode & 0o777 == 0o600
    assert drafts(world) == []


async def pieces(content: bytes, gate: asyncio.Event, begun: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    yield content[:1000]
    if begun:
        begun.set()
    await gate.wait()
    yield content[1000:]


async def test_a_slow_upload_appears_when_it_is_whole(world: World) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        content = pieces(PNG, gate, begun)
        sending = asyncio.create_task(client.put(signed["signed_url"], content=content, headers=PNG_HEADER))
        await begun.wait()
        assert len(drafts(world)) == 1
        assert not store_of(world).path(signed["s3PathWithoutBucket"]).exists()
        gate.set()
        assert (await sending).status_code == 200
    assert store_of(world).path(signed["s3PathWithoutBucket"]).read_bytes() == PNG


async def test_an_upload_that_stands_still_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "IDLE", 0.01)
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        answer = await client.put(signed["signed_url"], content=pieces(PNG, asyncio.Event()), headers=PNG_HEADER)
    assert answer.status_code == 400
    assert drafts(world) == []


@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "in pieces"])
@pytest.mark.parametrize(
    ("content", "status"), [(PNG + b"!", 413), (PNG[:-1], 400), (b"", 400)], ids=["more", "less", "none"]
)
async def test_another_length_is_refused(world: World, content: bytes, status: int, is_chunked: bool) -> None:
    gate = asyncio.Event()
    gate.set()
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        sent = pieces(content, gate) if is_chunked else content
        answer = await client.put(signed["signed_url"], content=sent, headers=PNG_HEADER)
    assert answer.status_code == status, answer.text
    assert not store_of(world).path(signed["s3PathWithoutBucket"]).exists()
    assert drafts(world) == []


@pytest.mark.parametrize("kind", ["text/html", "image/jpeg", "", "image/png; charset=x"])
async def test_another_type_is_refused(world: World, kind: str) -> None:
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        answer = await client.put(signed["signed_url"], content=PNG, headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "values",
    [{"size": "99999"}, {"type": "text/html"}, {"expires": "9999999999"}, {"signature": "x"}, {"signature": "é"}],
    ids=str,
)
async def test_a_changed_address_is_refused(world: World, values: dict[str, str]) -> None:
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        answer = await client.put(changed(signed["signed_url"], **values), content=PNG, headers=PNG_HEADER)
    assert answer.status_code == 403
    assert answer.json()["className"] == "forbidden"


async def test_an_address_of_another_key_or_method_is_refused(world: World) -> None:
    async with world.client() as client:
        first = (await client.post("/s3-url-signing", json=asked())).json()
        second = (await client.post("/s3-url-signing", json=asked())).json()
        query = urlsplit(first["signed_url"]).query
        put = await client.put(f"/files/{second['s3PathWithoutBucket']}?{query}", content=PNG, headers=PNG_HEADER)
        got = await client.get(first["signed_url"])
    assert (put.status_code, got.status_code) == (403, 403)


@pytest.mark.parametrize(
    "path",
    [
        "..%2F..%2Fsecret.key", "1/conversation-file/../../../secret.key", "%2Fetc%2Fpasswd", "1/avatar/x/photo.png",
        "1/conversation-file/" + "A" * 32 + "/..", "1/conversation-file/" + "A" * 32 + "/a%00b", ".drafts/x", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_what_is_no_key_is_not_there(world: World, method: str, path: str) -> None:
    async with world.client() as client:
        answer = await client.request(method, f"http://test/files/{path}", headers=PNG_HEADER)
    assert answer.status_code == 404


async def test_an_address_ends_after_an_hour(world: World) -> None:
    files: Files = world.app.app.state.door.files  # type: ignore[attr-defined]
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        files.clock = FakeClock(files.clock.now() + timedelta(minutes=61))
        answer = await client.put(signed["signed_url"], content=PNG, headers=PNG_HEADER)
    assert answer.status_code == 403
    assert "expired" in answer.json()["message"]


async def test_the_same_file_twice_is_one_and_another_one_is_refused(world: World) -> None:
    async with world.client() as client:
        first = await upload(client)
        again = await client.put(first.url, content=PNG, headers=PNG_HEADER)
        other = await client.put(first.url, content=PNG[::-1], headers=PNG_HEADER)
    assert (again.status_code, other.status_code) == (200, 409)
    assert store_of(world).path(first.key).read_bytes() == PNG
    assert drafts(world) == []


async def test_two_uploads_at_once_leave_one_whole_file(world: World) -> None:
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
        put = [client.put(signed["signed_url"], content=bytes([i]) * len(PNG), headers=PNG_HEADER) for i in range(4)]
        answers = await asyncio.gather(*put)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(set(store_of(world).path(signed["s3PathWithoutBucket"]).read_bytes())) == 1


async def download(world: World, **values: object) -> tuple[httpx.AsyncClient, str]:
    """The address of a conversation's file, and a client without credentials."""
    conversation = await world.row("conversations")
    async with world.client() as client:
        uploaded = await upload(client, **values)  # type: ignore[arg-type]
        body = {"conversation_id": conversation, "s3_key": uploaded.key}
        record = (await client.post("/conversation-files", json=body)).json()
    return world.client(None), record["url"]


async def test_a_picture_is_shown_but_can_do_nothing(world: World) -> None:
    stranger, url = await download(world)
    answer = await stranger.get(url)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["cache-control"].startswith("private")


async def test_a_document_is_offered_for_saving_under_its_name(world: World) -> None:
    stranger, url = await download(world, file_type="application/pdf", file_name='Año "1".pdf')
    answer = await stranger.get(url)
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''A%C3%B1o%20%221%22.pdf"


@pytest.mark.parametrize(
    ("asked_for", "status", "part"),
    [
        ("bytes=0-9", 206, PNG[:10]),
        ("bytes=-5", 206, PNG[-5:]),
        ("bytes=10-", 206, PNG[10:]),
        ("bytes=99999-", 416, None),
    ],
)
async def test_a_part_can_be_read(world: World, asked_for: str, status: int, part: bytes | None) -> None:
    stranger, url = await download(world)
    answer = await stranger.get(url, headers={"range": asked_for})
    assert answer.status_code == status
    assert part is None or answer.content == part


@pytest.mark.parametrize("values", [{"expires": "9999999999"}, {"signature": ""}], ids=str)
async def test_a_download_needs_its_signature(world: World, values: dict[str, str]) -> None:
    stranger, url = await download(world)
    answers = [await stranger.get(changed(url, **values)), await stranger.get(urlsplit(url).path)]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_a_download_ends(world: World) -> None:
    stranger, url = await download(world)
    files: Files = world.app.app.state.door.files  # type: ignore[attr-defined]
    files.clock = FakeClock(files.clock.now() + timedelta(hours=2))
    assert (await stranger.get(url)).status_code == 403


async def test_pictures_of_products_are_public_and_do_not_change(world: World) -> None:
    key = await stored_key(world, "product-media")
    product = await world.row("products")
    async with world.client() as client:
        medium = (await client.post("/product-media", json={"product_id": product, "s3_key": key})).json()
    async with world.client(None) as stranger:
        answer = await stranger.get(medium["media_path"])
    assert medium["media_path"] == f"/files/{key}"
    assert (medium["file_type"], medium["file_size"]) == ("image/png", len(PNG))
    assert (answer.status_code, answer.content) == (200, PNG)
    assert "immutable" in answer.headers["cache-control"]


async def test_a_promised_file_that_never_came_is_not_there(world: World) -> None:
    async with world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked(type="avatar"))).json()
        answer = await client.get(f"/files/{signed['s3PathWithoutBucket']}")
    assert answer.status_code == 404


@pytest.mark.parametrize("organization_id", [OURS, THEIRS])
async def test_a_key_serves_its_own_organization_only(world: World, organization_id: int) -> None:
    key = await stored_key(world, organization_id=organization_id)
    conversation = await world.row("conversations")
    async with world.client() as client:
        answer = await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})
    assert answer.status_code == (201 if organization_id == OURS else 400)
    assert organization_id == OURS or "s3_key" in answer.json()["errors"]
