"""The stream of one open chat: stored messages first, then what happens, without gap or double.

It subscribes before it reads the table, and after each event reads the table by position: what was stored between
the two is seen by one of them, and a position is sent once.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from frontdesk.core.clock import Clock, SystemClock
from frontdesk.core.database import Database
from frontdesk.core.errors import Json
from frontdesk.core.live import RESYNC, Live, LiveEvent, Subscription

from .chat_visitors import Visitor, Visitors

HEARTBEAT = 15.0  # seconds; the client gives up a line after two of them are missing
BEAT = ": \n\n"
PASSED_ON = ("typing", "draft", "draft.withdrawn")
PAGE = 100

# Who opens the chat in the middle of a turn sees what the others see.
TURN_SQL = """
    SELECT id, epoch, draft, draft_seq, status FROM ai_turns
    WHERE organization_id = $1 AND conversation_id = $2 AND status IN ('running', 'delivering') AND NOT is_muted
"""


def encode(name: str, data: Json, position: int | None = None) -> str:
    head = f"id: {position}\n" if position is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


class Messages(Protocol):
    """Gives the stored messages of one conversation as they are sent, each with its `position`."""

    async def __call__(self, conversation_id: int, position: int, limit: int) -> list[dict[str, Json]]:
        """Those after `position`, oldest first."""
        ...


@dataclass
class ConversationStream:
    """Server-sent events of one conversation, from `position` on, until `ends_at` by the monotonic clock.

    Iterate it once.
    """

    database: Database
    live: Live
    organization_id: int
    conversation_id: int
    position: int
    read: Messages
    page: int = PAGE  # messages that `read` gives at once
    ends_at: float = math.inf
    clock: Clock = field(default_factory=SystemClock)

    async def __aiter__(self) -> AsyncIterator[str]:
        with self.live.subscribe(self.conversation_id) as events:
            async for text in self._catch_up():
                yield text
            async for text in self._follow(events):
                yield text

    async def _follow(self, events: Subscription) -> AsyncIterator[str]:
        while (left := self.ends_at - self.clock.monotonic()) > 0:
            event = await next_of(events, min(HEARTBEAT, left))
            if event is END:
                return
            if event is None:
                yield BEAT
            elif event.name in PASSED_ON:
                yield encode(event.name, dict(event.data))
            elif event is RESYNC:
                yield encode("resync", {})
                async for text in self._catch_up():
                    yield text
            else:
                async for text in self._messages():
                    yield text

    async def _catch_up(self) -> AsyncIterator[str]:
        async for text in self._messages():
            yield text
        async with self.database.reading(self.organization_id) as connection:
            turn = await connection.fetchrow(TURN_SQL, self.organization_id, self.conversation_id)
        if turn is None:
            return
        yield encode("typing", {"on": True, "turn_id": turn["id"]})
        if turn["draft"] and turn["status"] == "running":
            seq, epoch = turn["draft_seq"], turn["epoch"]
            yield encode("draft", {"turn_id": turn["id"], "epoch": epoch, "seq": seq, "text": turn["draft"]})

    async def _messages(self) -> AsyncIterator[str]:
        """Everything stored after the last position sent."""
        while page := await self.read(self.conversation_id, self.position, self.page):
            for message in page:
                self.position = int(str(message["position"]))
                yield encode("message", message, self.position)
            if len(page) < self.page:
                return


@dataclass
class ChatStream:
    """Server-sent events for one visitor, from `position` on. Iterate it once.

    `find_visitor` reads the visitor anew, for one whose conversation begins while the stream is open.
    """

    database: Database
    live: Live
    organization_id: int
    visitor: Visitor
    position: int
    visitors: Visitors
    find_visitor: Callable[[], Awaitable[Visitor | None]]

    async def __aiter__(self) -> AsyncIterator[str]:
        yield BEAT
        if self.visitor.conversation_id is None:
            async for text in self._wait_for_conversation():
                yield text
        if self.visitor.conversation_id is None:
            return
        read = partial(self.visitors.after, self.organization_id)
        where = (self.organization_id, self.visitor.conversation_id)
        async for text in ConversationStream(self.database, self.live, *where, self.position, read):
            yield text

    async def _wait_for_conversation(self) -> AsyncIterator[str]:
        """Until the visitor has written the first message, in this tab or another one."""
        with self.live.subscribe(self.visitor.topic) as events:
            while True:
                found = await self.find_visitor()
                if found is None or found.conversation_id is not None:
                    self.visitor = found or self.visitor
                    return
                while (event := await next_of(events)) is None:
                    yield BEAT
                if event is END:
                    return


async def next_of(events: Subscription, seconds: float = HEARTBEAT) -> LiveEvent | None:
    """The next event, None after a silence, `END` when the process stops."""
    try:
        return await events.next_within(seconds)
    except StopAsyncIteration:
        return END


END = LiveEvent("end")
