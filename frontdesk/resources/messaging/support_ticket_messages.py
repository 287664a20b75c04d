"""Messages of tickets, in the table of all messages."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import ColumnElement, FromClause, Table

from frontdesk.core.caller import Role
from frontdesk.core.fields import Field
from frontdesk.core.resource import Filter, Resource, Rights

from .ai_decision_join import FLAG, MEMBER, decision_of_message
from .conversation_messages import MESSAGE_EVENTS, conversation_messages
from .conversation_summaries import forget

_HIDDEN = {
    "conversation_id": Field(
        "conversation_id", "integer", is_nullable=False, references="support-tickets", write="never", is_shown=False,
    ),
    "kind": Field("kind", is_nullable=False, write="never", is_shown=False),
}  # fmt: skip

INPUT = (
    Field(
        "support_ticket_id", "integer", is_required=True, is_nullable=False, references="support-tickets", example=1,
    ),
    Field("message_text", is_required=True, is_nullable=False, max_length=100_000, example="Your refund is coming."),
    Field("message_type", is_nullable=False, default="text", choices=("text", "note")),
    Field(
        "direction", is_nullable=False, default="outbound", choices=("outbound", "inbound"),
        description="inbound: in the customer's name, for forms and imports; it is answered like any message.",
    ),
    Field(
        "external_id", max_length=400,
        description="Of an inbound: its id where it comes from. The same one again changes nothing.",
    ),
    Field(
        "takeover", "boolean",
        description="Take the ticket over. Default: true for a login, false for an API key; a note never does.",
    ),
)  # fmt: skip


def _ticket_id(source: FromClause) -> ColumnElement[object]:
    return source.c.conversation_id


def _is_of_ticket(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    return table.c.conversation_id == value


support_ticket_messages = Resource(
    path="support-ticket-messages",
    singular="ticket message",
    area="messaging",
    description="Messages of tickets: the customer's, the assistant's, the team's, and the team's notes.",
    of="conversation-messages",
    fixed={"kind": "ticket"},
    tells=MESSAGE_EVENTS,
    told_with=("support_ticket_id",),
    fields=tuple(_HIDDEN.get(f.name, replace(f, write="never")) for f in conversation_messages.fields),
    verbs=("find", "get", "create", "remove"),
    rights=Rights(remove=Role.admin),
    joins={"support_ticket_id": _ticket_id, MEMBER: decision_of_message},
    flags={FLAG: (MEMBER,)},
    filters={"support_ticket_id": Filter("integer", _is_of_ticket, "The ticket whose messages these are.")},
    needs=("support_ticket_id",),
    finish=forget,
    extra_input=INPUT,
    default_sort=(("created_at", 1), ("id", 1)),
)
