"""An API's answer as data for the model: parsed, without our secrets in it, and cut to what a model can use."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic_core import from_json

from frontdesk.core.errors import Json
from frontdesk.core.storable import storable
from frontdesk.core.vault import mask

LONGEST_TEXT = 2_000  # characters of one text
LONGEST_ANSWER = 12_000  # characters of the whole, about 4,000 tokens
SHORTEST_SECRET = 8  # characters; a shorter one would be found in every other word
SHORTER = 200  # characters of one text, where the whole is still too long
ROUNDS = (100, 50, 20, 10, 5, 3, 1)  # items that each list keeps, tried in turn
READABLE = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/javascript")


def readable(content: bytes, content_type: str, secrets: Iterable[str] = ()) -> Json:
    """The body: JSON as values, other text as text, anything else named and left out."""
    kind = content_type.split(";")[0].strip().lower()
    if not content:
        return None
    if kind and not kind.startswith(READABLE) and not kind.endswith(("+json", "+xml")):
        return f"[{kind}, {len(content)} bytes, left out]"
    text = without(content.decode("utf-8", "replace"), secrets)
    try:
        value: Json = from_json(text, allow_inf_nan=False)
    except ValueError:
        return storable(text)
    return storable(value)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with our own secrets masked: some servers echo what they were sent."""
    for secret in sorted(_parts(secrets), key=len, reverse=True):
        text = text.replace(secret, mask(secret)).replace(json.dumps(secret)[1:-1], mask(secret))
    return text


def _parts(secrets: Iterable[str]) -> set[str]:
    """Each value, and each of its words that is long enough to be one: the token of `Bearer …` is secret by itself."""
    found = set(secrets)
    return {part for secret in found for part in (secret, *secret.split()) if len(part) >= SHORTEST_SECRET}


def trimmed(value: Json, longest: int = LONGEST_ANSWER) -> Json:
    """The value with long texts cut, then with fewer items in each list, until it fits; every cut leaves a mark."""
    cut = _cut(value, LONGEST_TEXT, None)
    for most in ROUNDS:
        if _size(cut) <= longest:
            return cut
        cut = _cut(value, LONGEST_TEXT, most)
    cut = _cut(value, SHORTER, 1) if _size(cut) > longest else cut
    return cut if _size(cut) <= longest else _cut_text(json.dumps(value, ensure_ascii=False), longest - 100)


def _size(value: Json) -> int:
    return len(json.dumps(value, ensure_ascii=False))


def _cut(value: Json, longest: int, most: int | None) -> Json:
    if isinstance(value, str):
        return _cut_text(value, longest)
    if isinstance(value, list):
        kept: list[Json] = [_cut(item, longest, most) for item in value[:most]]
        return [*kept, f"… [{len(value) - len(kept)} more items]"] if len(value) > len(kept) else kept
    if isinstance(value, dict):
        return {key: _cut(item, longest, most) for key, item in value.items()}
    return value


def _cut_text(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… [{len(text) - longest} more characters]"
