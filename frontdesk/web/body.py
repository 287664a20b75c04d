"""Request bodies: read with a bound, parsed strictly, refused with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pydantic_core import from_json
from starlette.types import Receive

from frontdesk.core.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType

MAX_BODY = 2 * 1024 * 1024  # bytes; longest accepted text fields are far below
LONGEST = 60.0  # seconds for a whole body, or clients that send a byte now and then would hold every connection


class ClientGone(Exception):
    """The client hung up before its request was read."""


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, limit: int = MAX_BODY, seconds: float = LONGEST
) -> bytes:
    """The whole body, or 413 as soon as more than `limit` bytes are announced or seen; 400 after `seconds`."""
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise PayloadTooLarge(f"The body has more than {limit} bytes.")
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, limit)
    except TimeoutError:
        # Closed, because the server would wait for the rest of the body on it.
        raise BadRequest(
            f"The body did not arrive within {seconds:g} seconds.", headers={"Connection": "close"}
        ) from None


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"The body has more than {limit} bytes.")
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def parse_json(body: bytes, content_type: bytes) -> object:
    """The JSON value of a body. Raises 415 for another content type and 400 for what is not JSON."""
    kind = content_type.split(b";")[0].strip().lower()
    if kind not in (b"application/json", b"") and not kind.endswith(b"+json"):
        raise UnsupportedMediaType("Send the body as application/json.")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {str(error)[:120]}.") from None
