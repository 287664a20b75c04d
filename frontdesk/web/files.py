"""`/files/<key>`: uploads by PUT and downloads by GET, each allowed by its signed address and by nothing else.

Bytes go from the socket to the disk and back in pieces of bounded size. What a browser does not need to show is offered
for saving, and nothing that was uploaded runs as a page of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from frontdesk.core.door import Door
from frontdesk.core.errors import BadRequest, NotFound, PayloadTooLarge, UnsupportedMediaType
from frontdesk.core.file_kinds import ADDRESS, Key
from frontdesk.core.files import Upload

from .body import ClientGone
from .responses import json_response

IDLE = 30.0  # seconds without a byte, after which an upload is given up
LONGEST = 3600.0  # seconds of a whole upload
STORED = "SELECT file_name, file_type FROM file_uploads WHERE organization_id = $1 AND s3_key = $2"
# A file that is opened in a window of its own may load nothing and run nothing.
ALONE = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'; sandbox"}


class FilesEdge:
    """The endpoint over the door's files."""

    def __init__(self, door: Door) -> None:
        self.door, self.files = door, door.files

    def routes(self) -> list[Route]:
        path = f"{ADDRESS}{{key:path}}"
        return [Route(path, self.put, methods=["PUT"]), Route(path, self.get, methods=["GET", "HEAD"])]

    async def put(self, request: Request) -> Response:
        """Store the bytes of a signed address. 200 where the same bytes are stored already, 409 where others are."""
        disk = self.files.disk
        if disk is None:
            raise NotFound("Files are not uploaded here; use the address that POST /s3-url-signing gave.")
        upload = self.files.read_upload(request.path_params["key"], request.query_params)
        _check_announced(request, upload)
        try:
            async with asyncio.timeout(LONGEST), aclosing(_chunks(request)) as chunks:
                await disk.write(upload.key.text, upload.file_size, chunks)
        except TimeoutError:
            # Closed, because the server would wait for the rest on it.
            raise BadRequest("The upload took too long; try again.", headers={"Connection": "close"}) from None
        except ClientDisconnect:
            raise ClientGone from None
        return json_response({"s3_key": upload.key.text, "file_size": upload.file_size})

    async def get(self, request: Request) -> Response:
        """The file, whole or in the ranges asked for; or the way to the bucket where it lies."""
        key = self.files.read_download(request.path_params["key"], request.query_params)
        async with self.door.database.reading(key.organization_id) as connection:
            row = await connection.fetchrow(STORED, key.organization_id, key.text)
        if row is None:
            raise NotFound("There is no such file.")
        is_shown = self.files.is_shown(row["file_type"])
        disposition = f"{'inline' if is_shown else 'attachment'}; filename*=utf-8''{quote(row['file_name'], safe='')}"
        if (elsewhere := self._elsewhere(key, row["file_type"], disposition)) is not None:
            return elsewhere
        return await self._send(key, row["file_type"], disposition)

    def _elsewhere(self, key: Key, file_type: str, disposition: str) -> Response | None:
        # The address is good for longer than the redirect is remembered.
        url = self.files.store.sign_download(
            key.text, self.door.clock.now(), 900, file_type=file_type, disposition=disposition
        )
        return RedirectResponse(url, 307, {"cache-control": "private, max-age=600"}) if url else None

    async def _send(self, key: Key, file_type: str, disposition: str) -> Response:
        disk = self.files.disk
        assert disk is not None
        if await disk.size(key.text, self.door.clock.now()) is None:
            raise NotFound("There is no such file.")
        kept = "public, max-age=31536000, immutable" if key.is_public else "private, max-age=3600"
        headers = {**ALONE, "cache-control": kept, "content-disposition": disposition}
        return FileResponse(disk.path(key.text), headers=headers, media_type=file_type)


def _check_announced(request: Request, upload: Upload) -> None:
    """What the headers say already, before a byte is read."""
    given = request.headers.get("content-type", "").lower()
    if given != upload.file_type:
        raise UnsupportedMediaType(f"The header Content-Type must be {upload.file_type}, as it was announced.")
    length = request.headers.get("content-length")
    if length is None or not length.isdigit():
        return  # in pieces (chunked); counted as they come
    if int(length) > upload.file_size:
        raise PayloadTooLarge(f"The file has {length} bytes, more than the {upload.file_size} that were announced.")
    if int(length) < upload.file_size:
        raise BadRequest(f"The file has {length} bytes, fewer than the {upload.file_size} that were announced.")


async def _chunks(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes, as long as something comes: a client that holds the line silently is let go."""
    stream = aiter(request.stream())
    while True:
        async with asyncio.timeout(IDLE):
            chunk = await anext(stream, None)
        if chunk is None:
            return
        if chunk:
            yield chunk
