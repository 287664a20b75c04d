"""One attempt: the signed request, and what became of it in one sentence that holds no secret."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from dataclasses import dataclass, replace
from datetime import datetime

import httpx2

from frontdesk import __version__
from frontdesk.core.egress import EgressRefused, Guard

SECONDS = 10.0  # of a whole attempt
MOST_READ = 1_000  # characters of an answer that are kept
PREFIX = "whsec_"
AGENT = f"Frontdesk-Webhooks/{__version__}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent, and the secrets that sign it."""

    url: str
    event_id: str
    body: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt. `retry_after` are seconds that the receiver asked for."""

    status_code: int | None
    duration_ms: int
    error: str | None = None
    text: str | None = None
    retry_after: int = 0

    @property
    def has_arrived(self) -> bool:
        return self.error is None


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """The signature `v1` of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


class WebhookPost:
    """The guarded client: never to private addresses, no redirect, no cookie, ten seconds in all."""

    def __init__(self, guard: Guard) -> None:
        self.client = replace(guard, seconds=SECONDS).client(connect_seconds=SECONDS)

    async def close(self) -> None:
        await self.client.aclose()

    async def send(self, outgoing: Outgoing, now: datetime) -> Answer:
        """Never raises for what a receiver does."""
        body, timestamp = outgoing.body.encode(), int(now.timestamp())
        signatures = (sign(secret, outgoing.event_id, timestamp, body) for secret in outgoing.secrets)
        headers = {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": outgoing.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }
        started = time.monotonic()
        try:
            async with asyncio.timeout(SECONDS):
                status, text, retry_after = await self._exchange(outgoing.url, headers, body)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, ValueError) as error:
            return Answer(None, _since(started), _sentence(error))
        fault = None if 200 <= status < 300 else f"It answered with {status}."
        return Answer(status, _since(started), fault, text, retry_after)

    async def _exchange(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str, int]:
        async with self.client.stream("POST", url, headers=headers, content=body) as response:
            read = b""
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) >= MOST_READ * 4:
                    break  # the status says all; the rest of a long answer nobody waits for
            after = response.headers.get("retry-after", "")
            seconds = int(after) if after.isascii() and after.isdecimal() and len(after) < 8 else 0
            # PostgreSQL keeps no NUL in a text.
            return response.status_code, read.decode("utf-8", "replace").replace("\0", "")[:MOST_READ], seconds


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _sentence(error: Exception) -> str:
    """Of our own words: an exception's may hold the address, with what its query keeps secret."""
    if isinstance(error, EgressRefused):
        return "It leads to an address that is not public, or its answer is too large."
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return f"There was no answer within {SECONDS:.0f} seconds."
    if isinstance(error, httpx2.ConnectError):
        return "The connection could not be made: name, address or certificate is wrong, or nobody listens."
    return "The connection broke before there was a whole answer."
