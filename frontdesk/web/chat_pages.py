"""What a browser loads before the chat speaks: the page, its bundle, and the script that embeds it in other sites."""

from __future__ import annotations

import gzip
import hashlib
import html
import string
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from frontdesk.core.errors import NotFound

STATIC = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
BUNDLE = ("chat.js", "chat.css")
EMBED = "webchat.js"
YEAR, MINUTES = "public, max-age=31536000, immutable", "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the bundle, read and packed once per process."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str


@cache
def asset(name: str) -> Asset:
    body = (STATIC / name).read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Asset(body, gzip.compress(body, mtime=0), TYPES[Path(name).suffix], etag)


@cache
def bundle_version() -> str:
    """Changes with the bundle, so that browsers may keep it for ever under its address."""
    return hashlib.sha256(b"".join(asset(name).body for name in BUNDLE)).hexdigest()[:12]


@cache
def shell(name: str) -> string.Template:
    return string.Template((STATIC / name).read_text("utf-8"))


def send_asset(request: Request, name: str) -> Response:
    """A file of the bundle or the embed script. Raises `NotFound` for any other name."""
    if name not in (*BUNDLE, EMBED):
        raise NotFound("There is no such file.")
    found = asset(name)
    headers = {
        "etag": found.etag,
        "cache-control": YEAR if request.query_params.get("v") == bundle_version() else MINUTES,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        # The embed script is loaded by other sites, some of which isolate themselves.
        "cross-origin-resource-policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, headers=headers | {"content-encoding": "gzip"}, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)


def chat_page(public_key: str, title: str, allowed_origins: Iterable[str]) -> HTMLResponse:
    """The chat's page. Only our own pages and `allowed_origins` may frame it."""
    body = shell("chat.html").substitute(
        title=html.escape(title), key=html.escape(public_key), version=bundle_version()
    )
    return HTMLResponse(body, headers=page_headers(allowed_origins))


def missing_page() -> HTMLResponse:
    body = shell("missing.html").substitute(version=bundle_version())
    return HTMLResponse(body, 404, headers=page_headers(["*"]))


def page_headers(allowed_origins: Iterable[str]) -> dict[str, str]:
    origins = list(allowed_origins)
    framers = "*" if "*" in origins else " ".join(["'self'", *origins])
    policy = (
        # Pictures of products may lie elsewhere, and uploaded ones in a bucket.
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {framers}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cache-control": "no-cache",
    }
