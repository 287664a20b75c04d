"""An OpenAI-compatible server that answers as scripted: first with one tool call, after its result with a reply.

    python -m bench.model_server PORT

`POST /delay/SECONDS` sets how long each answer takes from then on; `GET /seen` gives the last request that asked for
the tool and the last that brought its result. It costs a tenth of a millisecond per answer, so it bounds nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys

import httptools
import uvloop

TOOL, ARGUMENTS = "get_contact", "{}"
REPLY = "You are in our files as Ana Torres, and we will write to the address that we have. Is there anything else?"
USAGE = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}


def head(status: str, kind: str, length: int) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


def answer(kind: str, body: bytes) -> bytes:
    return head("200 OK", kind, len(body)) + body


def message(is_reply: bool, number: int) -> dict[str, object]:
    if is_reply:
        return {"role": "assistant", "content": REPLY}
    function = {"name": TOOL, "arguments": ARGUMENTS}
    call = {"id": f"call_{number}", "type": "function", "index": 0, "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def completion(is_reply: bool, is_stream: bool, number: int) -> bytes:
    """One answer, in words of a few letters each where it is streamed."""
    base = {"id": f"chatcmpl-{number}", "created": 0, "model": "bench"}
    reason = "stop" if is_reply else "tool_calls"
    whole = message(is_reply, number)
    if not is_stream:
        choice = {"index": 0, "message": whole, "finish_reason": reason}
        body = {**base, "object": "chat.completion", "choices": [choice], "usage": USAGE}
        return answer("application/json", json.dumps(body).encode())
    words = [{"content": word + " "} for word in REPLY.split(" ")] if is_reply else []
    deltas = [{"role": "assistant", "content": ""}, *words] if is_reply else [whole]
    chunks = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    chunks += [[{"index": 0, "delta": {}, "finish_reason": reason}], []]
    lines = [{**base, "object": "chat.completion.chunk", "choices": choices} for choices in chunks]
    lines[-1]["usage"] = USAGE
    text = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
    return answer("text/event-stream", text.encode())


class Script:
    """What all connections share."""

    delay = 0.0
    number = 0
    seen: dict[str, object]

    def __init__(self) -> None:
        self.seen = {}


class Connection(asyncio.Protocol):
    """One client; its requests come one after the other."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport, self.parser = transport, httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url, self.body = url.decode(), b""

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        script = self.script
        if self.url.startswith("/delay/"):
            script.delay = float(self.url.rpartition("/")[2])
            self.transport.write(answer("application/json", b"{}"))
        elif self.url == "/seen":
            self.transport.write(answer("application/json", json.dumps(script.seen).encode()))
        elif self.url.endswith("/models"):
            self.transport.write(answer("application/json", b'{"object":"list","data":[{"id":"bench"}]}'))
        else:
            request = json.loads(self.body)
            is_reply = request["messages"][-1]["role"] == "tool"
            script.seen["reply" if is_reply else "call"] = request
            script.number += 1
            data = completion(is_reply, bool(request.get("stream")), script.number)
            if script.delay:
                asyncio.get_running_loop().call_later(script.delay, self.transport.write, data)
            else:
                self.transport.write(data)


async def main(port: int) -> None:
    script = Script()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(script), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
