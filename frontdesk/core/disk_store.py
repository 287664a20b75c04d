"""Files in a folder of the data folder: the store of an installation on one machine.

A file appears whole or not at all: it is written beside, synced, and linked to its name, which fails where the name is
taken. A file never changes after that.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from .errors import BadRequest, Conflict, PayloadTooLarge, Unavailable

DRAFTS = ".drafts"
DRAFTS_KEPT = 86_400  # seconds; an upload takes an hour at most
AT_ONCE = 256 * 1024  # bytes gathered before a thread writes them


class DiskStore:
    """The folder `files` of the data folder. All processes that serve or sweep must see the same folder."""

    bucket = "local"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where a key of `file_kinds.py` is stored; such a key cannot leave the folder."""
        return self.folder / key

    def sign_upload(self, key: str, file_type: str, size: int, now: datetime, seconds: int) -> None:
        """None: the bytes come through our own server, by its own signature."""

    def sign_download(self, key: str, now: datetime, seconds: int, *, file_type: str, disposition: str) -> None:
        """None: our own server sends the file."""

    async def size(self, key: str, now: datetime) -> int | None:
        """Bytes of the stored file; None where there is none."""
        try:
            return (await asyncio.to_thread(self.path(key).stat)).st_size
        except FileNotFoundError:
            return None

    async def read(self, key: str, now: datetime, most: int) -> bytes | None:
        """All bytes; None where there is no such file. Raises PayloadTooLarge where it has more than `most`."""
        try:
            data = await asyncio.to_thread(_read, self.path(key), most + 1)
        except FileNotFoundError:
            return None
        if len(data) > most:
            raise PayloadTooLarge(f"The file has more than {most} bytes.")
        return data

    async def write(self, key: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Store what comes. Raises PayloadTooLarge or BadRequest where it is not `size` bytes, and Conflict where other
        bytes are stored under the key; the same once more changes nothing."""
        draft = self.folder / DRAFTS / secrets.token_hex(16)
        try:
            with await asyncio.to_thread(_open_draft, draft) as file:
                digest = await _receive(file, size, chunks)
            await asyncio.to_thread(self._publish, draft, self.path(key), digest)
        except TimeoutError:
            raise  # an OSError by its class; it is the client's
        except OSError as error:
            raise Unavailable(f"The file cannot be stored: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def _publish(self, draft: Path, target: Path, digest: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(draft, target)
        except FileExistsError:
            with target.open("rb") as stored:
                if hashlib.file_digest(stored, "sha256").digest() != digest:
                    raise Conflict("Another file was uploaded to this address; ask for a new one.") from None
            return
        for folder in (target.parent, *target.parent.parents):
            _sync(folder)  # or a power cut could take the name away again
            if folder == self.folder:
                break

    async def remove(self, key: str, now: datetime) -> None:
        """Delete the file and the folder of its own; nothing where it is gone already."""
        path = self.path(key)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        with suppress(OSError):
            await asyncio.to_thread(path.parent.rmdir)

    async def remove_drafts(self) -> None:
        """What uploads left behind whose process was killed."""
        await asyncio.to_thread(self._remove_drafts)

    def _remove_drafts(self) -> None:
        with suppress(FileNotFoundError):
            for draft in (self.folder / DRAFTS).iterdir():
                with suppress(FileNotFoundError):
                    # Against the file system's clock, which stamped the draft.
                    if time.time() - draft.stat().st_mtime > DRAFTS_KEPT:
                        draft.unlink()


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _open_draft(draft: Path) -> BinaryIO:
    draft.parent.mkdir(parents=True, exist_ok=True)
    return open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))


async def _receive(file: BinaryIO, size: int, chunks: AsyncIterator[bytes]) -> bytes:
    digest, seen, gathered = hashlib.sha256(), 0, bytearray()

    def write(part: bytes) -> None:
        digest.update(part)
        file.write(part)

    async for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            raise PayloadTooLarge(f"More than the {size} bytes that were announced came.")
        gathered += chunk
        if len(gathered) >= AT_ONCE:
            await asyncio.to_thread(write, bytes(gathered))
            gathered.clear()
    if seen < size:
        raise BadRequest(f"Only {seen} of the {size} bytes that were announced came.")
    await asyncio.to_thread(_finish, file, write, bytes(gathered))
    return digest.digest()


def _finish(file: BinaryIO, write: Callable[[bytes], None], rest: bytes) -> None:
    write(rest)
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
