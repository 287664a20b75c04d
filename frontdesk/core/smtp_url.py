"""The address of a mail server, as the operator writes it."""

from __future__ import annotations

from urllib.parse import urlsplit

PORTS = {"smtp": 587, "smtps": 465}


def read_smtp_url(text: str) -> str:
    """Raises ValueError for what is no `smtp://user:password@host:port` or `smtps://…`."""
    try:
        url = urlsplit(text)
        is_one = url.scheme in PORTS and url.hostname and not url.path.strip("/") and not url.query and url.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("must be smtp://user:password@host:port or smtps://…")
    return text
