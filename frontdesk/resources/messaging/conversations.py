"""Conversations: one thread with one contact on one channel, with exactly one owner at a time, or none.

The epoch grows at each change of owner, close, reopen or reset of the context; whatever was begun under an older
epoch is not sent any more (design: who may speak).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Index, Table, and_, exists, func, or_, select, text

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.jobs import enqueue
from frontdesk.core.resource import Filter, Resource, Rights

from .conversation_messages import conversation_messages
from .ticket_columns import HIDDEN_FIELDS, INDEXES, index_of

OVER = ("closed", "resolved")  # the episode has ended; only a ticket can be resolved
TYPE_OF = "SELECT assistant_type FROM ai_assistants WHERE organization_id = $1 AND id = $2"
OWNERS = ("assigned_user_id", "assigned_ai_assistant_id")
END_EPOCH = "UPDATE conversations SET epoch = epoch + 1 WHERE organization_id = $1 AND id = $2"


def _waiting(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """Open, and the newest message is the customer's."""
    messages = conversation_messages.table
    last = exists(
        select(messages.c.id).where(
            messages.c.organization_id == table.c.organization_id,
            messages.c.conversation_id == table.c.id,
            messages.c.position == table.c.last_position,
            messages.c.direction == "inbound",
        )
    )
    return or_(func.coalesce(value, False).is_(False), and_(table.c.status == "open", last))


async def prepare(call: Call) -> None:
    """One owner, of the right type; each change of owner or episode begins a new epoch. For tickets too."""
    data, before = call.data, call.before
    if before is None or call.verb != "patch":
        return
    if all(data.get(name) is not None for name in OWNERS):
        message = "cannot be set together with assigned_user_id: a conversation has one owner"
        raise Invalid([Fault("assigned_ai_assistant_id", "oneOwner", message)])
    for name, other in zip(OWNERS, reversed(OWNERS), strict=True):
        if data.get(name) is not None:
            data[other] = None
    changes_owner = any(name in data and data[name] != before[name] for name in OWNERS)
    if changes_owner:
        await check_type(call, str(before["channel"]))
        _explain_owner(call)
    is_over = data.get("status", before["status"]) in OVER
    changes_episode = is_over != (before["status"] in OVER)
    cuts = data.get("ai_context_cut") is not None
    if changes_episode or cuts:
        data["episode"] = int(str(before["episode"])) + (1 if cuts or not is_over else 0)
        if changes_episode and not is_over:
            # A new episode: nothing from before its begin is given to an assistant.
            data.setdefault("ai_context_cut", call.door.clock.now())
    if changes_owner or changes_episode or cuts:
        data["epoch"] = int(str(before["epoch"])) + 1


async def check_type(call: Call, channel: str) -> None:
    """Tickets are worked by assistants of the type support-ticket and by no others; the playground takes all types."""
    id = call.data.get("assigned_ai_assistant_id")
    if id is None or channel == "playground":
        return
    wanted = "support-ticket" if call.resource.fixed["kind"] == "ticket" else "conversation"
    found = await call.connection.fetchval(TYPE_OF, call.organization_id, id)
    if found != wanted:
        message = f"is an assistant of the type {found}; a {call.resource.singular} takes one of the type {wanted}"
        raise Invalid([Fault("assigned_ai_assistant_id", "assistantType", message)])


def _explain_owner(call: Call) -> None:
    """An assistant that gets the conversation (back) may speak again; a person who takes it stops it."""
    data, before = call.data, call.before
    assert before is not None
    if data.get("assigned_ai_assistant_id") is not None:
        data |= {
            "ai_auto_assignment_disabled": False,
            "ai_auto_assignment_disabled_reason": None,
            "handed_off_by_ai_assistant_id": None,
            "owner_reason": None,
            "handoff_reason": None,
        }
    elif data.get("assigned_user_id") is not None:
        data["owner_reason"] = None
    if data.get("assigned_user_id") is not None and before["assigned_ai_assistant_id"] is not None:
        data.setdefault("ai_auto_assignment_disabled", True)
        data.setdefault("ai_auto_assignment_disabled_reason", "takeover")
        data["handed_off_by_ai_assistant_id"] = before["assigned_ai_assistant_id"]


async def finish(call: Call) -> None:
    """Whoever works on the conversation under the old epoch learns at once that it is over."""
    if call.verb == "remove":
        await call.connection.execute(END_EPOCH, call.organization_id, call.id)
    if "epoch" in call.data or call.verb == "remove":
        assert call.id is not None
        await enqueue(call.connection, "conversation", call.organization_id, call.id)


conversations = Resource(
    path="conversations",
    singular="conversation",
    area="messaging",
    description="Threads with contacts. They come to be by a first message.",
    fixed={"kind": "conversation"},
    verbs=("find", "get", "patch", "remove"),
    rights=Rights(remove=Role.admin),
    fields=(
        Field("contact_id", "integer", is_nullable=False, references="contacts", write="never"),
        Field("channel", is_nullable=False, write="never"),
        Field("inbox_channel_id", "integer", references="inbox-channels", write="never"),
        Field("status", is_nullable=False, default="open", choices=("open", "closed")),
        Field("assigned_user_id", "integer", references="users", is_global_reference=True),
        Field("assigned_ai_assistant_id", "integer", references="ai-assistants"),
        Field("owner_reason", write="never", description="Why nobody owns the conversation."),
        Field("handed_off_by_ai_assistant_id", "integer", write="never"),
        Field("ai_auto_assignment_disabled", "boolean", is_nullable=False, default=False),
        Field("ai_auto_assignment_disabled_reason", max_length=200),
        Field("ai_context_cut", "moment", description="Only later messages are given to the assistant."),
        Field("blocked", "boolean", is_nullable=False, default=False),
        Field("is_contact_verified", "boolean", is_nullable=False, default=False, write="never"),
        Field("epoch", "small", is_nullable=False, default=1, write="never"),
        Field("episode", "small", is_nullable=False, default=1, write="never"),
        Field("last_position", "small", is_nullable=False, default=0, write="never"),
        Field("unread_count", "small", is_nullable=False, default=0, minimum=0),
        Field("last_interaction_at", "moment", write="never"),
        Field("contact_address", write="never", description="The customer's number or account at the channel."),
        Field("pipeline_id", "integer", write="never"),
        Field("pipeline_stage_id", "integer", write="never"),
        *HIDDEN_FIELDS,
    ),
    checks={"one_owner": "assigned_user_id IS NULL OR assigned_ai_assistant_id IS NULL"},
    constraints=(
        *INDEXES,
        index_of("conversation", "last_interaction_at"),
        index_of("conversation", "status", "last_interaction_at"),
        # One living thread for each customer of a connected number or account: who writes again goes on in it.
        Index(
            "uq_conversations_contact_address", text("organization_id"), text("inbox_channel_id"),
            text("contact_address"), unique=True,
            postgresql_where=text("contact_address IS NOT NULL AND deleted_at IS NULL"),
        ),
    ),
    filters={"waitingResponseOnly": Filter("boolean", _waiting, "Open, and the customer spoke last.")},
    prepare=prepare,
    finish=finish,
)
