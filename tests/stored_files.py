"""Uploading as a client does: an address, the bytes, the record."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.world import OURS, World

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass
class Uploaded:
    """What an address was signed for, and the answers on the way."""

    signed: httpx.Response
    put: httpx.Response

    @property
    def key(self) -> str:
        return str(self.signed.json()["s3PathWithoutBucket"])

    @property
    def url(self) -> str:
        return str(self.signed.json()["signed_url"])


def asked(content: bytes = PNG, **values: object) -> dict[str, object]:
    return {
        "type": "conversation-file", "file_name": "photo.png", "file_type": "image/png", "file_size": len(content),
        **values,
    }  # fmt: skip


async def upload(client: httpx.AsyncClient, content: bytes = PNG, **values: object) -> Uploaded:
    """Sign and send; the answers are the test's to look at."""
    body = asked(content, **values)
    signed = await client.post("/s3-url-signing", json=body)
    assert signed.status_code == 201, signed.text
    address = signed.json()
    put = await client.put(address["signed_url"], content=content, headers=address["headers"])
    return Uploaded(signed, put)


async def stored_key(world: World, purpose: str = "conversation-file", organization_id: int = OURS) -> str:
    """The key of a file that lies in the store."""
    async with world.client(organization_id=organization_id) as client:
        uploaded = await upload(client, type=purpose)
    assert uploaded.put.status_code == 200, uploaded.put.text
    return uploaded.key
