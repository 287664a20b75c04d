"""A walk through a conversation's life: one step after another at a real desk, with a model that may be interrupted.

`Walk.take` does one step. A model's answer is a list of moves; before each of them somebody else may act, while nobody
holds a transaction. The rules that must hold after each step are in `walk_rules.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic_ai.exceptions import ModelTimeoutError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart

from frontdesk.channels.protocol import Outgoing
from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import ApiError, BadRequest, GeneralError, Json, Unavailable
from tests.flow.harness import Crash, Desk, FakeProvider, Models, Reply, Script, call
from tests.flow.test_crash_points import Doom, Killed
from tests.flow.test_delivery import MULTI, provider
from tests.flow.test_handoff import ASK, hands_over, transfer
from tests.flow.test_handoff_rules import KEYWORDS
from tests.flow.test_resume import is_valid

LEASE = 10  # seconds, a little more than a lease
DAY = 24 * 3600 + 1  # what waits for a person is given up after it; a turn may wait once for each of its calls
MEND = (1, LEASE, 60, 120, 600, *[DAY, LEASE] * 4, 60, 3600, 60)  # seconds until what was broken has been mended
SHUT = {"enabled": True, "weekly": [{"days": ["sun"], "from": "03:00", "to": "03:01"}],
        "out_of_schedule": {"action": "message", "message": "We are closed.", "once_per_hours": 2}}  # fmt: skip
FOLLOW_UPS = {"enabled": True, "max_per_conversation": 2, "rules": [
    {"id": "soon", "after_minutes": 30, "mode": "fixed", "message": "Are you still there?"},
    {"id": "later", "after_minutes": 60, "mode": "ai", "instructions": "Ask kindly."},
]}  # fmt: skip
ALWAYS = {"enabled": True, "approval": "always"}
PART = """
    SELECT o.epoch, k.opted_out_at IS NOT NULL AS has_opted_out, t.ai_follow_up_id IS NOT NULL AS is_turn_of_follow_up,
        (SELECT m.sender FROM conversation_messages m WHERE m.conversation_id = c.id
            AND m.message_type NOT IN ('note', 'reaction') ORDER BY m.position DESC LIMIT 1) AS last_sender,
        o.ai_turn_id, o.payload, c.epoch AS now, c.status, c.blocked, c.assigned_ai_assistant_id AS owner,
        a.disable_reply, a.deleted_at IS NOT NULL AS is_deleted
    FROM outbox o JOIN conversations c ON c.id = o.conversation_id
    JOIN contacts k ON k.id = c.contact_id
    LEFT JOIN ai_turns t ON t.id = o.ai_turn_id
    LEFT JOIN ai_assistants a ON a.id = (o.payload ->> 'ai_assistant_id')::bigint
    WHERE o.idempotency_key = $1
"""


@dataclass(frozen=True)
class Move:
    """What the model does in one request, and what somebody else does while it thinks."""

    reply: str = "say"
    meanwhile: str = ""


@dataclass(frozen=True)
class Step:
    """One step of a walk; `crash` is after how many uses of the database the worker dies while it follows."""

    act: str = "inbound"
    moves: tuple[Move, ...] = ()
    crash: int | None = None
    send: str = ""  # what the provider does with the next part
    seconds: int = 0


@dataclass
class Watched(FakeProvider):
    """A provider that looks, at the moment of each part, whether it may be sent at all."""

    walk: Walk | None = None

    def __init__(self, walk: Walk, takes_keys: bool) -> None:
        super().__init__(takes_keys=takes_keys)
        self.walk = walk

    async def send(self, part: Outgoing) -> str | None:
        assert self.walk is not None
        await self.walk.watch(part)
        return await super().send(part)


class Mind(Script):
    """The model: it makes the walk's moves, and says plainly what it was told to do when there are none."""

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk
        self.entries = Endless([walk.think])


class Endless(list[Reply | Callable[[list[ModelMessage]], Awaitable[Reply]]]):
    def pop(self, index: object = 0) -> Reply | Callable[[list[ModelMessage]], Awaitable[Reply]]:
        return self[0]


@dataclass
class Walk:
    desk: Desk
    doom: Doom
    takes_keys: bool = True
    moves: list[Move] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # what was seen where nobody could raise
    noted: list[str] = field(default_factory=list)  # texts of notes that the model asked for
    said: int = 0
    depth: int = 0
    other_id: int = 0
    last_external_id: str = ""

    async def begin(self, *settings: str) -> None:
        """A provider that may fail, rules for the hand-off, a second assistant, and what else is switched on."""
        desk = self.desk
        await provider(desk, takes_keys=self.takes_keys)
        self.provider = desk.channels["sms"] = Watched(self, self.takes_keys)
        desk.script = Mind(self)
        desk.flow.models = Models(desk.script)
        await hands_over(desk, ASK, KEYWORDS)
        await desk.configure(response_config=MULTI)
        other = await desk.call(
            "ai-assistants", "create", name="Billing", assistant_type="conversation", ai_model_id=1,
            instructions="Bills.",
        )  # fmt: skip
        self.other_id = int(str(other.value["id"]))
        for name in settings:
            await self.act(name)

    # -- the model -----------------------------------------------------------------------------

    async def think(self, messages: list[ModelMessage]) -> Reply:
        if not is_sound(messages):
            self.wrong.append(f"the model was given a history that is not valid: {messages}")
        move = self.moves.pop(0) if self.moves else Move()
        if move.meanwhile:
            await self.act(move.meanwhile)
        self.said += 1
        return self.reply(move.reply, self.said)

    def reply(self, kind: str, number: int) -> Reply:
        if kind == "note":
            self.noted.append(f"Note {number}.")
            return call("add_note", f"c{number}", contact_id=self.desk.contact_id, text=f"Note {number}.")
        if kind == "read":
            return call("find_contact", f"c{number}", query="Ana")
        if kind == "transfer":
            return transfer(reason=f"wish {number}")
        if kind == "timeout":
            return ModelTimeoutError("scripted", "too slow")
        if kind == "blank":
            return " "
        return f"Answer {number}." if kind == "say" else f"Answer {number}.\n\nAnd more {number}."

    # -- everybody else -------------------------------------------------------------------------

    async def act(self, name: str) -> None:
        """Do it; what the product refuses by its rules is no step."""
        try:
            await getattr(self, f"do_{name}")()
        except GeneralError:
            raise
        except ApiError:
            pass

    async def do_inbound(self, text: str = "Hello?") -> None:
        stored = await self.desk.say(f"{text} {self.desk.sent}")
        assert stored.is_new
        self.last_external_id = f"m{self.desk.sent}"

    async def do_keyword(self) -> None:
        await self.do_inbound("My lawyer!")

    async def do_duplicate(self) -> None:
        if self.last_external_id:
            assert not (await self.desk.say("Hello?", self.last_external_id)).is_new

    async def do_person_writes(self) -> None:
        data = {"conversation_id": self.desk.conversation_id, "message_text": f"Marta here {self.desk.sent}."}
        await self.desk.call("conversation-messages-sms", "create", **data)

    async def do_program_writes(self) -> None:
        """With a key: nobody takes over, and the assistant goes on."""
        desk, key = self.desk, Caller(self.desk.organization_id, self.desk.user_id, Role.admin, via="api_key")
        data: dict[str, Json] = {"conversation_id": desk.conversation_id, "message_text": f"Your order {desk.sent}."}
        await desk.door.call(key, "conversation-messages-sms", "create", data=data)

    async def do_person_takes(self) -> None:
        await self.desk.change(assigned_user_id=self.desk.user_id)

    async def do_nobody(self) -> None:
        await self.desk.change(assigned_user_id=None, assigned_ai_assistant_id=None)

    async def do_hand_back(self) -> None:
        await self.desk.change(assigned_ai_assistant_id=self.desk.assistant_id)

    async def do_other_assistant(self) -> None:
        await self.desk.change(assigned_ai_assistant_id=self.other_id)

    async def do_close(self) -> None:
        await self.desk.change(status="closed")

    async def do_reopen(self) -> None:
        await self.desk.change(status="open")

    async def do_bulk_close(self) -> None:
        await self.desk.call(
            "conversations-bulk-actions", "create", action="update_status", status="closed",
            conversation_ids=[self.desk.conversation_id],
        )  # fmt: skip

    async def do_cut(self) -> None:
        await self.desk.change(ai_context_cut=self.desk.clock.now().isoformat())

    async def do_block(self) -> None:
        await self.desk.change(blocked=True)

    async def do_unblock(self) -> None:
        await self.desk.change(blocked=False)

    async def do_mute(self) -> None:
        await self.desk.configure(disable_reply=True)

    async def do_unmute(self) -> None:
        await self.desk.configure(disable_reply=False)

    async def do_shut(self) -> None:
        await self.desk.configure(schedule_config=SHUT)

    async def do_unshut(self) -> None:
        await self.desk.configure(schedule_config={"enabled": False})

    async def do_tool_off(self) -> None:
        await self.desk.configure(internal_tools={"tools": {"find_contact": True}})

    async def do_ask_first(self) -> None:
        """From now on a person has to approve each note."""
        await self.desk.configure(internal_tools={"tools": {"find_contact": True, "add_note": ALWAYS}})

    async def do_approve(self) -> None:
        await self.decide("approved")

    async def do_refuse(self) -> None:
        await self.decide("refused")

    async def decide(self, status: str) -> None:
        for row in await self.desk.fetch("SELECT id FROM ai_approvals WHERE status = 'pending'"):
            await self.desk.call("ai-approvals", "patch", row["id"], status=status)

    async def do_remind(self) -> None:
        await self.desk.configure(follow_up_config=FOLLOW_UPS)

    async def do_opt_out(self) -> None:
        now = self.desk.clock.now().isoformat()
        await self.desk.call("contacts", "patch", self.desk.contact_id, opted_out_at=now)

    async def do_opt_in(self) -> None:
        await self.desk.call("contacts", "patch", self.desk.contact_id, opted_out_at=None)

    async def do_burst_on(self) -> None:
        await self.desk.configure(enable_message_burst_handling=True)

    async def do_burst_off(self) -> None:
        await self.desk.configure(enable_message_burst_handling=False)

    async def do_delete_assistant(self) -> None:
        await self.desk.call("ai-assistants", "remove", self.desk.assistant_id)

    async def do_wait(self) -> None:
        pass

    async def do_stall(self) -> None:
        """This worker stands still; its lease goes to another one."""
        if self.depth:
            return
        self.depth += 1
        self.desk.clock.set(self.desk.clock.now() + timedelta(seconds=LEASE))
        await self.desk.settle(self.desk.another_flow())
        self.depth -= 1

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
            self.desk.flow = self.desk.another_flow()
        finally:
            self.doom.left = None
            self.depth = 0

    async def end(self) -> None:
        """Let time pass until nothing is left to do."""
        for seconds in MEND:
            await self.desk.clock.advance(seconds)
            await self.settle()

    async def watch(self, part: Outgoing) -> None:
        """Called as the provider gets a part: nothing under an old epoch, and nothing that was revoked."""
        (row,) = await self.desk.fetch(PART, part.idempotency_key)
        body: dict[str, Json] = json.loads(row["payload"])
        if row["blocked"]:
            self.wrong.append(f"{part.text!r} went to a blocked contact")
        if body["kind"] == "written":
            return
        if row["epoch"] != row["now"]:
            self.wrong.append(f"{part.text!r} of epoch {row['epoch']} was sent in epoch {row['now']}")
        if row["disable_reply"] or row["is_deleted"]:
            self.wrong.append(f"{part.text!r} was sent in the name of a silent assistant")
        if row["ai_turn_id"] is not None and row["owner"] != body["ai_assistant_id"]:
            self.wrong.append(f"{part.text!r} was sent by an assistant that has the conversation no more")
        is_follow_up = body["kind"] == "follow_up" or row["is_turn_of_follow_up"]
        if (row["ai_turn_id"] is not None or is_follow_up) and row["status"] == "closed":
            self.wrong.append(f"{part.text!r} was sent after the close")
        if is_follow_up and (row["has_opted_out"] or row["last_sender"] != "assistant"):
            self.wrong.append(f"the follow-up {part.text!r} was sent after the {row['last_sender']}")


def is_sound(messages: list[ModelMessage]) -> bool:
    """Requests and responses by turns, beginning with somebody's words and ending with what has to be answered."""
    kinds = [type(message) for message in messages]
    expected = [ModelRequest, ModelResponse] * len(kinds)
    opens = bool(messages) and any(isinstance(part, UserPromptPart) for part in messages[0].parts)
    return is_valid(messages) and opens and len(kinds) % 2 == 1 and kinds == expected[: len(kinds)]
