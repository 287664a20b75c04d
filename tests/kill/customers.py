"""Customers who write, and write again with the same key until somebody has taken it; those of the web chat listen."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx

from tests.kill.outside import TOKEN, Outside, pause

LOOKS_EVERY = 0.05  # seconds
AGAIN = 0.2  # seconds before a request is repeated
PATIENCE = 90.0  # seconds for an answer, before the customer goes on without
BURSTS = (1, 1, 1, 2, 3)  # messages at a time
AWAY = (httpx.TransportError, httpx.InvalidURL)


@dataclass
class Customer:
    """`accepted` has each message that got a 2xx, with the moment; `statuses` every answer that was none."""

    name: str
    http: httpx.AsyncClient
    outside: Outside
    chance: random.Random
    accepted: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    written: int = 0

    async def send(self, token: str, text: str) -> httpx.Response:
        raise NotImplementedError

    def look(self) -> None:
        """Take in what was answered."""

    async def write(self) -> str:
        self.written += 1
        token = f"{self.name}-{self.written}"
        await self.until_taken(token)
        self.accepted[token] = time.time()
        if self.chance.random() < 0.15:
            await self.until_taken(token)  # a provider's second delivery, a browser that has not seen the answer
        return token

    async def until_taken(self, token: str) -> None:
        while True:
            try:
                response = await self.send(token, f"Please see to {token}.")
            except AWAY:
                self.statuses[0] += 1
            else:
                if response.is_success:
                    return
                self.statuses[response.status_code] += 1
                if response.status_code != 503 and not any(token in fault for fault in self.faults):
                    self.faults.append(f"{token} got the status {response.status_code}: {response.text[:300]}")
            await pause(AGAIN)

    async def talk(self, stopping: asyncio.Event) -> None:
        """Write in bursts until told to stop; mostly wait for the answer in between."""
        while not stopping.is_set():
            tokens = []
            for _ in range(self.chance.choice(BURSTS)):
                tokens.append(await self.write())
                await pause(self.chance.random() * 0.8)
            if self.chance.random() < 0.8:
                await self.until_answered(tokens, PATIENCE, stopping)

    async def until_answered(self, tokens: list[str], seconds: float, stopping: asyncio.Event | None = None) -> bool:
        deadline = time.monotonic() + seconds
        while not self.has_answers(tokens):
            if time.monotonic() > deadline or (stopping is not None and stopping.is_set()):
                return False
            await pause(LOOKS_EVERY)
        return True

    def has_answers(self, tokens: list[str]) -> bool:
        self.look()
        return all(token in self.answered for token in tokens)

    def hear(self, text: str) -> None:
        for token in TOKEN.findall(text):
            self.answered.setdefault(token, time.time())


@dataclass
class Phone(Customer):
    """On a channel with a provider. The edge of the fake one is the way in, `outside` the way out."""

    url: str = ""
    number: str = ""
    _seen: int = 0

    async def send(self, token: str, text: str) -> httpx.Response:
        return await self.http.post(self.url, json={"from": self.number, "id": f"in-{token}", "text": text})

    def look(self) -> None:
        parts = list(self.outside.accepted.values())
        for part in parts[self._seen :]:
            self.hear(str(part[0]["text"]))
        self._seen = len(parts)


@dataclass
class Visitor(Customer):
    """In the web chat, with its stream open, which is opened again whenever it breaks."""

    url: str = ""
    token: str = ""
    seen: list[int] = field(default_factory=list)  # positions as they came
    texts: list[str] = field(default_factory=list)
    opened: int = 0

    async def enter(self) -> None:
        while not self.token:
            try:
                response = await self.http.post(f"{self.url}/sessions", json={})
                self.token = response.json()["visitor_token"] if response.is_success else ""
            except AWAY:
                await pause(AGAIN)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-visitor-token": self.token}

    async def send(self, token: str, text: str) -> httpx.Response:
        body = {"idempotency_key": f"key-{token}", "text": text}
        return await self.http.post(f"{self.url}/messages", json=body, headers=self.headers)

    async def listen(self) -> None:
        """Follow the stream for ever, each time from behind the last message."""
        while True:
            try:
                async with aclosing(self.events()) as events:
                    async for message in events:
                        self.take(message)
            except AWAY:
                pass
            await pause(AGAIN)

    async def events(self) -> AsyncGenerator[dict[str, object], None]:
        after = {"after": self.seen[-1] if self.seen else 0}
        stream = self.http.stream("GET", f"{self.url}/stream", params=after, headers=self.headers, timeout=40)
        async with stream as response:
            if not response.is_success:
                return
            self.opened += 1
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "message":
                    yield json.loads(value)

    def take(self, message: dict[str, object]) -> None:
        position = int(str(message["position"]))
        if self.seen and position <= self.seen[-1]:
            self.faults.append(f"the stream of {self.name} told position {position} after {self.seen[-1]}")
        self.seen.append(position)
        self.texts.append(str(message.get("text")))
        if message.get("from") != "visitor":
            self.hear(str(message.get("text")))

    async def history(self) -> list[int]:
        """The positions of all messages, as a page that is opened now reads them."""
        positions: list[int] = []
        while True:
            after = {"after": positions[-1] if positions else 0, "limit": 100}
            try:
                response = await self.http.get(f"{self.url}/messages", params=after, headers=self.headers)
            except AWAY:
                continue  # a killed HTTP process may be on its way back still
            if not response.is_success:
                await pause(AGAIN)
                continue
            positions += [message["position"] for message in response.json()["data"]]
            if not response.json()["has_more"]:
                return positions
