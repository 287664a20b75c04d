"""Every way in which a model can fail, and every place where a turn runs: what `test_failure_table.py` multiplies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelTimeoutError,
    OutputTokenLimitExceeded,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.messages import ModelMessage

from frontdesk.core.errors import Json
from frontdesk.runtime.prompt import fixed_line
from tests.flow.connected import connect
from tests.flow.follow_ups import HOUR, WRITTEN, remind, rows
from tests.flow.harness import Act, Desk, Reply, call
from tests.flow.staff import make_team
from tests.flow.test_approvals import ALWAYS, LINE, decide, note
from tests.flow.test_handoff_assistants import another, pass_on, passes_on
from tests.flow.test_tickets import opened

SORRY, LO_SIENTO = fixed_line("ENG"), fixed_line("ESP")
PASSED_ON = "I am passing you on to a colleague, who will answer you here."
CLAIM = "I have cancelled your order."
WORDLESS = ("white space", "no width")
# Summaries would take words of the script away.
OPTIONS: Json = {"max_tool_calls": 2, "summary": {"enabled": False}}
BACK = "Here I am again."


@dataclass(frozen=True)
class Fault:
    """What the model does until it is given up, the pauses between, and the code of it."""

    code: str
    script: tuple[Reply | Act, ...]
    pauses: tuple[float, ...] = ()


def lasting(code: str, failure: Reply) -> Fault:
    """It fails at every try."""
    return Fault(code, (failure,) * 3, (1, 4))


def loop() -> tuple[Reply, ...]:
    return tuple(call("find_contact", f"c{i}", search=f"Luis {i}") for i in range(20))


FAULTS = {
    "timeout": lasting("model_timed_out", ModelTimeoutError("m", "slow")),
    "unreachable": lasting("model_unreachable", ModelConnectionError("m", "refused")),
    "broken stream": lasting("model_unreachable", ModelConnectionError("m", "broke off", in_stream=True)),
    "503": lasting("model_failed", ModelHTTPError(503, "m")),
    "nonsense": lasting("model_failed", UnexpectedModelBehavior("nonsense")),
    WORDLESS[0]: lasting("model_failed", " \n"),
    WORDLESS[1]: lasting("model_failed", "\u200b\ufeff"),
    "429": lasting("rate_limited", ModelRateLimitError("m", "slow down")),
    "429 for ten minutes": Fault("rate_limited", (ModelRateLimitError("m", "slow down", retry_after=600),)),
    "wrong key": Fault("wrong_key", (ModelHTTPError(401, "m"),)),
    "no such model": Fault("unknown_model", (ModelHTTPError(404, "m"),)),
    "no credit": Fault("quota_spent", (ModelQuotaExceededError("m", "no credits"),)),
    "refused": Fault("model_rejected", (ModelHTTPError(422, "m"),)),
    "our mistake": Fault("model_rejected", (UserError("not for this model"),)),
    "filter": Fault("content_filtered", (ContentFilterError("Content filter triggered."),)),
    "too long": Fault("context_too_long", (ModelContextWindowExceededError("m", "too long"),) * 2),
    "cut off": Fault("answer_cut_off", (OutputTokenLimitExceeded("no word"),)),
    "too many requests of a turn": Fault("too_many_tool_calls", (UsageLimitExceeded("28 requests"),)),
    "tool loop": Fault("too_many_tool_calls", loop()),
    "claim": Fault("claim_without_receipt", (CLAIM, CLAIM)),
    "budget": Fault("budget_cost_handoff", ()),
}
# The same turn on another channel: one failure that passes, one that stays, one of ours.
BRIEFLY = {name: FAULTS[name] for name in ("503", "wrong key", "too long", "budget")}
# Each code once.
BY_CODE = {fault.code: (name, fault) for name, fault in FAULTS.items()}


@dataclass
class Place:
    """Where a turn runs. `ask` makes it begin; `line` is what is read of a failure, `before` what is read before it."""

    desk: Desk
    ask: Callable[[], Awaitable[object]]
    line: str | None = SORRY
    before: tuple[str, ...] = ()
    opens: Callable[[], tuple[Reply | Act, ...]] = tuple
    owner: int | None = None  # who has it afterwards: an assistant's id; None where nobody does
    user: int | None = None
    outcome: str = "failed"
    handed: str | None = None  # the decision's reason, where it is not the failure's code
    decides: Callable[[], Awaitable[None]] | None = None
    renews: Callable[[], Awaitable[object]] | None = None
    lines: dict[str, str] = field(default_factory=dict)  # read instead, by code
    faults: dict[str, Fault] = field(default_factory=lambda: dict(BY_CODE.values()))

    @property
    def stays(self) -> bool:
        return self.owner is not None

    async def play(self, fault: Fault) -> list[str]:
        """What is read because of it."""
        desk = self.desk
        script, before = fault.script or (self._spends,), len(await desk.replies())
        desk.script.say(*self.opens(), *script)
        await self.ask()
        await desk.settle()
        if self.decides is not None:
            await self.decides()
            await desk.settle()
        for seconds in fault.pauses:
            await desk.pass_time(seconds)
        desk.script.entries.clear()
        return (await desk.replies())[before:]

    async def _spends(self, _: list[ModelMessage]) -> Reply:
        """The organization's budget of the day is spent by what another conversation costs meanwhile."""
        await self.desk.fetch("UPDATE ai_daily_usage SET cost = 99 RETURNING day")
        return call("find_contact", search="Ana")


async def conversation(desk: Desk) -> Place:
    return Place(desk, lambda: desk.say("Hello?"), faults=FAULTS)


async def webchat(desk: Desk) -> Place:
    desk.channel = "webchat"
    inbox = await desk.call("inbox-channels", "create", channel="webchat", name="Site",
                            ai_assistant_id=desk.assistant_id)  # fmt: skip
    stored = await desk.say("Hi", conversation_id=None, inbox_channel_id=inbox.id)
    await desk.settle()
    desk.conversation_id = stored.conversation_id
    return Place(desk, lambda: desk.say("Hello?", inbox_channel_id=inbox.id), faults=BRIEFLY)


async def whatsapp(desk: Desk) -> Place:
    line = await connect(desk)
    await line.ask("Hi")
    desk.conversation_id = line.conversation_id
    return Place(desk, lambda: line.write("Hello?"), faults=BRIEFLY)


async def email(desk: Desk) -> Place:
    await desk.call("contacts", "patch", desk.contact_id, email="luis@example.com")
    line = await connect(desk, "email", ai_assistant_id=None)
    place = await worked(desk, inbox_channel_id=line.inbox_channel_id, thread_id="<1@mail.example>")
    return replace(place, faults=BRIEFLY)


async def ticket(desk: Desk) -> Place:
    return await worked(desk)


async def worked(desk: Desk, **fields: object) -> Place:
    """A ticket and the assistant that works it."""
    house = await opened(desk, **fields)
    await desk.call("ai-assistants", "patch", house.helper_id, access_permissions_contact="read",
                    internal_tools={"tools": {"find_contact": True}})  # fmt: skip
    desk.conversation_id, desk.assistant_id = house.ticket_id, house.helper_id
    await desk.settle()
    return Place(desk, lambda: house.write("Hello?", direction="inbound"))


async def staff(desk: Desk) -> Place:
    team = await make_team(desk)
    chat = await team.session()
    desk.conversation_id, desk.assistant_id = chat.id, team.assistant_id
    waiting = fixed_line("ENG", is_staff_chat=True)
    told = dict.fromkeys(("model_failed", "model_timed_out", "rate_limited"), waiting)
    return Place(desk, lambda: chat.say("Hello?"), line=None, owner=team.assistant_id, lines=told)


async def follow_up(desk: Desk) -> Place:
    async def due() -> None:
        desk.script.entries.insert(0, "At ten.")
        await desk.say("Have you a place?")
        await desk.settle()
        await desk.clock.advance(HOUR)

    await remind(desk, WRITTEN)
    return Place(desk, due, line=None, before=("At ten.",), owner=desk.assistant_id)


async def approved(desk: Desk) -> Place:
    tools: Json = {"find_contact": True, "add_note": ALWAYS}
    await desk.configure(internal_tools={"tools": tools})
    return Place(desk, lambda: desk.say("Note it."), before=(LINE,), opens=lambda: (note(),),
                 decides=lambda: decide(desk))  # fmt: skip


async def passed_on(desk: Desk) -> Place:
    billing = await another(desk, "Billing", instructions_language="ESP", access_permissions_contact="read",
                            advanced_options=OPTIONS, internal_tools={"tools": {"find_contact": True}})  # fmt: skip
    await passes_on(desk, desk.assistant_id, billing)
    own = desk.assistant_id

    async def renew() -> None:
        await desk.change(assigned_ai_assistant_id=own)

    return Place(desk, lambda: desk.say("My bill?"), line=LO_SIENTO, opens=lambda: (pass_on(billing),), renews=renew)


async def with_people(desk: Desk) -> Place:
    target = {"type": "user", "user_ids": [desk.user_id], "strategy": "fixed"}
    await desk.configure(human_handoff_config={"enabled": True, "target": target})

    async def renew() -> None:
        await desk.change(assigned_ai_assistant_id=desk.assistant_id)

    return Place(desk, lambda: desk.say("Hello?"), line=PASSED_ON, user=desk.user_id, outcome="handed_off",
                 handed="handed_off_after_failure", renews=renew)  # fmt: skip


async def muted(desk: Desk) -> Place:
    await desk.configure(disable_reply=True)
    return Place(desk, lambda: desk.say("Hello?"), line=None, owner=desk.assistant_id)


async def muted_at_night(desk: Desk) -> Place:
    """Outside the schedule with `reply`, silent: the turn runs for its analysis."""
    night: Json = {"enabled": True, "weekly": [], "out_of_schedule": {"action": "reply"}}
    await desk.configure(disable_reply=True, schedule_config=night)
    return Place(desk, lambda: desk.say("Hello?"), line=None, owner=desk.assistant_id, faults=BRIEFLY)


PLACES = {
    place.__name__: place
    for place in (conversation, webchat, whatsapp, email, ticket, staff, follow_up, approved, passed_on, with_people,
                  muted, muted_at_night)
}  # fmt: skip


async def ended_follow_ups(desk: Desk) -> list[tuple[Json, Json]]:
    return [(row["status"], row["reason"]) for row in await rows(desk)]
