"""`demo.json`: what a script needs to talk to the demo organization. Rewritten at each start, mode 600."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.demo.organization import Demo
from frontdesk.resources.organization.api_keys import hash_key
from frontdesk.resources.organization.passwords import hash_password, is_password

KEY_NAME = "Demo (frontdesk run)"
KEY_IS_GOOD = """
    SELECT true FROM api_keys
    WHERE organization_id = $1 AND key_hash = $2 AND deleted_at IS NULL AND (expires_at IS NULL OR expires_at > now())
"""
OLD_KEYS = "SELECT id FROM api_keys WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"
PASSWORD_HASH = "SELECT password_hash FROM users WHERE id = $1"
SET_PASSWORD = "UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1"

Card = dict[str, object]


def read_card(path: Path) -> Mapping[str, object]:
    """What an earlier start wrote; nothing when it is missing or broken."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def write_card(path: Path, card: Mapping[str, object]) -> None:
    """Replace the file at once, so that a reader sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(card, file, indent=2)
            file.write("\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


async def make_card(door: Door, demo: Demo, base_url: str, known: Mapping[str, object], password: str | None) -> Card:
    """The card of a running installation; `known` is the card before, whose key is kept while it is good."""
    async with door.database.system() as connection:
        key = await good_key(connection, demo, known)
        old = [] if key else await connection.fetch(OLD_KEYS, demo.organization_id, KEY_NAME)
    if key is None:
        key = await new_key(door, demo, [row["id"] for row in old])
    password = password or await settle_password(door, demo, known)
    return {
        "base_url": base_url,
        "api_key": key,
        "organization_id": demo.organization_id,
        "assistant_id": demo.assistant_id,
        "contact_id": demo.contact_id,
        "chat_url": f"{base_url}/chat/{demo.public_key}" if demo.public_key else None,
        "login": {"email": demo.email, "password": password},
    }


async def settle_password(door: Door, demo: Demo, known: Mapping[str, object]) -> str | None:
    """The password of the card before while it is right; None when its owner has changed it. A lost card gets a new
    one: nobody could know the old."""
    login = known.get("login")
    stored = login.get("password") if isinstance(login, dict) else None
    async with door.database.system() as connection:
        if known:
            hashed = await connection.fetchval(PASSWORD_HASH, demo.user_id)
            return stored if isinstance(stored, str) and is_password(hashed, stored) else None
        password = secrets.token_urlsafe(12)
        await connection.execute(SET_PASSWORD, demo.user_id, hash_password(password))
    return password


async def good_key(connection: Connection, demo: Demo, known: Mapping[str, object]) -> str | None:
    key = known.get("api_key")
    if not isinstance(key, str):
        return None
    return key if await connection.fetchval(KEY_IS_GOOD, demo.organization_id, hash_key(key)) else None


async def new_key(door: Door, demo: Demo, old: list[int]) -> str:
    """A new key instead of the old ones, in one transaction."""
    async with door.database.transaction(demo.organization_id) as tx:
        for id in old:
            await door.call(demo.caller, "api-keys", "remove", id=id, tx=tx)
        answer = await door.call(demo.caller, "api-keys", "create", data={"name": KEY_NAME}, tx=tx)
    return cast(str, answer.value["key"])
