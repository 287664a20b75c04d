"""An OpenAI-compatible server for tests: streams texts and tool calls, or fails as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.models.http_server import Received, Recorder, head, serving

Chunk = dict[str, object]


def text_chunks(*pieces: str) -> list[Chunk]:
    return [{"content": piece} for piece in pieces]


def call_chunks(tool: str, arguments: str) -> list[Chunk]:
    """A call whose arguments come in two pieces."""
    middle = len(arguments) // 2
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": tool, "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in (arguments[:middle], arguments[middle:])]
    return [{"tool_calls": [part]} for part in (first, *parts)]


@dataclass
class Scene:
    """What the server answers, request by request; the last answer repeats."""

    answers: list[Sequence[Chunk]] = field(default_factory=lambda: [text_chunks("Hello")])
    status: int = 200
    is_cut_off: bool = False
    is_unfinished: bool = False
    recorder: Recorder = field(default_factory=Recorder)
    release: asyncio.Event | None = None

    @property
    def url(self) -> str:
        return f"{self.recorder.url}/v1"

    @property
    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(request.body) for request in self.recorder.requests if request.body]

    async def handle(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if self.status != 200:
            body = b'{"error": {"message": "not now", "code": "x"}}'
            writer.write(head(self.status, content_length=len(body), content_type="application/json") + body)
        elif request.path.endswith("/models"):
            body = b'{"data": [{"id": "first-model"}]}'
            writer.write(head(content_length=len(body), content_type="application/json") + body)
        else:
            await self.stream(writer)

    async def stream(self, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        promised = {"content_length": 1_000_000} if self.is_cut_off else {}
        writer.write(head(content_type="text/event-stream", **promised))
        for delta in answer:
            writer.write(event({"choices": [{"index": 0, "delta": delta}]}))
            await writer.drain()
            if self.release:
                await self.release.wait()
        if self.is_cut_off:
            writer.transport.abort()
            return
        if self.is_unfinished:
            return
        finish = "tool_calls" if "tool_calls" in (answer[0] if answer else {}) else "stop"
        writer.write(event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
        writer.write(event({"choices": [], "usage": USAGE}))
        writer.write(b"data: [DONE]\n\n")


USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


def event(body: Chunk) -> bytes:
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **body}
    return f"data: {json.dumps(whole)}\n\n".encode()


@asynccontextmanager
async def model_server(*answers: Sequence[Chunk], **more: object) -> AsyncIterator[Scene]:
    scene = Scene(list(answers) or [text_chunks("Hello")], **more)  # type: ignore[arg-type]
    async with serving(scene.handle) as scene.recorder:
        yield scene
