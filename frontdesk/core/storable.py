"""Text of the outside as the database can hold it: what a model wrote is kept, but for what JSONB refuses."""

from __future__ import annotations

import math
import re

from .errors import Json

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Json) -> Json:
    """The value with NUL and half surrogate pairs replaced by U+FFFD, and numbers without a value told as text."""
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {UNSTORABLE.sub("\ufffd", str(key)): storable(item) for key, item in value.items()}
    return value
