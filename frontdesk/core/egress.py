"""The one guarded HTTP client: every request that leaves the house goes through it.

A host is resolved once, each of its addresses is checked, and the connection is made to a checked address, so that a
second DNS answer cannot lead elsewhere. The name stays in SNI, certificate check and Host header. Size and time are
bounded, and compressed answers are refused, because a small one may unpack to any size.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_network
from ssl import SSLContext
from urllib.parse import urlsplit

import httpcore2
import httpx2

from frontdesk.core.addresses import Address, Network, is_loopback, is_public, parse_address

Resolver = Callable[[str, int], Awaitable[list[str]]]
SAFE_HEADERS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class EgressRefused(httpx2.ConnectError):
    """The guard stopped a request; the message says which address or limit, and what the operator can do."""


class AnswerRefused(EgressRefused):
    """The request was sent, and its answer is one that we do not read: too large, or compressed."""


async def resolve_by_system(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry of FRONTDESK_EGRESS_ALLOW: a host or a network, of one port or of all."""

    host: str | None = None
    network: Network | None = None
    port: int | None = None

    def covers(self, host: str, port: int, address: Address) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        return host == self.host


def parse_allowance(text: str) -> Allowance:
    """`host`, `host:port`, an address with or without a port, or a CIDR. Raises ValueError naming the entry."""
    entry = text.strip().lower()
    if "/" in entry:
        return Allowance(network=ip_network(entry, strict=False))
    bare = parse_address(entry)
    if bare is not None:
        return Allowance(network=ip_network(bare))
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.username:
        raise ValueError(f"FRONTDESK_EGRESS_ALLOW: '{text}' is neither a host, a host:port nor a network")
    address = parse_address(host)
    return Allowance(network=ip_network(address), port=port) if address else Allowance(host=host, port=port)


@dataclass(frozen=True)
class Guard:
    """What may be reached, and how much of it. `seconds` is for the whole exchange, `max_bytes` for its body.

    `allow_loopback` is set for model URLs by `make run` on the embedded database, and nowhere else.
    """

    allow: tuple[Allowance, ...] = ()
    allow_loopback: bool = False
    seconds: float = 30.0
    max_bytes: int = 10_000_000
    resolver: Resolver = field(default=resolve_by_system)

    @classmethod
    def of(
        cls,
        entries: Iterable[str],
        *,
        allow_loopback: bool = False,
        seconds: float = 30.0,
        max_bytes: int = 10_000_000,
    ) -> Guard:
        """`entries` as the operator wrote them. Raises ValueError that names the wrong one."""
        return cls(tuple(parse_allowance(entry) for entry in entries), allow_loopback, seconds, max_bytes)

    def permits(self, host: str, port: int, address: Address) -> bool:
        if is_public(address) or (self.allow_loopback and is_loopback(address)):
            return True
        return any(entry.covers(host, port, address) for entry in self.allow)

    async def checked_addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to. One forbidden address among them refuses the host whole (DNS tricks)."""
        name = host.strip("[]").rstrip(".").lower()
        literal = parse_address(name)
        try:
            found = [str(literal)] if literal else await self.resolver(name, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"The host {name} cannot be resolved.") from error
        for text in found:
            address = parse_address(text)
            if address is None or not self.permits(name, port, address):
                raise EgressRefused(
                    f"{name}:{port} leads to an address that is not public. "
                    "The operator can allow it with FRONTDESK_EGRESS_ALLOW."
                )
        if not found:
            raise httpcore2.ConnectError(f"The host {name} has no address.")
        return found

    def client(self, *, connect_seconds: float = 10.0) -> httpx2.AsyncClient:
        """An HTTP client for our own use or for a provider's SDK. It never follows a redirect by itself."""
        return httpx2.AsyncClient(
            transport=GuardedTransport(self),
            timeout=httpx2.Timeout(self.seconds, connect=connect_seconds),
            follow_redirects=False,
            # One client serves many organizations: what a server sets for one must not go out for another.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        last: Exception = httpcore2.ConnectError(f"The host {host} has no address.")
        for address in await self._guard.checked_addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise EgressRefused("Unix sockets are not reachable from here.")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@lru_cache(maxsize=1)
def tls_context() -> SSLContext:
    """Built once: reading the machine's certificates takes tens of milliseconds."""
    return httpx2.create_ssl_context()


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """The checked connections, with bounds on the time and the size of an exchange."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(verify=tls_context())
        # A transport takes no backend of ours, its pool does.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=1000,
            max_keepalive_connections=100,
            keepalive_expiry=30.0,
            network_backend=CheckedBackend(guard),
        )
        self._guard = guard

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        deadline = asyncio.get_running_loop().time() + self._guard.seconds
        async with bounded_by(deadline, request):
            response = await super().handle_async_request(request)
        try:
            self._check(request, response)
        except EgressRefused:
            await response.aclose()
            raise
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = BoundedStream(response.stream, request, deadline, self._guard.max_bytes)
        return response

    def _check(self, request: httpx2.Request, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise AnswerRefused("The answer is compressed, which was not asked for.", request=request)
        length = response.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._guard.max_bytes and request.method != "HEAD":
            raise AnswerRefused(f"The answer is larger than {self._guard.max_bytes} bytes.", request=request)


class BoundedStream(httpx2.AsyncByteStream):
    """An answer's body as it comes, until the deadline or the size limit."""

    def __init__(self, inner: httpx2.AsyncByteStream, request: httpx2.Request, deadline: float, max_bytes: int) -> None:
        self._inner, self._request, self._deadline, self._left = inner, request, deadline, max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._inner)
        while True:
            async with bounded_by(self._deadline, self._request):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            self._left -= len(chunk)
            if self._left < 0:
                raise AnswerRefused("The answer is larger than allowed.", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def bounded_by(deadline: float, request: httpx2.Request) -> AsyncIterator[None]:
    """A deadline by the loop's clock, told as the client's own timeout error."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise httpx2.ReadTimeout("The exchange took longer than allowed.", request=request) from None


async def fetch(
    client: httpx2.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    max_redirects: int = 5,
) -> httpx2.Response:
    """One exchange with its redirects, each checked like the first. Raises httpx2.HTTPError (EgressRefused too).

    At another origin only harmless headers are sent on: our clients put keys into headers of any name.
    """
    kept, address = dict(headers or {}), httpx2.URL(url)
    for _ in range(max_redirects + 1):
        response = await client.request(method, address, headers=kept, content=content)
        target = response.headers.get("location")
        if response.status_code not in REDIRECTS or not target:
            return response
        following = address.join(target)
        if (following.scheme, following.host, following.port) != (address.scheme, address.host, address.port):
            kept = {name: value for name, value in kept.items() if name.lower() in SAFE_HEADERS}
            content = None if content and response.status_code not in (307, 308) else content
        if address.scheme == "https" and following.scheme != "https":
            raise EgressRefused("The answer redirects from https to an open connection.", request=response.request)
        if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
            method, content = "GET", None
        address = following
    raise httpx2.TooManyRedirects(f"More than {max_redirects} redirects.", request=response.request)
