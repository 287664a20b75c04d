"""An image is what its bytes say, not what it was called."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.image_heads import ImageHead, read_head

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 20, 10) + b"\0"
FRAME = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, 300, 400) + bytes(9)
JPEG = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + bytes(14) + b"\xff\xff\xc4" + struct.pack(">H", 3) + b"\0" + FRAME
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 0x4000 | 50, 60)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + struct.pack("<I", 49 | 59 << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + struct.pack("<HBHB", 4, 1, 59, 0)

HEADS = {
    "png": (PNG, ImageHead("image/png", 640, 480)),
    "gif": (GIF, ImageHead("image/gif", 20, 10)),
    "jpeg": (JPEG, ImageHead("image/jpeg", 400, 300)),
    "webp lossy": (LOSSY, ImageHead("image/webp", 50, 60)),
    "webp lossless": (LOSSLESS, ImageHead("image/webp", 50, 60)),
    "webp extended": (EXTENDED, ImageHead("image/webp", 65541, 60)),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_head_says_type_and_size(name: str) -> None:
    data, head = HEADS[name]
    assert read_head(data) == head


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", JPEG[:30], GIF[:8],
     b"GIF89a\0\0\0\0", b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xd8\xff\xe0\0\0"],
)  # fmt: skip
def test_everything_else_is_no_image(data: bytes) -> None:
    assert read_head(data) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"RIFF1234WEBPVP8X", PNG[:10]]))
def test_any_bytes_are_an_image_or_none(data: bytes, start: bytes) -> None:
    found = read_head(start + data)
    assert found is None or (found.width > 0 and found.height > 0)
