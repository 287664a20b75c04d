"""Files in a bucket of an S3-compatible store: for several machines, or more files than a disk holds.

Clients put and get the bytes there by signed addresses; none pass through us. The bucket's address is the operator's
own setting, so it may be private.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import httpx2

from .aws_signature import Signer
from .egress import AnswerRefused, Guard
from .errors import PayloadTooLarge, Unavailable

BRIEFLY = 60  # seconds that an address of our own requests is valid


class BucketStore:
    """One bucket, addressed in its path: `https://store.example/bucket/key`, which all such stores understand."""

    def __init__(self, endpoint: str, bucket: str, signer: Signer) -> None:
        self.bucket, self._signer = bucket, signer
        self._address = f"{endpoint.rstrip('/')}/{bucket}"
        parts = urlsplit(endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._guard = Guard.of([f"{parts.hostname}:{port}"], seconds=20.0)

    def sign_upload(self, key: str, file_type: str, size: int, now: datetime, seconds: int) -> str:
        """Where to PUT the bytes. Type and size are signed with it: the store refuses any other."""
        headers = {"content-type": file_type, "content-length": str(size)}
        return self._signer.presign("PUT", f"{self._address}/{key}", now=now, seconds=seconds, headers=headers)

    def sign_download(self, key: str, now: datetime, seconds: int, *, file_type: str, disposition: str) -> str:
        shown = {"response-content-type": file_type, "response-content-disposition": disposition}
        return self._signer.presign("GET", f"{self._address}/{key}", now=now, seconds=seconds, parameters=shown)

    async def size(self, key: str, now: datetime) -> int | None:
        """Bytes of the stored object; None where there is none. Raises Unavailable when the store does not say."""
        answer = await self._ask("HEAD", key, now)
        if answer.status_code == 404:
            return None
        self._expect(answer, 200)
        return int(answer.headers.get("content-length", "-1"))

    async def read(self, key: str, now: datetime, most: int) -> bytes | None:
        """All bytes; None where there is no such object. Raises PayloadTooLarge where it has more than `most`."""
        answer = await self._ask("GET", key, now, replace(self._guard, max_bytes=most))
        if answer.status_code == 404:
            return None
        self._expect(answer, 200)
        return answer.content

    async def remove(self, key: str, now: datetime) -> None:
        self._expect(await self._ask("DELETE", key, now), 200, 204, 404)

    async def remove_drafts(self) -> None:
        """The store knows no drafts: an object appears when all of it has come."""

    async def _ask(self, method: str, key: str, now: datetime, guard: Guard | None = None) -> httpx2.Response:
        url = self._signer.presign(method, f"{self._address}/{key}", now=now, seconds=BRIEFLY)
        try:
            async with (guard or self._guard).client() as client:
                return await client.request(method, url)
        except AnswerRefused as error:
            raise PayloadTooLarge("The file is larger than what may be read of it.") from error
        except httpx2.HTTPError as error:
            raise Unavailable("The file store cannot be reached; try again in a few seconds.") from error

    def _expect(self, answer: httpx2.Response, *statuses: int) -> None:
        if answer.status_code not in statuses:
            raise Unavailable(f"The file store answered with status {answer.status_code}; look at its settings.")
