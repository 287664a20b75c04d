"""Bulk actions: one change of many conversations, by their ids, a saved view or a filter.

A small one is done in its own request; a larger one is a worker's, and its row tells how far it is.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.door import Answer, Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.jobs import enqueue
from frontdesk.core.resource import Resource

from .bulk_batches import BATCH, DOORBELL, BulkAction, work
from .bulk_changes import ACTIONS, VALUES, changes_of, check_changes
from .bulk_hand_backs import ASSISTANT, HAND_BACK, check_token
from .bulk_inputs import TARGET_INPUT, TARGETS, named_target
from .bulk_targets import freeze

PATIENCE, LOOK_EVERY = 5.0, 0.1  # seconds
TOTAL = "UPDATE conversations_bulk_actions SET total_count = $3 WHERE organization_id = $1 AND id = $2"


async def _prepare(call: Call) -> None:
    """One target, the values of one action; what is stored says both, and the ids follow when it has an id."""
    data = call.data
    target = named_target(data)
    if data.get("preview_token") is not None and data["action"] != HAND_BACK:
        raise Invalid([Fault("preview_token", "not", f"is no value of '{data['action']}'")])
    changes = changes_of(str(data["action"]), {name: data[name] for name in VALUES if name in data})
    data["changes"] = await check_changes(call.connection, call.organization_id, changes)  # type: ignore[assignment]
    data |= {"target": target, "status": "running", "total_count": 0, "processed_count": 0, "skipped_count": 0}
    data["last_conversation_id"] = 0


async def _finish(call: Call) -> None:
    """Freeze the set; what fits into one batch is done at once, in the same transaction."""
    data = call.data
    assert call.answer is not None
    assert call.answer.id is not None
    key = (call.organization_id, call.answer.id)
    total = await freeze(call, call.answer.id, str(data["target"]))
    if data["action"] == HAND_BACK:
        await check_token(call, call.answer.id)
    await call.connection.execute(TOTAL, *key, total)
    if total < BATCH:
        bulk = BulkAction(call.answer.id, call.organization_id, str(data["action"]), data["changes"], 0)  # type: ignore[arg-type]
        await work(call.connection, bulk, call.door.clock.now())
    else:
        await enqueue(call.connection, DOORBELL, *key)
    call.answer = await call.call(call.resource.path, "get", id=call.answer.id)


async def _wait(call: Call) -> Answer:
    """Its end, if that comes within a few seconds; no transaction is open, and no connection held between looks."""
    answer, clock = call.answer, call.door.clock
    assert answer is not None
    until = clock.monotonic() + PATIENCE
    while answer.value["status"] == "running" and clock.monotonic() < until:
        await clock.sleep(LOOK_EVERY)
        answer = await call.door.call(call.caller, call.resource.path, "get", id=answer.id)
    return answer


conversations_bulk_actions = Resource(
    path="conversations-bulk-actions",
    singular="bulk action",
    area="messaging",
    description="One change of many conversations; GET shows how far it is.",
    verbs=("find", "get", "create"),
    is_soft_deleted=False,
    fields=(
        Field("action", is_required=True, is_nullable=False, choices=tuple(ACTIONS), example="update_status"),
        Field("target", is_nullable=False, choices=TARGETS, write="never", description="What named the conversations."),
        Field("changes", "json", is_nullable=False, write="never", description="What is set."),
        Field(
            "status", is_nullable=False, choices=("running", "done", "failed"), write="never",
            description="As input: open or closed, for update_status.",
        ),
        Field("total_count", "small", is_nullable=False, write="never", description="Conversations in the frozen set."),
        Field("processed_count", "small", is_nullable=False, write="never", description="Those that are done."),
        Field("skipped_count", "small", is_nullable=False, write="never", description="Deleted since the beginning."),
        Field("last_conversation_id", "integer", is_nullable=False, write="never", is_shown=False),
        Field("error", write="never", max_length=1000, description="Why it failed; what was done stays done."),
        Field("finished_at", "moment", write="never"),
    ),
    extra_input=(
        *TARGET_INPUT,
        Field("assigned_user_id", "integer", description="For assign; null clears."),
        ASSISTANT,
        Field("preview_token", max_length=2000, description="For hand_back: from conversations-bulk-actions-previews."),
        Field(
            "status", is_nullable=False, choices=("open", "closed"), description="For update_status.", example="closed"
        ),
        Field("pipeline_id", "integer", description="For move; alone it means its first stage."),
        Field("pipeline_stage_id", "integer", description="For move; null takes the conversations out."),
    ),
    constraints=(
        Index(
            "ix_conversations_bulk_actions_running", text("updated_at"), postgresql_where=text("status = 'running'"),
        ),
    ),
    tells={"finished": "A bulk action came to its end."},
    default_sort=(("id", -1),),
    prepare=_prepare,
    finish=_finish,
    afterwards=_wait,
)  # fmt: skip
