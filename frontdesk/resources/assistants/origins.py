"""Addresses of model servers as the API accepts them."""

from __future__ import annotations

from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.vault import origin_of


def check_origin(base_url: object) -> str | None:
    """The address without a slash at its end. Raises `Invalid`; whether it may be reached is checked when it is."""
    if not base_url:
        return None
    try:
        origin_of(str(base_url))
    except ValueError as error:
        raise Invalid([Fault("base_url", "format", str(error))]) from None
    return str(base_url).strip().rstrip("/")
