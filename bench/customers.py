"""Customers who write into the playground over HTTP and wait for the reply, as cheaply as Python can."""

from __future__ import annotations

import asyncio
import json
import time
from types import TracebackType

import asyncpg

CHANNEL = "frontdesk_live"  # where PostgreSQL tells that a message was stored
PATIENCE = 300.0  # seconds for one reply

STATE = """
    SELECT m.position, m.direction, d.outcome, d.reason, t.status, t.due_at, t.started_at, t.end_reason, now()
    FROM conversation_messages m
    LEFT JOIN ai_decisions d ON d.organization_id = m.organization_id AND d.message_id = m.id
    LEFT JOIN ai_turns t ON t.organization_id = m.organization_id AND t.id = d.ai_turn_id
    WHERE m.conversation_id = $1 ORDER BY m.position
"""


class Http:
    """Keep-alive connections to one server; each carries one request at a time."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """The answer's JSON. Raises RuntimeError when it is not a success."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\nx-api-key: {self._key}\r\ncontent-length: {len(data)}\r\n"
        writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + data)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        content = await reader.readexactly(length)
        self._free.append((reader, writer))
        if not answer.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{method} {path}: {content.decode()[:1000]}")
        return json.loads(content)  # type: ignore[no-any-return]

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


class Customers:
    """Writes as a contact to an assistant; hears of replies by LISTEN, so that waiting costs our processes nothing."""

    def __init__(self, http: Http, url: str, organization_id: int, contact_id: int, assistant_id: int) -> None:
        self._http, self._url = http, url
        self._addressed = {"organization_id": organization_id, "contact_id": contact_id}
        self._assistant_id = assistant_id
        self._heard: dict[int, int] = {}  # conversation → newest position
        self._awaited: dict[int, asyncio.Event] = {}

    async def __aenter__(self) -> Customers:
        self._connection = await asyncpg.connect(self._url)
        await self._connection.add_listener(CHANNEL, self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()
        self._http.close()

    def _hear(self, _: object, __: int, ___: str, payload: object) -> None:
        event = json.loads(str(payload))
        if event["e"] == "message":
            self._heard[event["c"]] = max(event["position"], self._heard.get(event["c"], 0))
            if waiting := self._awaited.get(event["c"]):
                waiting.set()

    async def write(self, conversation: tuple[int, int] | None = None) -> tuple[int, int]:
        """One message; returns its conversation and position. Without a conversation a new one is begun."""
        where = {"assistant_id": self._assistant_id} if conversation is None else {"conversation_id": conversation[0]}
        body = {**self._addressed, **where, "message_text": "Which address do you have of me?"}
        stored = await self._http.call("POST", "/conversation-messages-playground", body)
        return int(str(stored["conversation_id"])), (conversation[1] if conversation else 0) + 1

    async def ask(self, conversation: tuple[int, int] | None = None) -> tuple[tuple[int, int], float]:
        """One turn: a message and its stored reply. Returns the conversation as it is then, and the seconds."""
        began = time.perf_counter()
        number, position = await self.write(conversation)
        waiting = self._awaited[number] = asyncio.Event()
        try:
            async with asyncio.timeout(PATIENCE):
                while self._heard.get(number, 0) <= position:
                    waiting.clear()
                    await waiting.wait()
        except TimeoutError as error:
            state = await self._connection.fetch(STATE, number)
            raise RuntimeError(f"no reply in conversation {number} within {PATIENCE:g} s: {state}") from error
        del self._awaited[number]
        return (number, self._heard.pop(number)), time.perf_counter() - began
