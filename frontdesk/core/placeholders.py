"""`{{1}}` and `{{name}}` in a text: the variables of message templates and broadcasts, as WhatsApp writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,60})\s*\}\}", re.ASCII)


def variables(*texts: str | None) -> list[str]:
    """The variables of the texts, each once: numbered ones by number, named ones in the order of their first use."""
    names = list(dict.fromkeys(name for text in texts if text for name in VARIABLE.findall(text)))
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values; what they contain is not read again. A variable without a value stays."""
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
