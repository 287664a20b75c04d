"""Small real images, and where a desk keeps its files."""

import struct
import zlib
from pathlib import Path

from frontdesk.core.disk_store import DiskStore
from frontdesk.core.file_kinds import make_key
from frontdesk.core.files import Files
from tests.flow.harness import Desk

UPLOADED = """
    INSERT INTO file_uploads (organization_id, s3_key, type, file_name, file_type, file_size, claims, created_at,
        updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, 1, now(), now()) RETURNING id
"""


def png(width: int = 2, height: int = 1, weight: int = 0) -> bytes:
    """A valid image; `weight` bytes of it say nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(min(height, 50))))
    parts = (chunk(b"IHDR", head), chunk(b"teXt", b"\0" * weight), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def keep_files(desk: Desk, folder: Path) -> Files:
    """Give the desk a folder for its files."""
    files = Files(DiskStore(folder), "s" * 32, desk.clock, "https://desk.example")
    desk.door._files = files
    return files


async def upload(
    desk: Desk,
    data: bytes,
    name: str = "teeth.png",
    purpose: str = "conversation-file",
    organization_id: int | None = None,
) -> str:
    """A file in the store, as an upload leaves it. Gives its key."""
    key = make_key(organization_id or desk.organization_id, purpose, name)
    path = desk.door.files.disk.path(key.text)  # type: ignore[union-attr]
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    await desk.fetch(UPLOADED, key.organization_id, key.text, purpose, name, "image/png", len(data))
    return key.text
