"""`/openapi.json`, `/docs` and the way there from `/`: the description of the API and its page, from this process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from frontdesk.core.errors import NotFound
from frontdesk.core.resource import Registry

from .openapi import make_document

FILES = Path(__file__).parent / "static" / "docs"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
# The viewer draws its icons from data addresses and sets its own styles.
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"


def routes(registry: Registry) -> list[Route]:
    """The description is made once, on the first request for it."""

    @cache
    def document() -> bytes:
        return to_json(make_document(registry))

    async def description(_: Request) -> Response:
        return Response(document(), media_type="application/json", headers={"cache-control": "no-cache"})

    return [
        Route("/openapi.json", description),
        Route("/", front),
        Route("/docs", page),
        Route("/docs/{name}", page),
    ]


async def front(_: Request) -> Response:
    """Whoever opens the bare address looks for the way in; until there are screens, that is the API's page."""
    return RedirectResponse("/docs")


async def page(request: Request) -> Response:
    """The page or one of its files; raises `NotFound` for any other name."""
    name = request.path_params.get("name", "index.html")
    path = FILES / name
    if path.suffix not in TYPES or path.parent != FILES or not path.is_file():
        raise NotFound(f"Path {request.url.path[:200]} not found")
    headers = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "cache-control": "no-cache"}
    return FileResponse(path, headers=headers, media_type=TYPES[path.suffix])
