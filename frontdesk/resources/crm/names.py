"""Names as people give them, and the keys that programs use for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from frontdesk.core.fields import Plain, Wrong

KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def check_name(value: Plain) -> Plain:
    """A display name as people read it: without spaces around it, and not empty."""
    name = str(value).strip()
    if not name:
        raise Wrong("minLength", "must not be empty", limit=1)
    return name


def check_key(value: Plain) -> Plain:
    if not KEY.fullmatch(str(value)):
        raise Wrong("pattern", "must be lower-case letters, digits and underscores, a letter first (at most 64)")
    return value


def key_from(name: str, taken: Container[str] = (), stem: str = "field") -> str:
    """The name in snake_case, of the letters that ASCII has: "Plan (año)" becomes `plan_ano`; numbered where taken."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50].rstrip("_")
    # Of a name in another script nothing is left, and a key never begins with a digit.
    key = key if KEY.fullmatch(key) else f"{stem}_{key}".rstrip("_")
    free, number = key, 2
    while free in taken:
        free, number = f"{key}_{number}", number + 1
    return free
