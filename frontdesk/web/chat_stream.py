"""The stream of one open chat: stored messages first, then what happens, without gap or double.

It subscribes before it reads the table, and after each event reads the table by position: what was stored between
the two is seen by one of them, and a position is sent once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

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
        with self.live.subscribe(self.visitor.conversation_id) as events:
            async for text in self._catch_up(self.visitor.conversation_id):
                yield text
            async for text in self._follow(self.visitor.conversation_id, events):
                yield text

    async def _wait_for_conversation(self) -> AsyncIterator[str]:
        """Until the visitor has written the first message, in this tab or another one."""
        with self.live.subscribe(self.visitor.topic) as events:
            while True:
                found = await self.find_visitor()
                if found is None or found.conversation_id is not None:
                    self.visitor = found or self.visitor
                    return
                while (event := await self._next(events)) is None:
                    yield BEAT
                if event is END:
                    return

    async def _follow(self, conversation_id: int, events: Subscription) -> AsyncIterator[str]:
        while (event := await self._next(events)) is not END:
            if event is None:
                yield BEAT
            elif event.name in PASSED_ON:
                yield encode(event.name, dict(event.data))
            elif event is RESYNC:
                yield encode("resync", {})
                async for text in self._catch_up(conversation_id):
                    yield text
            else:
                async for text in self._messages(conversation_id):
                    yield text

    async def _next(self, events: Subscription) -> LiveEvent | None:
        """The next event, None after a silence, `END` when the process stops."""
        try:
            return await events.next_within(HEARTBEAT)
        except StopAsyncIteration:
            return END

    async def _catch_up(self, conversation_id: int) -> AsyncIterator[str]:
        async for text in self._messages(conversation_id):
            yield text
        async with self.database.reading(self.organization_id) as connection:
            turn = await connection.fetchrow(TURN_SQL, self.organization_id, conversation_id)
        if turn is None:
            return
        yield encode("typing", {"on": True, "turn_id": turn["id"]})
        if turn["draft"] and turn["status"] == "running":
            seq, epoch = turn["draft_seq"], turn["epoch"]
            yield encode("draft", {"turn_id": turn["id"], "epoch": epoch, "seq": seq, "text": turn["draft"]})

    async def _messages(self, conversation_id: int) -> AsyncIterator[str]:
        """Everything stored after the last position sent."""
        while page := await self.visitors.after(self.organization_id, conversation_id, self.position, PAGE):
            for message in page:
                self.position = int(str(message["position"]))
                yield encode("message", message, self.position)
            if len(page) < PAGE:
                return


END = LiveEvent("end")
