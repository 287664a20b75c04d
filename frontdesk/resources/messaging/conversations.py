"""Conversations: one thread with one contact on one channel, with exactly one owner at a time, or none.

The epoch grows at each change of owner, close, reopen or reset of the context; whatever was begun under an older
epoch is not sent any more (design: who may speak).
"""

from __future__ import annotations

from sqlalchemy import Index, text

from frontdesk.core import custom_values
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.events import emit_also
from frontdesk.core.fields import Field
from frontdesk.core.jobs import enqueue
from frontdesk.core.joins import joined
from frontdesk.core.resource import Own, Resource, Rights

from .ai_decision_join import FLAG, MEMBER, newest_decision
from .conversation_change import OVER as OVER
from .conversation_change import OWNERS, TURNING_POINTS, consequences, turning_points
from .conversation_joins import last_message, tags_of_contact
from .conversation_place import place
from .conversation_query import FILTERS, rewrite
from .conversation_return import ANSWER_WAITING, Settled, returned_on_close, settle_returns
from .conversation_summaries import summary_in_force
from .session_columns import SESSION_INDEX, SESSION_TITLE
from .ticket_columns import HANDOFF_REASON, HIDDEN_FIELDS, INDEXES, index_of

TYPE_OF = "SELECT assistant_type FROM ai_assistants WHERE organization_id = $1 AND id = $2"
END_EPOCH = "UPDATE conversations SET epoch = epoch + 1 WHERE organization_id = $1 AND id = $2"


async def prepare(call: Call) -> None:
    """One owner, of the right type; what the change brings with it. For tickets too."""
    data, before = call.data, call.before
    if before is None or call.verb != "patch":
        return
    if all(data.get(name) is not None for name in OWNERS):
        message = "cannot be set together with assigned_user_id: a conversation has one owner"
        raise Invalid([Fault("assigned_ai_assistant_id", "oneOwner", message)])
    if any(name in data and data[name] != before[name] for name in OWNERS):
        await check_type(call, str(before["channel"]))
    data |= await place(call.connection, call.organization_id, data, before)
    data |= await returned_on_close(call.connection, call.organization_id, before, data)
    data |= consequences(before, data, call.door.clock.now())


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


async def finish(call: Call) -> None:
    """Whoever works on the conversation under the old epoch learns at once that it is over."""
    if call.verb == "remove":
        await call.connection.execute(END_EPOCH, call.organization_id, call.id)
    if "epoch" in call.data or call.verb == "remove":
        assert call.id is not None
        await enqueue(call.connection, "conversation", call.organization_id, call.id)
    if call.before is not None and call.id is not None and call.verb == "patch":
        points = turning_points(call.before, call.data)
        settled = Settled(points, call.data, is_answering=bool(call.data.get("answer_waiting")))
        await settle_returns(call.connection, call.organization_id, settled, [call.id], call.door.clock.now())
        await emit_also(call.connection, call.organization_id, call.resource.path, points, call.id)


JOINS = {
    "contact": joined(
        "contacts", "contact_id", "id", "first_name", "last_name", "email", "phone", "phone_country_code", "avatar_url"
    ),
    "last_message": last_message,
    "assigned_user": joined("users", "assigned_user_id", "id", "first_name", "last_name", "email"),
    "assigned_ai_assistant": joined("ai-assistants", "assigned_ai_assistant_id", "id", "name"),
    "assigned_team": joined("teams", "assigned_team_id", "id", "name"),
    "tags": tags_of_contact,
}
SUMMARY = {"ai_summary": summary_in_force}
DECISION = {MEMBER: newest_decision}

conversations = Resource(
    path="conversations",
    singular="conversation",
    area="messaging",
    description="Threads with contacts. They come to be by a first message.",
    fixed={"kind": "conversation"},
    verbs=("find", "get", "patch", "remove"),
    rights=Rights(remove=Role.admin),
    own=Own(column="contact_id", conversation="id", hidden=(*SUMMARY, *DECISION)),
    fields=(
        Field("contact_id", "integer", is_nullable=False, references="contacts", write="never"),
        Field("channel", is_nullable=False, write="never"),
        Field("inbox_channel_id", "integer", references="inbox-channels", write="never"),
        Field("status", is_nullable=False, default="open", choices=("open", "closed")),
        Field("assigned_user_id", "integer", references="users", is_global_reference=True),
        Field("assigned_ai_assistant_id", "key", references="ai-assistants"),
        Field(
            "assigned_team_id", "integer", references="teams", on_remove="clear",
            description="The team whose queue it waits in; beside a person, the team that they have it from.",
        ),
        Field("owner_reason", write="never", description="Why nobody owns the conversation."),
        Field("handed_off_by_ai_assistant_id", "integer", write="never"),
        Field("handed_off_at", "moment", write="never"),
        Field(
            "handoff_return_at", "moment", write="never",
            description="When the assistant next looks whether it gets the conversation back by itself.",
        ),
        HANDOFF_REASON,
        # What another assistant was given to read of it (`share: summary`): from where on, and the summary.
        Field("ai_shared", "json", write="never", is_shown=False),
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
        Field("waiting_since", "moment", write="never", description="Since when the customer waits for an answer."),
        Field("pipeline_id", "integer", references="pipelines", on_remove="refuse"),
        Field(
            "pipeline_stage_id", "integer", references="pipeline-stages", on_remove="refuse",
            description="Implies its pipeline; a pipeline alone means its first stage.",
        ),
        *HIDDEN_FIELDS,
        SESSION_TITLE,
        custom_values.HIDDEN,  # those of tickets
    ),
    checks={
        "one_owner": "assigned_user_id IS NULL OR assigned_ai_assistant_id IS NULL",
        "has_contact": "kind = 'ai-chat' OR contact_id IS NOT NULL",
        "ticket_is_whole": "kind <> 'ticket' OR num_nulls(reference_number, subject, priority, tags) = 0",
    },
    constraints=(
        *INDEXES,
        # The inbox: in order, and counted without its rows, by what people filter it by.
        Index(
            "ix_conversations_inbox", text("organization_id"), text("last_interaction_at DESC"), text("id"),
            postgresql_include=(
                "status", "channel", "assigned_user_id", "assigned_ai_assistant_id", "pipeline_stage_id",
                "unread_count", "waiting_since",
            ),
            postgresql_where=text("kind = 'conversation' AND deleted_at IS NULL"),
        ),
        index_of("conversation", "status", "last_interaction_at"),
        index_of("conversation", "created_at"),
        # How much each person has open, for the hand-off to the least busy one.
        Index(
            "ix_conversations_open_load", text("organization_id"), text("assigned_user_id"),
            postgresql_where=text(
                "assigned_user_id IS NOT NULL AND status IN ('open', 'pending') AND deleted_at IS NULL"
            ),
        ),
        Index(
            "ix_conversations_return", text("handoff_return_at"),
            postgresql_where=text("handoff_return_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        SESSION_INDEX,
        # One living thread for each customer of a connected number or account: who writes again goes on in it.
        Index(
            "uq_conversations_contact_address", text("organization_id"), text("inbox_channel_id"),
            text("contact_address"), unique=True,
            postgresql_where=text("contact_address IS NOT NULL AND deleted_at IS NULL"),
        ),
    ),
    extra_input=(ANSWER_WAITING,),
    joins={**JOINS, **SUMMARY, **DECISION},
    flags={"fastJoinForConversationList": tuple(JOINS), "withAiSummary": tuple(SUMMARY), FLAG: tuple(DECISION)},
    filters=FILTERS,
    default_sort=(("last_interaction_at", -1),),
    rewrite=rewrite,
    tells={"created": "A customer wrote for the first time, or was written to.", **TURNING_POINTS},
    prepare=prepare,
    finish=finish,
)  # fmt: skip

# Staff chats, which this resource does not show, have no contact; a CHECK holds that all others have one.
conversations.table.c.contact_id.nullable = True
