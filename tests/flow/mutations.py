"""Small breaking changes to the product's own guards, one at a time: each must be seen by the walks.

A proof that the rules of a walk can fail. `apply` changes the code of this process; `caught_by` is what the fault that
the walks find has in it, so that a mutation is not counted as caught for another reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import cast

import pytest

from frontdesk import approvals as deciding
from frontdesk import flow, reception
from frontdesk.assistants import follow_up_endings
from frontdesk.assistants.assistant_handoff_config import HandoffTarget
from frontdesk.assistants.config import AssistantConfig
from frontdesk.channels.protocol import Outgoing
from frontdesk.core.database import Connection
from frontdesk.resources.crm import contacts
from frontdesk.resources.messaging import conversation_return, conversations_bulk_actions
from frontdesk.runtime import (
    approvals,
    decisions,
    fence,
    follow_up_checks,
    gates,
    held_turn,
    history,
    opting_out,
    outbox,
    passing_on,
    preparation,
    receipt_check,
    turns,
)
from frontdesk.runtime.approvals import CallToApprove, Permit
from frontdesk.runtime.delivery import Delivery
from frontdesk.runtime.held_turn import HeldTurn
from frontdesk.runtime.history import Limits, StoredMessage
from frontdesk.runtime.thread import Conversation
from frontdesk.runtime.tooling import CallRecord, StoredCall
from frontdesk.runtime.turns import Turn
from frontdesk.tools import handoffs, remote, wrappers
from tests.flow.walking import Bias

Apply = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    name: str
    caught_by: str  # a pattern
    apply: Apply
    ignored: str = ""  # a pattern of faults that would be found before
    bias: Bias | None = None  # what it needs and plain chance brings together too rarely


def without(module: ModuleType, name: str, *pieces: tuple[str, str]) -> Apply:
    """One statement of a module, with pieces of its SQL replaced."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        sql = cast(str, getattr(module, name))
        for old, new in pieces:
            assert old in sql, f"{module.__name__}.{name} has no {old!r}"
            sql = sql.replace(old, new)
        patch.setattr(module, name, sql)

    return apply


def instead(owner: object, name: str, value: object) -> Apply:
    return lambda patch: patch.setattr(owner, name, value)


def both(*changes: Apply) -> Apply:
    """Two guards before the same fault: each alone holds."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        for change in changes:
            change(patch)

    return apply


async def nothing(*_: object, **__: object) -> None:
    """In place of what would have stopped something."""


async def never(*_: object, **__: object) -> bool:
    return False


EPOCH = ("AND c.epoch = t.epoch", "")
TOKEN = ("t.lease_token = $3", "$3::text IS NOT NULL")


def _every_delivery_is_new(patch: pytest.MonkeyPatch) -> None:
    """The channel's id is neither looked up nor kept."""
    store = reception._store

    async def stored(connection: Connection, inbound: reception.Inbound, now: object) -> object:
        return await store(connection, replace(inbound, external_id=None), now)  # type: ignore[arg-type]

    patch.setattr(reception, "_store", stored)


def _a_key_for_each_send(patch: pytest.MonkeyPatch) -> None:
    def outgoing(*values: object, **named: object) -> Outgoing:
        part = Outgoing(*values, **named)  # type: ignore[arg-type]
        return replace(part, idempotency_key=uuid.uuid4().hex)

    patch.setattr(flow, "Outgoing", outgoing)


def _intents_are_not_written(patch: pytest.MonkeyPatch) -> None:
    record = HeldTurn.record_call

    async def without_intents(held: HeldTurn, connection: Connection, call: CallRecord) -> None:
        if call.status != "intent":
            await record(held, connection, call)

    patch.setattr(HeldTurn, "record_call", without_intents)


def _orphans(patch: pytest.MonkeyPatch) -> None:
    """The results of earlier calls are left out of the history."""
    exchange = history.exchange

    def calls_alone(*values: object, **named: object) -> object:
        told = exchange(*values, **named)  # type: ignore[arg-type]
        return replace(told, messages=[m for m in told.messages if m.kind == "response"])

    patch.setattr(history, "exchange", calls_alone)


def _no_hours(patch: pytest.MonkeyPatch) -> None:
    rest = [gate for gate in gates.GATES if gate[0] != "schedule"]
    patch.setattr(flow, "evaluate", lambda config, facts, now: gates.evaluate(config, facts, now, rest))


def _every_target(config: AssistantConfig, hops: tuple[int, ...]) -> tuple[HandoffTarget, ...]:
    return tuple(config.assistant_handoff.open_targets)


def _is_superseded(talk: Conversation, turn: Turn) -> bool:
    return turn.superseded_by_message_id is not None


def _is_intent(stored: StoredCall) -> bool:
    return stored.status == "intent"


def _is_behind_the_summary(message: StoredMessage, limits: Limits) -> bool:
    return message.message_type != "note" and message.position > limits.after


async def _granted(*_: object) -> Permit:
    return Permit("granted")


MUTATIONS = (
    # who may speak
    Mutation(
        "the lease is not looked at",
        r"uq_ai_turn_steps_position|is still",
        both(*(without(held_turn, name, TOKEN) for name in ("HOLD", "MODEL_STEP", "PREPARED"))),
    ),
    Mutation(
        "the epoch is not compared",
        r"of epoch|no more|after the close",
        both(
            *(without(held_turn, name, EPOCH) for name in ("HOLD", "MODEL_STEP", "PREPARED")),
            instead(flow, "is_overtaken", _is_superseded),
        ),
    ),
    Mutation("lines outlive their epoch", r"of epoch", instead(fence, "line_barred", nothing)),
    Mutation("what was revoked is sent", r"blocked|silent assistant", instead(Delivery, "_revoked", nothing)),
    Mutation("the hours are not kept", r"in the schedule", _no_hours),
    Mutation(
        "a preview is not needed", r"nobody had looked", instead(conversations_bulk_actions, "check_token", nothing)
    ),
    Mutation(
        "assistants pass a message to and fro",
        r"was passed on",
        both(
            instead(passing_on, "open_targets", _every_target),
            instead(preparation, "open_targets", _every_target),
            instead(handoffs, "_targets", lambda ctx: _every_target(ctx.deps.config, ())),
        ),
        bias=Bias(replies=("pass_on",)),
    ),
    # one answer or one reason
    Mutation("a repeat delivery is a new message", r"repeat delivery", _every_delivery_is_new),
    Mutation("a newer message supersedes nothing", r"had written more", instead(turns, "supersede", never)),
    Mutation(
        "superseded though effects have started",
        r"after its effects",
        without(turns, "SUPERSEDE", ("AND NOT effects_started", "")),
    ),
    Mutation("an inbound opens no decision", r"has no decision", instead(decisions, "open_decision", nothing)),
    Mutation("the end of a turn settles nothing", r"still pending", instead(decisions, "settle", nothing)),
    Mutation("what waits for the next turn is not released", r"still pending", instead(decisions, "release", nothing)),
    Mutation(
        "each send has a key of its own",
        r"does not count|was read|has not",
        _a_key_for_each_send,
        bias=Bias(acts=("wait",), replies=("say", "two"), sends=("dies", "away")),
    ),
    Mutation("what may have been sent is not shown", r"in the thread", instead(outbox, "_place_unknown", nothing)),
    # effects
    Mutation("effects start unmarked", r"after its effects", instead(HeldTurn, "start_effects", nothing)),
    Mutation(
        "a call is made again after a crash",
        r"was written|was ordered|not the same",
        instead(HeldTurn, "stored_call", nothing),
    ),
    Mutation("intents are not written", r"was ordered with the steps", _intents_are_not_written),
    Mutation(
        "an unknown call is repeated without a key",
        r"takes no key",
        both(instead(remote, "is_repeatable", _is_intent), instead(wrappers, "is_repeatable", _is_intent)),
    ),
    Mutation("nobody is told of an unknown call", r"people were told", instead(held_turn, "tell_unknown", nothing)),
    Mutation("a call needs no approval", r"nobody had approved", instead(approvals, "permit", _granted)),
    Mutation(
        "an approval holds for another configuration",
        r"after the configuration had changed",
        both(
            instead(CallToApprove, "hash", "same"),
            instead(approvals, "void_stale", never),
            instead(deciding, "_too_late", lambda *_, **__: None),
        ),
        bias=Bias(("ask_first",), ("burst_on", "remind", "approve", "approve"), ("note",)),
    ),
    Mutation("claims need no receipt", r"claims what", instead(receipt_check, "is_checked", lambda held: False)),
    # follow-ups
    Mutation("the customer's word ends no follow-up", r"is_answered", instead(opting_out, "stop_by_reply", nothing)),
    Mutation(
        "an opt-out ends no follow-up",
        r"has_opted_out",
        both(instead(opting_out, "stop_by_opting_out", nothing), instead(contacts, "stop_by_opting_out", nothing)),
        bias=Bias(("remind",), ("inbound", "wait", "opt_out")),
    ),
    Mutation(
        "a close and a takeover end no follow-up",
        r"is_over|is_away",
        both(instead(conversation_return, "stop", nothing), instead(follow_up_endings, "stop", nothing)),
    ),
    Mutation(
        "a due follow-up is not looked at",
        r"the follow-up|after the close|blocked|silent",
        both(
            instead(follow_up_checks, "_gates", lambda case: ()),
            instead(conversation_return, "stop", nothing),
            instead(opting_out, "stop_by_reply", nothing),
        ),
        ignored=r"is_answered|is_over|is_away",
    ),
    # what the model reads
    Mutation("calls stand without their results", r"not valid", _orphans),
    Mutation("the context is not cut", r"from before the cut", instead(history, "is_shown", _is_behind_the_summary)),
)
