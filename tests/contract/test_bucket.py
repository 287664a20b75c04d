"""The same journey with an S3-compatible store: the bytes go there, and never through us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from frontdesk.core.clock import FakeClock
from frontdesk.core.database import Database
from frontdesk.core.errors import PayloadTooLarge, Unavailable
from frontdesk.core.settings import Settings
from frontdesk.core.uploads import remove_unclaimed
from tests.models.http_server import Received, Recorder, head, serving
from tests.stored_files import PNG, asked, upload
from tests.world import World, make_world


@dataclass
class Bucket:
    """Objects by path, as a store keeps them; what is not signed is refused. `status` overrules all answers."""

    objects: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None

    async def handle(self, request: Received, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        found = self.objects.get(parts.path)
        if self.status or "X-Amz-Signature" not in query:
            writer.write(head(self.status or 403, content_length=0))
        elif request.method == "PUT":
            self.objects[parts.path] = request.body
            writer.write(head(200, content_length=0))
        elif request.method == "DELETE":
            self.objects.pop(parts.path, None)
            writer.write(head(204, content_length=0))
        elif found is None:
            writer.write(head(404, content_length=0))
        else:
            shown = query.get("response-content-disposition", [""])[0]
            writer.write(head(200, content_length=len(found), content_disposition=shown))
            writer.write(found if request.method == "GET" else b"")


@dataclass
class Place:
    world: World
    bucket: Bucket
    recorder: Recorder


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    bucket = Bucket()
    async with serving(bucket.handle) as recorder:
        settings = Settings(
            data=tmp_path, secret_key="contract tests need no better secret", s3_endpoint=recorder.url,
            s3_bucket="desk", s3_access_key="key", s3_secret_key="a secret of the store",
        )  # type: ignore[call-arg]  # fmt: skip
        async with make_world(database, settings) as world:
            yield Place(world, bucket, recorder)


async def send(place: Place, client: httpx.AsyncClient) -> str:
    """Upload as a client does, straight to the store."""
    signed = (await client.post("/s3-url-signing", json=asked())).json()
    async with httpx.AsyncClient() as direct:
        put = await direct.put(signed["signed_url"], content=PNG, headers=signed["headers"])
    assert put.status_code == 200
    return str(signed["s3PathWithoutBucket"])


async def record(place: Place, client: httpx.AsyncClient, key: str) -> httpx.Response:
    conversation = await place.world.row("conversations")
    return await client.post("/conversation-files", json={"conversation_id": conversation, "s3_key": key})


async def test_a_file_goes_to_the_bucket_and_comes_from_it(place: Place) -> None:
    async with place.world.client() as client:
        key = await send(place, client)
        made = (await record(place, client, key)).json()
        answer = await client.get(made["url"])
    assert made["s3_path"] == f"s3://desk/{key}"
    assert place.bucket.objects == {f"/desk/{key}": PNG}
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"{place.recorder.url}/desk/{key}?")
    assert answer.headers["location"].count("inline") == 1


async def test_bytes_are_read_up_to_a_limit(place: Place) -> None:
    async with place.world.client() as client:
        key = await send(place, client)
    store, now = place.world.door.files.store, FakeClock().now()
    assert await store.read(key, now, len(PNG)) == PNG
    assert await store.read(key[:-4], now, 10) is None
    with pytest.raises(PayloadTooLarge):
        await store.read(key, now, len(PNG) - 1)
    place.bucket.status = 503
    with pytest.raises(Unavailable):
        await store.read(key, now, len(PNG))


async def test_an_upload_is_signed_with_its_size_and_type(place: Place) -> None:
    async with place.world.client() as client:
        signed = (await client.post("/s3-url-signing", json=asked())).json()
    query = parse_qs(urlsplit(signed["signed_url"]).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert 3590 <= int(query["X-Amz-Expires"][0]) <= 3600


async def test_the_stores_secret_is_nowhere(place: Place) -> None:
    async with place.world.client() as client:
        key = await send(place, client)
        answer = await record(place, client, key)
    assert "a secret of the store" not in answer.text
    assert not place.recorder.said("a secret of the store")


async def test_our_own_server_takes_no_bytes(place: Place) -> None:
    async with place.world.client() as client:
        uploaded = await upload(client, type="avatar")
        answer = await client.put(f"/files/{uploaded.key}", content=PNG)
    assert answer.status_code == 404


async def test_a_file_that_is_not_in_the_bucket_has_no_record(place: Place) -> None:
    async with place.world.client() as client:
        key = (await client.post("/s3-url-signing", json=asked())).json()["s3PathWithoutBucket"]
        answer = await record(place, client, key)
    assert "not uploaded" in answer.json()["errors"]["s3_key"]


async def test_a_file_of_another_size_has_no_record(place: Place) -> None:
    """A store that does not hold to the signed length."""
    async with place.world.client() as client:
        key = await send(place, client)
        place.bucket.objects[f"/desk/{key}"] = b"short"
        answer = await record(place, client, key)
    assert "another size" in answer.json()["errors"]["s3_key"]


@pytest.mark.parametrize("status", [403, 500, 301])
async def test_a_store_that_refuses_us_is_a_503(place: Place, status: int) -> None:
    async with place.world.client() as client:
        key = await send(place, client)
        place.bucket.status = status
        answer = await record(place, client, key)
    assert answer.status_code == 503
    assert str(status) in answer.json()["message"]


async def test_what_nobody_uses_goes_from_the_bucket_too(place: Place) -> None:
    files = place.world.app.app.state.door.files  # type: ignore[attr-defined]
    async with place.world.client() as client:
        await send(place, client)
    later = FakeClock(files.clock.now() + timedelta(hours=25))
    assert await remove_unclaimed(place.world.database, files, later) == 1
    assert place.bucket.objects == {}
