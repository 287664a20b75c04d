"""The way back to an assistant, where people and programs assign and close: for one conversation and for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from frontdesk.assistants.follow_up_endings import stop
from frontdesk.assistants.handoff_return import (
    note_return,
    reopen_waiting,
    restart_timer,
    returning_on_close,
    set_timer,
)
from frontdesk.core.database import Connection
from frontdesk.core.fields import Field, Plain

from .conversation_change import OVER, OWNERS

ANSWER_WAITING = Field(
    "answer_waiting", "boolean",
    description="With assigned_ai_assistant_id: the assistant answers now what the customer wrote meanwhile.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been written: the further events that it means, the values, and whether waiting messages are judged."""

    points: Sequence[str]
    written: Mapping[str, object]
    is_answering: bool = False


def closes_for(before: Mapping[str, object], given: Mapping[str, Plain]) -> int | None:
    """The assistant that may get the conversation back by this change: it is closed while somebody else has it."""
    is_closing = given.get("status") in OVER and before["status"] not in OVER
    if not is_closing or before["assigned_ai_assistant_id"] is not None or any(name in given for name in OWNERS):
        return None
    return cast("int | None", before["handed_off_by_ai_assistant_id"])


async def returned_on_close(
    connection: Connection, organization_id: int, before: Mapping[str, object], given: Mapping[str, Plain]
) -> dict[str, Plain]:
    """The owner that a close brings with it: the assistant that handed it over, if it is to get it back."""
    assistant_id = closes_for(before, given)
    if assistant_id is None or not await returning_on_close(connection, organization_id, [assistant_id]):
        return {}
    return {"assigned_ai_assistant_id": assistant_id}


async def settle_returns(
    connection: Connection, organization_id: int, settled: Settled, ids: list[int], now: datetime
) -> None:
    """After the write: the follow-ups that are over, the timer of a takeover, the records of a hand-back, the messages
    that wait for an answer."""
    if (reason := _stopped_by(settled)) is not None:
        await stop(connection, organization_id, ids, reason, now)
    if "taken_over" in settled.points:
        await set_timer(connection, organization_id, *ids)
    elif "assigned" in settled.points and settled.written.get("assigned_ai_assistant_id") is None:
        await restart_timer(connection, organization_id, ids, now)
    if settled.written.get("assigned_ai_assistant_id") is not None and "assigned" in settled.points:
        reason = "on_close" if "closed" in settled.points else "assigned"
        await note_return(connection, organization_id, ids, reason, now)
        # The new epoch rings the bell of each, so that they are judged at once. What a takeover cut off is answered in
        # any case: whether the worker saw the takeover before the way back must make no difference.
        if "closed" not in settled.points:
            await reopen_waiting(connection, organization_id, ids, now, only_cut_off=not settled.is_answering)


def _stopped_by(settled: Settled) -> str | None:
    """Why what was to be sent to a silent customer is not sent any more."""
    if "closed" in settled.points:
        return "closed"
    if "taken_over" in settled.points:
        return "human"
    return "other_owner" if {"assigned", "handed_off"} & set(settled.points) else None
