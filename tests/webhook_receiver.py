"""A webhook's receiver: a real HTTP server on this machine that keeps what it gets and answers as the test says."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.serving import serving

Behaviour = Callable[[Request], Awaitable[Response]]


@dataclass
class Got:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    path: str = "/"  # as it was sent, still encoded
    query: str = ""

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answers` are given in order, the last one for ever."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[Response | Behaviour] = field(default_factory=lambda: [PlainTextResponse("thanks")])
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        path, query = request.scope["raw_path"].decode().partition("?")[0], request.url.query
        self.got.append(Got(dict(request.headers), await request.body(), path, query))
        self.arrived.set()
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return answer if isinstance(answer, Response) else await answer(request)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    route = Route("/{rest:path}", receiver.take, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async with serving(Starlette(routes=[route])) as url:
        receiver.url = url
        yield receiver


def is_signed(got: Got, secret: str) -> bool:
    """As a receiver checks it, by the text of the specification and not by our own code."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    versions = [part.split(",", 1) for part in got.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(given, expected) for version, given in versions)
