"""The guarded client against a real server on loopback, and resolvers that lie."""

import asyncio
from dataclasses import replace

import httpx2
import pytest

from frontdesk.core.egress import EgressRefused, Guard, fetch, parse_allowance
from tests.models.http_server import Received, answer, head, serving

LOOPBACK = Guard.of(["127.0.0.1"])


def resolver(*answers: list[str]):  # type: ignore[no-untyped-def]
    """Gives one answer after the other, the last one for ever: DNS that changes its mind."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f000001", "127.1", "[::1]"])
async def test_no_spelling_of_loopback_is_reached(host: str) -> None:
    async with serving(answer(b"secret")) as server, Guard().client() as client:
        with pytest.raises((EgressRefused, httpx2.ConnectError, httpx2.InvalidURL)):
            await client.get(f"http://{host}:{server.port}/")
        assert not server.requests


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1"]
)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    async with Guard(resolver=resolver([address])).client() as client:
        with pytest.raises(EgressRefused, match="not public"):
            await client.get("http://harmless.example/")


async def test_one_private_answer_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(EgressRefused):
        await Guard(resolver=resolver(["8.8.8.8", "127.0.0.1"])).checked_addresses("mixed.example", 80)


async def test_the_checked_address_is_the_one_connected_to() -> None:
    """A second look-up would lead to a closed port's host; there is none."""
    async with serving(answer(b"hello")) as server:
        guard = replace(LOOPBACK, resolver=resolver(["127.0.0.1"], ["127.0.0.2"]))
        async with guard.client() as client:
            response = await client.get(f"http://rebind.example:{server.port}/x")
        assert response.text == "hello"
        assert server.requests[0].headers["host"] == f"rebind.example:{server.port}"


async def test_a_later_connection_is_checked_again() -> None:
    async with serving(answer(b"hello")) as server:
        guard = replace(LOOPBACK, resolver=resolver(["127.0.0.1"], ["10.0.0.1"]))
        async with guard.client() as client:
            await client.get(f"http://rebind.example:{server.port}/")
            with pytest.raises(EgressRefused):
                await client.get(f"http://rebind.example:{server.port}/")


@pytest.mark.parametrize(
    "entry", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:{port}", "local.example", "local.example:{port}"]
)
async def test_the_operator_can_allow(entry: str) -> None:
    async with serving(answer(b"hello")) as server:
        guard = replace(Guard.of([entry.format(port=server.port)]), resolver=resolver(["127.0.0.1"]))
        async with guard.client() as client:
            assert (await client.get(f"http://local.example:{server.port}/")).text == "hello"


@pytest.mark.parametrize("entry", ["127.0.0.1:1", "127.0.0.2", "10.0.0.0/8", "other.example", "local.example:1"])
async def test_an_entry_allows_nothing_else(entry: str) -> None:
    guard = replace(Guard.of([entry]), resolver=resolver(["127.0.0.1"]))
    with pytest.raises(EgressRefused):
        await guard.checked_addresses("local.example", 8080)


async def test_the_loopback_flag_opens_loopback_only() -> None:
    guard = Guard(allow_loopback=True)
    assert await guard.checked_addresses("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises(EgressRefused):
        await guard.checked_addresses("10.0.0.1", 80)


@pytest.mark.parametrize("entry", ["", "http://x.example", "a b/c", "user@host", "host:port", "10.0.0.0/99"])
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError):
        parse_allowance(entry)


async def test_the_client_follows_no_redirect_and_fetch_checks_each() -> None:
    async with serving(answer(b"", 302, location="http://10.0.0.1/")) as server, LOOPBACK.client() as client:
        assert (await client.get(server.url)).status_code == 302
        with pytest.raises(EgressRefused):
            await fetch(client, "GET", server.url)


async def test_a_key_is_not_sent_on_to_another_origin() -> None:
    async with serving(answer(b"here")) as target, serving(answer(b"", 307, location=target.url)) as first:
        async with LOOPBACK.client() as client:
            response = await fetch(
                client, "POST", first.url, headers={"x-api-key": "sk-1", "accept": "*/*"}, content=b"x"
            )
    assert response.text == "here"
    assert first.said("sk-1")
    assert not target.said("sk-1")


async def test_a_redirect_loop_ends() -> None:
    async with serving(answer(b"", 302, location="/again")) as server, LOOPBACK.client() as client:
        with pytest.raises(httpx2.TooManyRedirects):
            await fetch(client, "GET", server.url)
        assert len(server.requests) == 6


@pytest.mark.parametrize("told", [True, False])
async def test_a_large_answer_is_cut_off(told: bool) -> None:
    async def large(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head(content_length=5000) if told else head())
        writer.write(b"x" * 5000)

    async with serving(large) as server, replace(LOOPBACK, max_bytes=4000).client() as client:
        with pytest.raises(EgressRefused, match="larger"):
            await client.get(server.url)


async def test_a_compressed_answer_is_refused() -> None:
    async with serving(answer(b"\x1f\x8b", content_encoding="gzip")) as server, LOOPBACK.client() as client:
        with pytest.raises(EgressRefused, match="compressed"):
            await client.get(server.url)
        assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("begins", [True, False])
async def test_a_slow_answer_ends_at_the_deadline(begins: bool) -> None:
    release = asyncio.Event()

    async def slow(_: Received, writer: asyncio.StreamWriter) -> None:
        if begins:
            writer.write(head() + b"first")
            await writer.drain()
        await release.wait()

    async with serving(slow) as server, replace(LOOPBACK, seconds=0.2).client() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(server.url)
        release.set()


async def test_a_stream_passes_piece_by_piece() -> None:
    more = asyncio.Event()

    async def stream(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head() + b"one")
        await writer.drain()
        await more.wait()
        writer.write(b"two")

    async with serving(stream) as server, LOOPBACK.client() as client, client.stream("GET", server.url) as response:
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"one"
        more.set()
        assert await anext(pieces) == b"two"


async def test_an_unknown_host_is_a_connection_error() -> None:
    async with Guard(resolver=resolver([])).client() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://nowhere.example/")
