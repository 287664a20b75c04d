"""Reading a request's body: bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from frontdesk.core.errors import BadRequest, PayloadTooLarge
from frontdesk.web.body import ClientGone, read_body

Message = Mapping[str, object]


def sending(*messages: Message) -> Callable[[], Awaitable[Message]]:
    """A client that sends these, and then holds the line."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_is_read_whole() -> None:
    assert await read_body({}, sending(part(b'{"a"'), part(b":1}", more=False))) == b'{"a":1}'


async def test_a_client_that_holds_the_line_is_let_go() -> None:
    with pytest.raises(BadRequest) as error:
        await read_body({}, sending(part(b"{")), seconds=0.01)
    assert error.value.headers == {"Connection": "close"}


async def test_too_much_is_refused_as_soon_as_it_is_seen() -> None:
    with pytest.raises(PayloadTooLarge):
        await read_body({}, sending(part(b"x" * 11)), limit=10)


async def test_a_client_that_hangs_up_is_no_error() -> None:
    with pytest.raises(ClientGone):
        await read_body({}, sending(part(b"{"), {"type": "http.disconnect"}))
