"""Bulk actions: one change of many conversations, by their ids, a saved view or a filter.

A small one is done in its own request; a larger one is a worker's, and its row tells how far it is.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core.door import Answer, Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong, check_integer
from frontdesk.core.jobs import enqueue
from frontdesk.core.resource import Resource

from .bulk_batches import BATCH, DOORBELL, BulkAction, work
from .bulk_changes import ACTIONS, VALUES, changes_of, check_changes
from .bulk_targets import freeze

TARGETS = ("conversation_ids", "view_id", "filter")
MOST_IDS = 100_000
PATIENCE, LOOK_EVERY = 5.0, 0.1  # seconds
TOTAL = "UPDATE conversations_bulk_actions SET total_count = $3 WHERE organization_id = $1 AND id = $2"


def _check_ids(value: Plain) -> Plain:
    if not isinstance(value, list) or not value:
        raise Wrong("type", "must be an array of ids, not empty", type="array")
    if len(value) > MOST_IDS:
        raise Wrong("maxItems", f"must not have more than {MOST_IDS} ids: use a view or a filter", limit=MOST_IDS)
    return list(dict.fromkeys(check_integer(id) for id in value))  # type: ignore[return-value]


def _check_filter(value: Plain) -> Plain:
    if not isinstance(value, dict):
        raise Wrong("type", "must be an object of conditions", type="object")
    return value


async def _prepare(call: Call) -> None:
    """One target, the values of one action; what is stored says both, and the ids follow when it has an id."""
    data = call.data
    named = [name for name in TARGETS if data.get(name) is not None]
    if len(named) != 1:
        message = "is one target too many: give exactly one" if named else "is needed, or one of the other targets"
        raise Invalid([Fault(name, "oneOf", message) for name in named or TARGETS])
    changes = changes_of(str(data["action"]), {name: data[name] for name in VALUES if name in data})
    data["changes"] = await check_changes(call.connection, call.organization_id, changes)  # type: ignore[assignment]
    data |= {"target": named[0], "status": "running", "total_count": 0, "processed_count": 0, "skipped_count": 0}
    data["last_conversation_id"] = 0


async def _finish(call: Call) -> None:
    """Freeze the set; what fits into one batch is done at once, in the same transaction."""
    data = call.data
    assert call.answer is not None
    assert call.answer.id is not None
    key = (call.organization_id, call.answer.id)
    total = await freeze(call, call.answer.id, str(data["target"]))
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
        Field(
            "conversation_ids", "json", check=_check_ids,
            schema={"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": MOST_IDS},
            description="Exactly one of conversation_ids, view_id and filter names the conversations.",
        ),
        Field("view_id", "integer", description="A saved view."),
        Field(
            "filter", "json", check=_check_filter, description="Conditions as on /conversations.",
            example={"status": "open"},
        ),
        Field("assigned_user_id", "integer", description="For assign; null clears."),
        Field("assigned_ai_assistant_id", "key", description="For assign_ai_assistant; null clears."),
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
