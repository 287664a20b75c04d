"""Secrets in a file: none. Where one is stored there is null, which on the way back stands for the stored one."""

from __future__ import annotations

from frontdesk.core.errors import Json
from frontdesk.core.vault import is_mask

# Of a sign-in: they change with each renewal, and a file that differs every hour would be of no use.
RENEWED = ("expires_at", "status")


def without_masks(value: Json) -> Json:
    """The value with null for each mask."""
    if isinstance(value, list):
        return [without_masks(item) for item in value]
    if isinstance(value, dict):
        aside = RENEWED if "access_token" in value else ()
        return {name: without_masks(inner) for name, inner in value.items() if name not in aside}
    return None if isinstance(value, str) and is_mask(value) else value


def with_masks(wanted: Json, live: Json) -> Json:
    """The value with the mask of what is stored for each null; entries of lists are the same by `id` or `name`.

    Whether the stored secret may stay is for the one who takes the mask: it is refused for another address.
    """
    if wanted is None:
        return live if isinstance(live, str) and is_mask(live) else None
    if isinstance(wanted, dict):
        known = live if isinstance(live, dict) else {}
        return {name: with_masks(inner, known.get(name)) for name, inner in wanted.items()}
    if isinstance(wanted, list):
        entries = {_key(entry): entry for entry in live} if isinstance(live, list) else {}
        return [with_masks(entry, entries.get(_key(entry))) for entry in wanted]
    return wanted


def _key(entry: Json) -> str:
    return str(entry.get("id") or entry.get("name")) if isinstance(entry, dict) else ""
