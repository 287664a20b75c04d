"""Accepting invitations: two endpoints without a key, and the page that the link of the mail leads to."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from frontdesk.core.door import Door
from frontdesk.core.errors import BadRequest, NotFound
from frontdesk.core.rates import Limit, Rates
from frontdesk.resources.organization.invite_acceptance import accept, describe, find, read_wish

from .authentication import MAX_BODY, TRIES_PER_MINUTE
from .body import parse_json, read_body
from .identity import Identities
from .responses import json_response
from .rest import credentials

PATH = "/organizations-users-invites"
FILES = Path(__file__).parent / "static" / "invites"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class InvitesEdge:
    """What somebody with an invitation's token may do."""

    def __init__(self, door: Door, identities: Identities, rates: Rates) -> None:
        self.door, self.identities, self.rates = door, identities, rates

    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}-lookup", self.look_up, methods=["POST"]),
            Route(f"{PATH}-accept", self.accept, methods=["POST"]),
            Route("/invites", page),
            Route("/invites/{name}", page),
        ]

    async def look_up(self, request: Request) -> Response:
        """Who invites whom, as what, until when."""
        await self._count(request)
        wish = read_wish(await _body(request))
        return json_response(describe(await find(self.door, wish.token)))

    async def accept(self, request: Request) -> Response:
        """201 with the membership. An existing login proves itself by its password or by its own bearer token."""
        await self._count(request)
        wish = read_wish(await _body(request))
        _, bearer = credentials(dict(request.scope["headers"]))
        login = (await self.identities.identify(None, bearer)).user_id if bearer else None
        row = await find(self.door, wish.token)
        if login is None and row["password_hash"] is not None:
            # Guesses of a password count together with those at POST /authentication.
            await self.rates.count(self.door.clock.now(), Limit("login", row["email"].lower(), TRIES_PER_MINUTE))
        done = await accept(self.door, wish, row, login)
        self.identities.forget()
        return json_response(done, 201)

    async def _count(self, request: Request) -> None:
        address = request.client.host if request.client else "unknown"
        await self.rates.count(self.door.clock.now(), Limit("invite", address, 6 * TRIES_PER_MINUTE))


async def _body(request: Request) -> dict[str, object]:
    headers = dict(request.scope["headers"])
    body = parse_json(await read_body(headers, request.receive, MAX_BODY), headers.get(b"content-type", b""))
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


async def page(request: Request) -> Response:
    """The page or one of its files; raises `NotFound` for any other name."""
    path = FILES / request.path_params.get("name", "index.html")
    if path.suffix not in TYPES or path.parent != FILES or not path.is_file():
        raise NotFound(f"Path {request.url.path[:200]} not found")
    return FileResponse(path, headers=PAGE_HEADERS, media_type=TYPES[path.suffix])
