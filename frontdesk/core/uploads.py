"""Uploads and the records that use them: a file stays while a record claims it, and for a day before and after.

An upload is a row (`file-uploads`) from the moment its address is signed. A record that uses the file adds a claim, in
its own transaction; what nobody claims for a day is removed by the worker.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .clock import Clock
from .database import Connection, Database
from .errors import Fault, Invalid
from .fields import Plain
from .file_kinds import ADDRESS, Key, read_key
from .files import Files

if TYPE_CHECKING:
    from .door import Call

KEPT = timedelta(days=1)  # without a claim
AT_ONCE = 100  # files of one round

CLAIM = """
    UPDATE file_uploads SET claims = claims + 1, updated_at = $4
    WHERE organization_id = $1 AND s3_key = $2 AND type = $3 AND removing_at IS NULL
    RETURNING file_name, file_type, file_size
"""
RELEASE = """
    UPDATE file_uploads SET claims = claims - 1, updated_at = $3
    WHERE organization_id = $1 AND s3_key = $2 AND claims > 0
"""
# Marked first, so that nobody claims what is being removed; a process that dies meanwhile leaves the mark.
MARK = """
    UPDATE file_uploads SET removing_at = $1 WHERE id IN (
        SELECT id FROM file_uploads
        WHERE claims = 0 AND updated_at < $2 AND (removing_at IS NULL OR removing_at < $3)
        ORDER BY updated_at LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING id, s3_key
"""
GONE = "DELETE FROM file_uploads WHERE id = $1"


async def check_stored(call: Call, purpose: str) -> None:
    """Before the write: the body's `s3_key` names a file that lies in the store, of the size that was announced.

    Raises Invalid where it does not, or where the key is another organization's."""
    text = call.data.get("s3_key")
    if text is None:
        return
    key = read_key(str(text))
    if key is None or key.organization_id != call.organization_id or key.purpose != purpose:
        raise Invalid([Fault("s3_key", "reference", f"is no key that POST /s3-url-signing gave for a {purpose}")])
    size = await call.door.files.store.size(key.text, call.door.clock.now())
    if size is None:
        raise Invalid([Fault("s3_key", "reference", "names a file that was not uploaded yet")])
    call.data["file_size"] = _agreed(call, "file_size", size)


async def claim(call: Call, purpose: str) -> None:
    """In the write's transaction: the file stays, and the body's name, type and path are those of the upload."""
    text = str(call.data["s3_key"])
    row = await call.connection.fetchrow(CLAIM, call.organization_id, text, purpose, call.door.clock.now())
    if row is None:
        raise Invalid([Fault("s3_key", "reference", "names an upload that was removed; upload the file again")])
    if row["file_size"] != call.data["file_size"]:
        raise Invalid(
            [Fault("s3_key", "reference", "names a file of another size than was announced; upload it again")]
        )
    call.data["file_type"] = _agreed(call, "file_type", row["file_type"])
    call.data["s3_path"] = _agreed(call, "s3_path", call.door.files.s3_path(text))
    if not call.data.get("file_name"):
        call.data["file_name"] = row["file_name"]


def _agreed(call: Call, name: str, stored: Plain) -> Plain:
    given = call.data.get(name)
    if given is not None and given != stored:
        raise Invalid([Fault(name, "const", f"is {stored} of the file that was uploaded", allowedValue=str(stored))])
    return stored


async def keep(connection: Connection, key: Key, now: datetime) -> bool:
    """A record without a check of its own begins to use the file; False where no such upload is known."""
    claimed = await connection.fetchval(CLAIM, key.organization_id, key.text, key.purpose, now)
    return claimed is not None


async def release(connection: Connection, organization_id: int, s3_key: str, now: datetime) -> None:
    """A record stops using the file: it is removed a day later, unless another one uses it."""
    await connection.execute(RELEASE, organization_id, s3_key, now)


async def claim_address(call: Call, name: str, purpose: str) -> None:
    """For a field that holds an address (an avatar): where it is one of ours, keep its file, and let go the one before.

    Call it in `prepare`. Raises Invalid where the address names no file of this organization."""
    before, now = (call.before or {}).get(name), call.door.clock.now()
    if name not in call.data or call.data[name] == before:
        return
    if (key := key_in_address(before)) is not None:
        await release(call.connection, call.organization_id, key, now)
    if (key := key_in_address(call.data[name])) is None:
        return
    if not await call.connection.fetchval(CLAIM, call.organization_id, key, purpose, now):
        raise Invalid([Fault(name, "reference", f"names no {purpose} that was uploaded")])


def key_in_address(address: object) -> str | None:
    """The key in an address of our own (`/files/…`, with or without the host before it); None in any other."""
    if not isinstance(address, str):
        return None
    key = read_key(address.partition(ADDRESS)[2])
    return key.text if key else None


async def remove_unclaimed(database: Database, files: Files, clock: Clock) -> int:
    """One round of removal over all organizations; gives how many files went. No transaction waits for the store."""
    now = clock.now()
    async with database.system() as connection:
        rows = await connection.fetch(MARK, now, now - KEPT, now - timedelta(hours=1), AT_ONCE)
    for row in rows:
        await files.store.remove(row["s3_key"], now)
        async with database.system() as connection:
            await connection.execute(GONE, row["id"])
    await files.store.remove_drafts()
    return len(rows)
