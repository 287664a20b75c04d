"""`analyze_images`: the customer's latest images as bytes for the model, and for each of the others why it is not seen.

Bytes come from our own store or, through the guarded client, from the address that a provider gave. They are held for
one request and written nowhere: the trace has names, types and sizes only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

import httpx2
from pydantic_ai.messages import BinaryContent

from frontdesk.core.door import Door
from frontdesk.core.egress import AnswerRefused, fetch
from frontdesk.core.errors import Json, PayloadTooLarge, Unavailable
from frontdesk.core.file_kinds import key_of
from frontdesk.core.image_heads import read_head
from frontdesk.runtime.attachments import Why
from frontdesk.runtime.history import IMAGE_TOKENS

MOST_IMAGES = 5  # of one turn
# Images before the customer's last words: as far back as somebody still means by "the picture that I sent".
RECENT = 10  # messages
# The narrowest of the known providers takes 5 MiB of base64 for one image, and 8,000 pixels a side.
MOST_BYTES = 3_900_000
MOST_BYTES_TOGETHER = 12_000_000
MOST_PIXELS = 8_000
READ_SECONDS = 5.0  # for all of them, side by side; the turn's lease is not renewed meanwhile


@dataclass(frozen=True, slots=True)
class Attached:
    """An image that a customer sent, by the position of its message."""

    position: int
    file_name: str | None = None
    s3_path: str | None = None
    media_url: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one image: its bytes with their size in pixels, or why the model does not see it."""

    image: Attached
    why: Why | None = None
    content: BinaryContent | None = None
    size: tuple[int, int] = (0, 0)

    @property
    def as_json(self) -> dict[str, Json]:
        """The entry of `ai_turns.images`."""
        seen = self.content is not None
        entry: dict[str, Json] = {"position": self.image.position, "file_name": self.image.file_name, "seen": seen}
        if self.content is None:
            return {**entry, "why": self.why}
        about: dict[str, Json] = {"file_type": self.content.media_type, "file_size": len(self.content.data)}
        return {**entry, **about, "width": self.size[0], "height": self.size[1]}


@dataclass(frozen=True, slots=True)
class Looks:
    """All images that were looked for, by the position of their message."""

    found: Mapping[int, Looked] = field(default_factory=dict)

    def contents(self, position: int) -> tuple[BinaryContent, ...]:
        looked = self.found.get(position)
        return () if looked is None or looked.content is None else (looked.content,)

    def why(self, position: int) -> Why | None:
        looked = self.found.get(position)
        return None if looked is None else looked.why

    @property
    def is_any_seen(self) -> bool:
        return any(looked.content is not None for looked in self.found.values())

    @property
    def as_json(self) -> list[Json]:
        return [looked.as_json for _, looked in sorted(self.found.items())]


def unseen(images: Sequence[Attached], why: Why) -> Looks:
    """None of them, for one reason."""
    return Looks({image.position: Looked(image, why) for image in images})


class ImageReader:
    """Reads images for the turns of one process. The door's guard bounds where an address may lead."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._guard = replace(door.guard, seconds=READ_SECONDS, max_bytes=MOST_BYTES)

    async def look(self, organization_id: int, images: Sequence[Attached], tokens: int) -> Looks:
        """The newest of `images` (oldest first), as many as `tokens` hold. Never fails: what cannot be read is told."""
        most = max(0, min(MOST_IMAGES, tokens // IMAGE_TOKENS, len(images)))
        looked = await asyncio.gather(*(self._look(organization_id, one) for one in images[len(images) - most :]))
        found = dict(unseen(images, "too_many").found)
        left = MOST_BYTES_TOGETHER
        for one in reversed(looked):
            left -= len(one.content.data) if one.content is not None else 0
            found[one.image.position] = one if left >= 0 else Looked(one.image, "too_large")
        return Looks(found)

    async def _look(self, organization_id: int, image: Attached) -> Looked:
        try:
            async with asyncio.timeout(READ_SECONDS):
                data = await self._read(organization_id, image)
        except (PayloadTooLarge, AnswerRefused):
            return Looked(image, "too_large")
        except (Unavailable, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            data = None  # a ValueError is an address that none can be made of
        if data is None:
            return Looked(image, "unreadable")
        head = read_head(data)
        if head is None:
            return Looked(image, "no_image")
        if max(head.width, head.height) > MOST_PIXELS:
            return Looked(image, "too_large")
        return Looked(image, None, BinaryContent(data, media_type=head.media_type), (head.width, head.height))

    async def _read(self, organization_id: int, image: Attached) -> bytes | None:
        """The bytes; None where there are none. A path of another organization is nobody's file."""
        if image.s3_path is not None:
            key = key_of(image.s3_path)
            if key is None or key.organization_id != organization_id:
                return None
            return await self._door.files.store.read(key.text, self._door.clock.now(), MOST_BYTES)
        if urlsplit(image.media_url or "").scheme not in ("http", "https"):
            return None
        async with self._guard.client() as client:
            answer = await fetch(client, "GET", str(image.media_url))
        return answer.content if answer.is_success else None


def candidates(rows: Sequence[Mapping[str, object]], since: datetime | None) -> list[Attached]:
    """The customer's images that a model may be shown, oldest first: those of what is to be answered, and those of the
    last few messages before it. `rows` are messages, oldest first."""
    heard = [r for r in rows if not r["is_deleted"] and (since is None or cast(datetime, r["created_at"]) > since)]
    first = len(heard)
    while first > 0 and heard[first - 1]["sender"] == "contact":
        first -= 1
    return [_attached(row) for row in heard[min(first, max(0, len(heard) - RECENT)) :] if _is_image(row)]


def _is_image(row: Mapping[str, object]) -> bool:
    """An image, also where a provider calls it a document. The bytes are looked at before it is believed."""
    is_named_so = row["message_type"] == "document" and str(row["file_type"] or "").startswith("image/")
    return row["sender"] == "contact" and (row["message_type"] == "image" or is_named_so)


def _attached(row: Mapping[str, object]) -> Attached:
    names = (cast("str | None", row[name]) for name in ("file_name", "s3_path", "media_url"))
    return Attached(cast(int, row["position"]), *names)
