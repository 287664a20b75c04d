"""One exchange with an organization's API, through the guarded client: what came back, or what went wrong.

Each exchange has a client of its own, so that no connection or cookie of one organization serves another.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import httpx2

from frontdesk.assistants.api_answer import readable, without
from frontdesk.assistants.api_request import Request
from frontdesk.core.egress import REDIRECTS, AnswerRefused, EgressRefused, Guard
from frontdesk.core.errors import Json

MOST_REDIRECTS = 3
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Exchange:
    """`status` is None where no answer came. `may_have_arrived`: the other side may have done what was asked."""

    status: int | None
    body: Json
    duration_ms: int
    error: str | None = None
    may_have_arrived: bool = True
    is_cut: bool = False

    @property
    def is_success(self) -> bool:
        return self.error is None and self.status is not None and 200 <= self.status < 300


async def exchange(guard: Guard, request: Request, *, seconds: float, max_bytes: int) -> Exchange:
    """Send the request. Never raises for what the other side does; an error's sentence holds no secret."""
    started = time.monotonic()
    # The client's own bound is wider: an answer that is too large is cut, because its request has been carried out.
    bounded = replace(guard, seconds=seconds)
    try:
        async with bounded.client(connect_seconds=min(seconds, 10.0)) as client:
            status, content, kind, is_cut = await _answer(client, request, max_bytes)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
        arrived = isinstance(error, AnswerRefused) or not isinstance(error, (*NOT_SENT, httpx2.InvalidURL))
        return Exchange(None, None, _since(started), _sentence(error, seconds), arrived)
    body = without(content.decode("utf-8", "replace"), request.secrets) if is_cut else None
    return Exchange(
        status, body if is_cut else readable(content, kind, request.secrets), _since(started), is_cut=is_cut
    )


async def _answer(client: httpx2.AsyncClient, request: Request, max_bytes: int) -> tuple[int, bytes, str, bool]:
    """Status, body, its type, and whether the body was cut. Only a GET is sent on, and only to the same origin."""
    url = httpx2.URL(request.url)
    for _ in range(MOST_REDIRECTS + 1):
        async with client.stream(request.method, url, headers=request.headers, content=request.content) as response:
            following = response.headers.get("location")
            target = url.join(following) if following else None
            if response.status_code in REDIRECTS and request.method == "GET" and target and _is_same(url, target):
                url = target
                continue
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > max_bytes:
                    break
            kind = response.headers.get("content-type", "")
            return response.status_code, bytes(content[:max_bytes]), kind, len(content) > max_bytes
    raise httpx2.TooManyRedirects(f"More than {MOST_REDIRECTS} redirects.")


def _is_same(one: httpx2.URL, other: httpx2.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _sentence(error: Exception, seconds: float) -> str:
    """In our own words: an exception's may hold the address, with what its query keeps secret."""
    if isinstance(error, AnswerRefused):
        return "its answer was compressed or too large to be read"
    if isinstance(error, EgressRefused):
        return "its address is not public, and the operator has not allowed it (FRONTDESK_EGRESS_ALLOW)"
    if isinstance(error, httpx2.TimeoutException):
        return f"there was no whole answer within {seconds:g} seconds"
    if isinstance(error, httpx2.ConnectError):
        return "the connection could not be made: name, address or certificate is wrong, or nobody listens"
    if isinstance(error, httpx2.TooManyRedirects):
        return "it redirects without end"
    if isinstance(error, httpx2.InvalidURL):
        return "its address is not one that can be called"
    return "the connection broke before there was a whole answer"
