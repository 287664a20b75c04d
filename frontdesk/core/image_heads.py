"""What an image is by its first bytes: the real type and the size in pixels, whatever name or header it came with.

Only the heads of the four formats that vision models take are read; no pixel is decoded here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PNG, GIF, JPEG = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a"), b"\xff\xd8\xff"
# Start-of-frame markers of JPEG (ITU T.81, table B.1); C4, C8 and CC are other segments.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
MOST_SEGMENTS = 500


@dataclass(frozen=True, slots=True)
class ImageHead:
    """`media_type` as IANA names it; width and height in pixels."""

    media_type: str
    width: int
    height: int


def read_head(data: bytes) -> ImageHead | None:
    """The head of a PNG, JPEG, GIF or WebP image; None for everything else, and for one that breaks off early."""
    try:
        found = _found(data)
    except (struct.error, IndexError):
        return None
    return found if found is not None and found.width > 0 and found.height > 0 else None


def _found(data: bytes) -> ImageHead | None:
    if data.startswith(PNG) and data[12:16] == b"IHDR":
        return ImageHead("image/png", *struct.unpack(">II", data[16:24]))
    if data.startswith(GIF):
        return ImageHead("image/gif", *struct.unpack("<HH", data[6:10]))
    if data.startswith(JPEG):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _jpeg(data: bytes) -> ImageHead | None:
    place = 2
    for _ in range(MOST_SEGMENTS):
        while data[place] == 0xFF:  # a marker may be preceded by any number of fill bytes
            place += 1
        marker = data[place]
        if marker in FRAMES:
            height, width = struct.unpack(">HH", data[place + 4 : place + 8])
            return ImageHead("image/jpeg", width, height)
        if marker in ALONE:
            place += 1
            continue
        (length,) = struct.unpack(">H", data[place + 1 : place + 3])
        place += 1 + length
        if length < 2 or data[place] != 0xFF:
            return None
    return None


def _webp(data: bytes) -> ImageHead | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[26:30])
        return ImageHead("image/webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", data[21:25])
        return ImageHead("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        low = struct.unpack("<HBHB", data[24:30])
        return ImageHead("image/webp", low[0] + (low[1] << 16) + 1, low[2] + (low[3] << 16) + 1)
    return None
