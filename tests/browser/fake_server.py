"""A chat server in memory that speaks the web chat's protocol and does what a test tells it to.

The real server can't be told to drop a line in the middle of a draft or to lose an answer; this one can. Run it by
hand to work on the screens: `python -m tests.browser.fake_server`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from frontdesk.web.chat_pages import chat_page, send_asset

KEY = "wc_test"
Item = dict[str, object]


@dataclass
class FakeChat:
    """One visitor's conversation, and the faults that a test asks for."""

    messages: list[Item] = field(default_factory=list)
    streams: list[asyncio.Queue[str | None]] = field(default_factory=list)
    session: Item = field(
        default_factory=lambda: {
            "assistant_name": "Sofía",
            "organization_name": "Bright Smile Dental",
            "channel_name": "Website chat",
            "max_message_length": 4000,
            "is_small_model": False,
        }
    )
    tokens: set[str] = field(default_factory=set)
    posts: list[Item] = field(default_factory=list)
    stream_starts: list[int] = field(default_factory=list)
    is_down: bool = False
    loses_answers: int = 0
    gives_older: asyncio.Event = field(default_factory=asyncio.Event)
    refuses_with: tuple[int, str] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gives_older.set()

    def tell(self) -> None:
        """Wake whoever waits for something to happen here."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for what a page does. Raises TimeoutError when it does not happen."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.changed.wait()

    def add(self, sender: str, text: str, name: str | None = None, at: datetime | None = None, **more: object) -> Item:
        """Store a message and send it to every open stream."""
        message: Item = {
            "position": len(self.messages) + 1,
            "from": sender,
            "name": name or (self.session["assistant_name"] if sender == "assistant" else None),
            "text": text,
            "created_at": (at or datetime.now(UTC)).isoformat(),
            **more,
        }
        self.messages.append(message)
        self.emit("message", message, position=len(self.messages))
        self.tell()
        return message

    def emit(self, name: str, data: Item, position: int | None = None) -> None:
        for stream in self.streams:
            stream.put_nowait(event(name, data, position))

    def draft(self, turn_id: int, seq: int, text: str) -> None:
        self.emit("draft", {"turn_id": turn_id, "epoch": 1, "seq": seq, "text": text})

    def typing(self, on: bool, turn_id: int = 1) -> None:
        self.emit("typing", {"on": on, "turn_id": turn_id})

    def drop(self) -> None:
        """Cut every open stream."""
        for stream in self.streams:
            stream.put_nowait(None)

    def receive(self, body: Item) -> tuple[Item, bool]:
        known = [m for m in self.messages if m.get("idempotency_key") == body["idempotency_key"]]
        if known:
            return known[0], False
        return self.add("visitor", str(body["text"]), idempotency_key=body["idempotency_key"]), True


def event(name: str, data: Item, position: int | None = None) -> str:
    head = f"id: {position}\n" if position is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


def refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"name": "Error", "message": message, "code": status}, status)


def application(chat: FakeChat) -> Starlette:
    """The protocol's endpoints over one `FakeChat`."""

    async def page(_: Request) -> Response:
        return chat_page(KEY, str(chat.session["assistant_name"]), ["*"])

    async def asset(request: Request) -> Response:
        return send_asset(request, request.path_params.get("name", "webchat.js"))

    async def sessions(request: Request) -> Response:
        if request.headers.get("x-visitor-token") in chat.tokens:
            return JSONResponse({"session": chat.session})
        token = f"token-{secrets.token_hex(8)}"
        chat.tokens.add(token)
        return JSONResponse({"visitor_token": token, "session": chat.session}, 201)

    async def listed(request: Request) -> Response:
        if request.headers.get("x-visitor-token") not in chat.tokens:
            return refusal(401, "Unknown visitor.")
        before = int(request.query_params.get("before", 10**9))
        if "before" in request.query_params:
            await chat.gives_older.wait()
        limit = int(request.query_params["limit"])
        older = [m for m in chat.messages if int(str(m["position"])) < before]
        return JSONResponse({"data": older[-limit:], "has_more": len(older) > limit})

    async def posted(request: Request) -> Response:
        if request.headers.get("x-visitor-token") not in chat.tokens:
            return refusal(401, "Unknown visitor.")
        body = await request.json()
        chat.posts.append(body)
        chat.tell()
        if chat.refuses_with:
            return refusal(*chat.refuses_with)
        message, is_new = chat.receive(body)
        if chat.loses_answers:
            chat.loses_answers -= 1
            return refusal(503, "The answer was lost.")
        return JSONResponse(message, 201 if is_new else 200)

    async def stream(request: Request) -> Response:
        if request.headers.get("x-visitor-token") not in chat.tokens:
            return refusal(401, "Unknown visitor.")
        if chat.is_down:
            return refusal(503, "Down.")
        after = int(request.query_params["after"])
        chat.stream_starts.append(after)
        return StreamingResponse(follow(chat, after), media_type="text/event-stream")

    routes = [
        Route(f"/chat/{KEY}", page),
        Route("/webchat.js", asset),
        Route("/webchat/static/{name}", asset),
        Route(f"/webchat/{KEY}/sessions", sessions, methods=["POST"]),
        Route(f"/webchat/{KEY}/messages", listed, methods=["GET"]),
        Route(f"/webchat/{KEY}/messages", posted, methods=["POST"]),
        Route(f"/webchat/{KEY}/stream", stream),
    ]
    return Starlette(routes=routes)


async def follow(chat: FakeChat, after: int) -> AsyncIterator[str]:
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    chat.streams.append(queue)
    chat.tell()
    try:
        for message in chat.messages[after:]:
            yield event("message", message, int(str(message["position"])))
        yield ": \n\n"
        while (text := await queue.get()) is not None:
            yield text
    finally:
        chat.streams.remove(queue)
        chat.tell()


async def demonstrate(port: int) -> None:
    """Serve with an echoing assistant, for work on the screens."""
    chat = FakeChat()
    server = uvicorn.Server(uvicorn.Config(application(chat), port=port, log_level="warning"))
    print(f"http://127.0.0.1:{port}/chat/{KEY}")
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        group.create_task(echo(chat))


async def echo(chat: FakeChat) -> None:
    turn = 0
    while True:
        await chat.until(lambda: bool(chat.messages) and chat.messages[-1]["from"] == "visitor", seconds=86_400)
        turn += 1
        chat.draft(turn, 1, "You said:")
        chat.add("assistant", f"You said: **{chat.messages[-1]['text']}**", turn_id=turn)


if __name__ == "__main__":
    asyncio.run(demonstrate(8099))
