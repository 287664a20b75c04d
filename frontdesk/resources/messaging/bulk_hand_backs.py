"""The bulk hand-back: which conversations go to which assistant, what it would do, and the token that says it was seen.

A hand-back of many may send many answers at once, so nobody does it unseen: the preview counts, and its token holds for
the very set of conversations that it counted, for a quarter of an hour, for whoever asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from frontdesk.assistants.config import AssistantConfig, config_of
from frontdesk.assistants.handoff_return import WAITING
from frontdesk.assistants.schedule import opening
from frontdesk.core.database import Connection
from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict, Fault, Invalid, Json
from frontdesk.core.fields import Field, Plain
from frontdesk.core.formats import iso_text
from frontdesk.core.resource import Resource
from frontdesk.core.vault import SecretUnusable

from .bulk_inputs import TARGET_INPUT, named_target
from .bulk_targets import ids_of

HAND_BACK = "hand_back"
GOOD_FOR = timedelta(minutes=15)
PLACE = "bulk hand-back"  # what a token is sealed for
ASSISTANT = Field(
    "assigned_ai_assistant_id", "key",
    description="For assign_ai_assistant; null clears. For hand_back: to this one instead of the one that had it.",
)  # fmt: skip
ROWS = """
    SELECT id, status, blocked, assigned_user_id, assigned_ai_assistant_id, handed_off_by_ai_assistant_id
    FROM conversations
    WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND kind = 'conversation' AND deleted_at IS NULL
"""
ASSISTANTS = """
    SELECT * FROM ai_assistants
    WHERE organization_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL AND assistant_type = 'conversation'
"""
WAIT = f"SELECT DISTINCT conversation_id FROM ai_decisions WHERE organization_id = $1 AND id IN ({WAITING})"
FROZEN = """
    SELECT conversation_id FROM conversations_bulk_targets WHERE organization_id = $1 AND bulk_action_id = $2
"""
# What was previewed is a conversation as it was: who has it changes its epoch, and so does the hand-back itself.
EPOCHS = "SELECT id, epoch FROM conversations WHERE organization_id = $1 AND id = ANY($2::bigint[]) ORDER BY id"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a hand-back would do; `skipped` have no assistant to go to, or have it already."""

    changed: int
    answered: int
    skipped: int


def taker(row: Mapping[str, object], assistant_id: Plain) -> int | None:
    """The assistant that gets this conversation: the one that is named, else the one that had it."""
    chosen = assistant_id if assistant_id is not None else row["handed_off_by_ai_assistant_id"]
    return None if chosen is None else int(str(chosen))


async def takers(
    connection: Connection, organization_id: int, rows: Iterable[Mapping[str, object]], assistant_id: Plain
) -> dict[int, int]:
    """For each conversation that changes, its assistant, where that one is still there."""
    wanted = {cast(int, row["id"]): (row, id) for row in rows if (id := taker(row, assistant_id)) is not None}
    ids = sorted({id for _, id in wanted.values()})
    found = {row["id"] for row in await connection.fetch(ASSISTANTS, organization_id, ids)} if ids else set()
    return {
        conversation: id
        for conversation, (row, id) in wanted.items()
        if id in found and row["assigned_ai_assistant_id"] != id
    }


async def count(call: Call, ids: Sequence[int], assistant_id: Plain, now: datetime) -> Counts:
    """What a hand-back of these conversations would do at this moment."""
    organization_id, connection = call.organization_id, call.connection
    rows = {row["id"]: row for row in await connection.fetch(ROWS, organization_id, list(ids))}
    given = await takers(connection, organization_id, [dict(row) for row in rows.values()], assistant_id)
    stored = await connection.fetch(ASSISTANTS, organization_id, sorted(set(given.values())))
    speaking = {row["id"] for row in stored if _speaks(config_of(dict(row)), now)}
    open_ones = [
        id for id, to in given.items() if to in speaking and rows[id]["status"] == "open" and not rows[id]["blocked"]
    ]
    waiting = await connection.fetch(WAIT, organization_id, open_ones) if open_ones else []
    return Counts(len(given), len(waiting), len(ids) - len(given))


def _speaks(config: AssistantConfig, now: datetime) -> bool:
    """Whether it would answer at this moment, as far as its record says."""
    is_open = opening(config.schedule, config.timezone, now).is_open
    return not config.disable_reply and (is_open or config.schedule.out_of_schedule.action == "reply")


async def _digest(call: Call, ids: Sequence[int], assistant_id: Plain) -> str:
    rows = await call.connection.fetch(EPOCHS, call.organization_id, list(ids))
    text = json.dumps([assistant_id, [(row["id"], row["epoch"]) for row in rows]])
    return hashlib.sha256(text.encode()).hexdigest()


async def check_token(call: Call, bulk_action_id: int) -> None:
    """The set that was frozen is the one that was previewed. Raises `Invalid` or `Conflict`."""
    assistant_id = call.data.get("assigned_ai_assistant_id")
    seen = _read(call, call.data.get("preview_token"))
    rows = await call.connection.fetch(FROZEN, call.organization_id, bulk_action_id)
    if seen["digest"] != await _digest(call, [row[0] for row in rows], assistant_id):
        raise Conflict("These are not the conversations as they were previewed: preview the hand-back again.")


def _read(call: Call, token: Plain) -> dict[str, Json]:
    if not isinstance(token, str) or not token:
        message = "is required for hand_back: POST /conversations-bulk-actions-previews gives it"
        raise Invalid([Fault("preview_token", "required", message, missingProperty="preview_token")])
    try:
        seen = cast("dict[str, Json]", json.loads(call.door.vault.open(token, PLACE)))
    except SecretUnusable:
        raise Invalid([Fault("preview_token", "token", "is no token of a preview")]) from None
    if (seen["organization_id"], seen["user_id"]) != (call.organization_id, call.caller.user_id):
        raise Invalid([Fault("preview_token", "token", "was given to somebody else")])
    if datetime.fromisoformat(str(seen["expires_at"])) <= call.door.clock.now():
        raise Invalid([Fault("preview_token", "expired", "has expired: preview the hand-back again")])
    return seen


async def _preview(call: Call) -> Json:
    now, assistant_id = call.door.clock.now(), call.data.get("assigned_ai_assistant_id")
    ids = await ids_of(call, named_target(call.data))
    counts, expires_at = await count(call, ids, assistant_id, now), now + GOOD_FOR
    seen: dict[str, Json] = {
        "organization_id": call.organization_id, "user_id": call.caller.user_id,
        "digest": await _digest(call, ids, assistant_id), "expires_at": expires_at.isoformat(),
    }  # fmt: skip
    return {
        "action": HAND_BACK,
        "total_count": len(ids),
        "changed_count": counts.changed,
        "answered_count": counts.answered,
        "skipped_count": counts.skipped,
        "preview_token": call.door.vault.seal(json.dumps(seen), PLACE),
        "expires_at": iso_text(expires_at),
    }


conversations_bulk_actions_previews = Resource(
    path="conversations-bulk-actions-previews",
    singular="preview",
    area="messaging",
    description="What a bulk hand-back would do at this moment, and the token with which it may be done. Nothing is"
    " changed.",
    is_stored=False,
    is_told=False,
    verbs=("create",),
    fields=(
        Field("action", write="never", is_nullable=False, description="hand_back."),
        Field("total_count", "small", write="never", is_nullable=False, description="Conversations that are named."),
        Field("changed_count", "small", write="never", is_nullable=False, description="That an assistant would get."),
        Field(
            "answered_count", "small", write="never", is_nullable=False,
            description="Of those, where a customer waits and would be answered now.",
        ),
        Field(
            "skipped_count", "small", write="never", is_nullable=False,
            description="That no assistant has handed over, whose assistant is gone, or that it has already.",
        ),
        Field("preview_token", write="never", is_nullable=False),
        Field("expires_at", "moment", write="never", is_nullable=False),
    ),
    extra_input=(*TARGET_INPUT, ASSISTANT),
    handlers={"create": _preview},
)  # fmt: skip
