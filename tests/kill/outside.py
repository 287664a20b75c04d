"""What lies outside of an installation and outlives its processes: a model, a provider of messages, another system.

All three are one HTTP server of this process. The model keeps nothing: what it does next follows from the history that
it is given, so a history that lost or doubled something shows. The others write down what reached them, at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = re.compile(r"\b[a-z]+\d+-\d+\b")  # customer and number: each inbound has one
KEYED, PLAIN, NOTE, READ = "api_book_visit", "api_send_parcel", "add_note", "get_contact"
# What is done before a message is answered, by its number.
PLANS: tuple[tuple[str, ...], ...] = ((), (NOTE,), (READ, NOTE, KEYED), (PLAIN,), (READ,), (NOTE, PLAIN, KEYED))
THINKING = 0.5  # seconds at most before the model's first word, before the provider's answer, within the other system
USAGE = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}
Message = dict[str, object]


async def pause(seconds: float) -> None:
    """Of a customer, a model or a killer: what makes the load, and never a wait for something to come true."""
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=seconds)


def plan_of(token: str) -> tuple[str, ...]:
    return PLANS[int(token.rpartition("-")[2]) % len(PLANS)]


def text_of(message: Message) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def calls_of(message: Message) -> list[dict[str, str]]:
    return [{"id": call["id"], **call["function"]} for call in message.get("tool_calls") or ()]  # type: ignore[attr-defined]


def history_faults(messages: Sequence[Message]) -> Iterator[str]:
    """What no provider would take: a call without its result right behind it, a result without its call."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"the result {message['tool_call_id']} follows no call"
            else:
                open_calls.remove(str(message["tool_call_id"]))
            continue
        if open_calls:
            yield f"the calls {open_calls} have no result"
        open_calls = [call["id"] for call in calls_of(message)]
    if open_calls:
        yield f"the calls {open_calls} have no result"
    spoken = [message["role"] for message in messages if message["role"] not in ("system", "developer")]
    if spoken and spoken[0] != "user":
        yield f"the history begins with {spoken[0]}"


@dataclass
class Outside:
    """The servers' memory. `accepted` is by idempotency key; `faults` are what was wrong as it came in."""

    chance: random.Random
    asked: int = 0
    accepted: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    booked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    parcels: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self.complete, methods=["POST"]),
                Route("/messages", self.take_message, methods=["POST"]),
                Route("/visits", self.book, methods=["POST"]),
                Route("/parcels", self.send_parcel, methods=["POST"]),
            ]
        )

    async def think(self) -> None:
        await pause(self.chance.random() * THINKING)

    # -- the provider of messages and the other system ----------------------------------------------

    async def take_message(self, request: Request) -> Response:
        key = request.headers["idempotency-key"]
        said = json.loads(await request.body())  # one that breaks off here was not taken
        self.accepted[key].append(said)
        await self.think()
        return JSONResponse({"id": f"out-{key}"})

    async def book(self, request: Request) -> Response:
        token = json.loads(await request.body())["token"]
        self.booked[request.headers["idempotency-key"]].append(token)
        await self.think()
        return JSONResponse({"booked": token})

    async def send_parcel(self, request: Request) -> Response:
        token = json.loads(await request.body())["token"]
        self.parcels[token] += 1
        await self.think()
        return JSONResponse({"sent": token})

    # -- the model ----------------------------------------------------------------------------------

    async def complete(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.asked += 1
        answer = self.answer(body["messages"])
        await self.think()
        return StreamingResponse(self.stream(answer), media_type="text/event-stream")

    async def stream(self, answer: Message) -> AsyncIterator[str]:
        text = answer.get("content")
        deltas = [{"role": "assistant", "content": ""}, *({"content": word + " "} for word in str(text).split(" "))]
        base: Message = {
            "id": f"chatcmpl-{self.asked}",
            "created": 0,
            "model": "kill",
            "object": "chat.completion.chunk",
        }
        reason = "stop" if text else "tool_calls"
        for delta in deltas if text else [answer]:
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield f"data: {json.dumps({**base, 'choices': [choice]})}\n\n"
            await pause(self.chance.random() * 0.02)
        choice = {"index": 0, "delta": {}, "finish_reason": reason}
        yield f"data: {json.dumps({**base, 'choices': [choice]})}\n\n"
        yield f"data: {json.dumps({**base, 'choices': [], 'usage': USAGE})}\n\ndata: [DONE]\n\n"

    def answer(self, messages: list[Message]) -> Message:
        """The next call of the last message's plan, else the words that name every message since the last answer."""
        last = max((i for i, m in enumerate(messages) if is_answer(m)), default=-1)
        waiting = messages[last + 1 :]
        tokens = [token for m in waiting if m["role"] == "user" for token in TOKEN.findall(text_of(m))]
        shown = [(m["role"], text_of(m)[:80], m.get("tool_calls")) for m in messages if m["role"] != "system"]
        self.faults += [f"{fault}, in the history {shown}" for fault in history_faults(messages)]
        if not tokens:
            self.faults.append(f"the model was asked although nothing waits, with the history {shown}")
            return {"role": "assistant", "content": "There is nothing to answer."}
        target = tokens[-1]
        asked = max(i for i, m in enumerate(waiting) if m["role"] == "user" and target in text_of(m))
        made = {call["name"] for m in waiting[asked:] for call in calls_of(m)}
        for name in plan_of(target):
            if name not in made:
                return self.call(name, target)
        words = " ".join(dict.fromkeys(tokens))
        return {"role": "assistant", "content": f"Answer to {words}.\n\nAnd this, too, to {words}."}

    def call(self, name: str, token: str) -> Message:
        arguments = {NOTE: {"text": f"Note {token}."}, READ: {}}.get(name, {"token": token})
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": f"call_{self.asked}_{name}", "type": "function", "index": 0, "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}


def is_answer(message: Message) -> bool:
    return message["role"] == "assistant" and not message.get("tool_calls") and bool(text_of(message).strip())
