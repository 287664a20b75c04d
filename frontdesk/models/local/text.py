"""Comparing what people write: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str, keep: str = "") -> str:
    """Lower case, no accents; everything but letters, digits and `keep` is one space."""
    flat = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(rf"[^a-z0-9{re.escape(keep)}]+", " ", flat).split())


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)
