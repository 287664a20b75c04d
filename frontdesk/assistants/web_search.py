"""`advanced_options.web_search`: whether the assistant may look things up on the web, and on which sites.

The search engine is the operator's (`FRONTDESK_SEARXNG_URL`); the organization decides only whether and where.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from frontdesk.assistants.section import Section

WEB_SEARCH = "web_search"  # the tool's name
MOST_DOMAINS = 50
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")


def check_domain(text: str) -> str:
    """A domain in its plain form (small letters, punycode). Raises `ValueError` for an address or a lone word."""
    try:
        name = text.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name) or name.rpartition(".")[2].isdecimal():
        raise ValueError("must be a domain such as example.com, without https:// and path")
    return name


Domain = Annotated[str, StringConstraints(min_length=1, max_length=253), AfterValidator(check_domain)]


class WebSearch(Section):
    """An empty `allowed_domains` allows every site; `max_results` is what the model gets of one search."""

    enabled: bool = False
    provider: Literal["searxng"] = "searxng"
    allowed_domains: list[Domain] = Field(default_factory=list, max_length=MOST_DOMAINS)
    max_results: Annotated[int, Field(ge=1, le=20)] = 5


def host_of(url: str) -> str | None:
    """The host that a browser would go to; None for anything but a plain web address."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        host = host.encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        return None
    # A backslash, a space or a percent sign in a host is read in one way here and in another one by a browser.
    return host if parts.scheme in ("http", "https") and _HOST.fullmatch(host) else None


def sites_of(one: Sequence[str], other: Sequence[str]) -> list[str] | None:
    """The sites that both lists allow, an empty list being all; None where there is none."""
    if not one or not other:
        return [*(one or other)]
    both = [*(site for site in one if is_on(site, other)), *(site for site in other if is_on(site, one))]
    return list(dict.fromkeys(both)) or None


def is_on(host: str, domains: Collection[str]) -> bool:
    """Whether the host is one of the domains or lies below one; no domains are all."""
    return not domains or any(host == domain or host.endswith(f".{domain}") for domain in domains)
