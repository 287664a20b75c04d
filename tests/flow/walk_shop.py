"""Another system at the end of a walk's API tools: it takes orders, and looks whether it should be asked at all."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from frontdesk.core.egress import Guard
from frontdesk.core.errors import Json
from tests.flow.harness import Desk
from tests.webhook_receiver import Receiver

# The step that was committed before the call, and what would have forbidden it.
ASKED = """
    SELECT s.status, t.epoch, c.epoch AS now, c.blocked, a.deleted_at IS NOT NULL AS is_deleted, a.disable_reply,
        a.api_tools @> '[{"enabled": false}]' AS is_off
    FROM ai_turn_steps s JOIN ai_turns t ON t.id = s.ai_turn_id JOIN conversations c ON c.id = t.conversation_id
    JOIN ai_assistants a ON a.id = t.ai_assistant_id
    WHERE s.kind = 'tool' AND s.arguments ->> 'article' = $1
"""


@dataclass(frozen=True)
class Order:
    article: str
    key: str | None


@dataclass
class Shop:
    """`meanwhile` acts while an order is being taken; `wrong` is what it saw."""

    desk: Desk
    receiver: Receiver
    meanwhile: Callable[[str], Awaitable[None]]
    wrong: list[str]
    orders: list[Order] = field(default_factory=list)
    during: dict[str, str] = field(default_factory=dict)  # by article
    ids: list[int] = field(default_factory=list)

    async def open(self) -> None:
        """Two tools: one may never be repeated, the other takes a key."""
        self.receiver.answers = [self.take]
        self.desk.door.guard = Guard.of(["127.0.0.1"])
        for name, takes_key in (("Place order", False), ("Book room", True)):
            made = await self.desk.call(
                "api-tools", "create", name=name, description=name, method="POST", endpoint=f"{self.receiver.url}/x",
                body_parameters=[{"name": "article", "required": True}], takes_idempotency_key=takes_key,
            )  # fmt: skip
            self.ids.append(int(str(made.value["id"])))

    def uses(self, **members: Json) -> Json:
        return [{"api_tool_id": id, **members} for id in self.ids]

    async def take(self, request: Request) -> Response:
        article = str(json.loads(await request.body())["article"])
        self.orders.append(Order(article, request.headers.get("idempotency-key")))
        await self._look(article)
        if during := self.during.pop(article, ""):
            await self.meanwhile(during)
        if "refused" in article:
            return JSONResponse({"error": "sold out"}, 422)
        # A line that breaks in the middle of the answer: nobody knows what became of the order.
        headers = {"content-length": "1000"} if "breaks" in article else None
        return Response(b'{"id": 1}', 201, headers, "application/json")

    async def _look(self, article: str) -> None:
        rows = await self.desk.fetch(ASKED, article)
        if [row["status"] for row in rows] != ["intent"]:
            self.wrong.append(f"{article!r} was ordered with the steps {[row['status'] for row in rows]}")
        for row in rows:
            if row["epoch"] != row["now"]:
                self.wrong.append(f"{article!r} was ordered by a turn of epoch {row['epoch']} in epoch {row['now']}")
            if row["blocked"] or row["is_deleted"] or row["is_off"]:
                self.wrong.append(f"{article!r} was ordered although that was revoked")
