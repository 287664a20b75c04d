"""A walk through a conversation's life: one step after another at a real desk, with a model that may be interrupted.

`Walk.take` does one step. A model's answer is a list of moves; before each of them somebody else may act, while nobody
holds a transaction. The rules that must hold after each step are in `walk_rules.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from pydantic_ai.exceptions import ModelTimeoutError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart

from frontdesk.channels.protocol import Outgoing
from frontdesk.core.database import Connection
from frontdesk.core.errors import BadRequest, Unavailable
from frontdesk.flow import Flow
from frontdesk.runtime.delivery import Delivery
from frontdesk.runtime.outbox import Part
from frontdesk.runtime.thread import Conversation
from tests.flow.harness import Crash, Desk, FakeProvider, Models, Reply, Script, call
from tests.flow.test_crash_points import Doom, Killed
from tests.flow.test_delivery import MULTI
from tests.flow.test_handoff import ASK, hands_over, transfer
from tests.flow.test_handoff_assistants import pass_on, to
from tests.flow.test_handoff_rules import KEYWORDS
from tests.flow.test_resume import is_valid
from tests.flow.walk_acts import Acts
from tests.flow.walk_moves import CLAIM, MAX_HOPS, MEND, Beginning, Move, Step
from tests.flow.walk_places import place_of
from tests.flow.walk_shop import Shop
from tests.flow.walk_watch import watch
from tests.webhook_receiver import Receiver

# What stands before the begin of the context, and what has to be answered, of the turn that asks its model.
CONTEXT = """
    SELECT m.message_text, m.direction, coalesce(m.created_at <= c.ai_context_cut, false) AS is_before,
        d.ai_turn_id = t.id AS is_asked FROM ai_turns t
    JOIN conversations c ON c.id = t.conversation_id AND c.epoch = t.epoch
    JOIN conversation_messages m ON m.conversation_id = c.id AND m.message_type = 'text'
    LEFT JOIN ai_decisions d ON d.message_id = m.id AND d.outcome = 'pending'
    WHERE t.conversation_id = $1 AND t.status = 'running' AND t.superseded_by_message_id IS NULL
"""
ORDERS = {"order": "api_place_order", "book": "api_book_room"}
# What is still to come of a walk; where nothing is, time need not pass.
LEFT = """
    SELECT EXISTS (SELECT FROM ai_turns WHERE status <> 'ended')
        OR EXISTS (SELECT FROM ai_decisions WHERE outcome = 'pending')
        OR EXISTS (SELECT FROM outbox WHERE status IN ('pending', 'sending'))
        OR EXISTS (SELECT FROM ai_turn_steps WHERE status = 'intent')
        OR EXISTS (SELECT FROM ai_approvals WHERE status IN ('pending', 'approved'))
        OR EXISTS (SELECT FROM ai_follow_ups WHERE status IN ('scheduled', 'sending')) AS is_left
"""
LATEST = "SELECT due_at FROM ai_follow_ups WHERE status = 'scheduled' ORDER BY due_at LIMIT 1"


class Watched(FakeProvider):
    """A provider that looks, at the moment of each part, whether it may be sent at all."""

    def __init__(self, walk: Walk, takes_keys: bool) -> None:
        super().__init__(takes_keys=takes_keys)
        self.walk = walk

    async def send(self, part: Outgoing) -> str | None:
        async with self.walk.desk.database.system() as connection:
            self.walk.wrong += await watch(connection, part.idempotency_key, self.walk.schedule, self.walk.now)
        return await super().send(part)


class WatchedDelivery(Delivery):
    """The same where a message that is stored has arrived: within the transaction that stores it."""

    walk: Walk

    async def _accepted(
        self, connection: Connection, talk: Conversation, part: Part, external_id: str | None = None
    ) -> None:
        if self.walk.place.is_local and talk.id == self.walk.desk.conversation_id:
            key = part.idempotency_key
            self.walk.wrong += await watch(connection, key, self.walk.schedule, self.walk.now)
        await super()._accepted(connection, talk, part, external_id)


class Endless(list[Reply | Callable[[list[ModelMessage]], Awaitable[Reply]]]):
    def pop(self, index: object = 0) -> Reply | Callable[[list[ModelMessage]], Awaitable[Reply]]:
        return self[0]


class Walk(Acts):
    def __init__(self, desk: Desk, doom: Doom, receiver: Receiver, beginning: Beginning) -> None:
        self.desk, self.doom, self.beginning = desk, doom, beginning
        self.place = place_of(desk, beginning.place)
        self.wrong, self.known, self.schedules = [], set(), {0: "open"}
        self.shop = Shop(desk, receiver, self.act, self.wrong)
        self.provider = Watched(self, beginning.takes_keys)
        self.moves: list[Move] = []
        self.other_id = self.said = 0

    async def begin(self) -> None:
        """A provider that may fail, rules for the hand-off, a second assistant, and what else is switched on."""
        desk = self.desk
        await self.place.begin()
        desk.channels["sms"] = self.provider
        # The model makes the walk's moves, and says plainly what it was told to do when there are none.
        desk.script = Script()
        desk.script.entries = Endless([self.think])
        desk.flow.models = Models(desk.script)
        desk.flow = self.another_flow()
        await hands_over(desk, ASK, KEYWORDS)
        await desk.configure(response_config=MULTI)
        await self.shop.open()
        other = await desk.call(
            "ai-assistants", "create", name="Billing", assistant_type=self.place.assistant_type, ai_model_id=1,
            instructions="Bills.", ai_assistant_handoff_config=to(desk.assistant_id, max_hops=MAX_HOPS),
        )  # fmt: skip
        self.other_id = int(str(other.value["id"]))
        await self.configure(ai_assistant_handoff_config=to(self.other_id, max_hops=MAX_HOPS))
        await self.do_tools_on()
        for name in self.beginning.settings:
            await self.act(name)

    def another_flow(self) -> Flow:
        flow = self.desk.another_flow()
        delivery = WatchedDelivery(flow.database, flow.clock, flow.door, flow.assistants)
        delivery.walk = self
        flow.delivery = delivery
        return flow

    @property
    def schedule(self) -> str:
        """The one in force now."""
        return self.schedules[max(self.schedules)]

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()

    # -- the model -----------------------------------------------------------------------------

    async def think(self, messages: list[ModelMessage]) -> Reply:
        if not is_sound(messages):
            self.wrong.append(f"the model was given a history that is not valid: {messages}")
        tools = {tool.name for tool in self.desk.script.infos[-1].function_tools}
        self.said += 1
        if not tools:
            return f"Summary {self.said}."
        await self._read(messages)
        move = self.moves.pop(0) if self.moves else Move()
        if move.meanwhile:
            await self.act(move.meanwhile)
        return self.reply(move, self.said, tools)

    async def _read(self, messages: list[ModelMessage]) -> None:
        """The context begins where it was cut, and what has to be answered is in it."""
        parts = [part for message in messages for part in message.parts if isinstance(part, UserPromptPart)]
        told = {part.content for part in parts if isinstance(part.content, str)}
        for row in await self.desk.fetch(CONTEXT, self.desk.conversation_id):
            text = row["message_text"]
            if row["is_before"] and text in told and row["direction"] == "inbound":
                self.wrong.append(f"the model was told {text!r}, from before the cut")
            if row["is_asked"] and not row["is_before"] and text not in told:
                self.wrong.append(f"the model was not told {text!r}, which it has to answer")

    def reply(self, move: Move, number: int, tools: set[str]) -> Reply:
        kind, desk, id = move.reply, self.desk, f"c{number}"
        if kind == "note":
            return call("add_note", id, contact_id=desk.contact_id, text=f"Note {number}.")
        if kind == "read":
            return call("find_contact", id, search="Ana")
        if kind == "transfer":
            return transfer(reason=f"wish {number}")
        if kind == "pass_on" and "transfer_to_assistant" in tools:
            about = str(desk.script.infos[-1].instructions)
            return pass_on(desk.assistant_id if "Bills." in about else self.other_id)
        name, _, fate = kind.partition("_")
        if name in ORDERS and ORDERS[name] in tools:
            article = f"{name} {number} {fate}"
            self.shop.during[article] = move.during
            return call(ORDERS[name], id, article=article)
        if kind == "timeout":
            return ModelTimeoutError("scripted", "too slow")
        if kind == "blank":
            return " "
        if kind == "claim":
            return f"Answer {number}. {CLAIM}"
        return f"Answer {number}.\n\nAnd more {number}." if kind == "two" else f"Answer {number}."

    # -- the walk --------------------------------------------------------------------------------

    async def take(self, step: Step) -> None:
        self.moves = list(step.moves)
        faults: dict[str, BaseException] = {
            "dies": Crash(), "away": Unavailable("The provider is away."), "refuses": BadRequest("No such number."),
        }  # fmt: skip
        if step.send:
            self.provider.faults.append(faults[step.send])
        await self.act(step.act)
        await self.desk.clock.advance(step.seconds)
        await self.settle(step.crash)

    async def settle(self, crash: int | None = None) -> None:
        """All that is due, on a worker that may die of it; another one is there at once."""
        self.doom.left = crash
        try:
            await self.desk.settle()
        except (Killed, Crash):
            self.desk.flow = self.another_flow()
        finally:
            self.doom.left = None
            self.depth = 0

    async def end(self) -> None:
        """Let time pass until nothing is left to do."""
        for seconds in MEND:
            if not (await self.desk.fetch(LEFT))[0]["is_left"]:
                return
            await self.desk.clock.advance(seconds)
            await self.settle()
        for _ in range(9):
            # What is put off waits for the next opening.
            if not (rows := await self.desk.fetch(LATEST)):
                return
            self.desk.clock.set(max(rows[0]["due_at"], self.now) + timedelta(seconds=1))
            await self.settle()


def is_sound(messages: list[ModelMessage]) -> bool:
    """Requests and responses by turns, beginning with somebody's words and ending with what has to be answered."""
    kinds = [type(message) for message in messages]
    expected = [ModelRequest, ModelResponse] * len(kinds)
    opens = bool(messages) and any(isinstance(part, UserPromptPart) for part in messages[0].parts)
    return is_valid(messages) and opens and len(kinds) % 2 == 1 and kinds == expected[: len(kinds)]
