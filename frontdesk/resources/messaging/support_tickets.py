"""Support tickets: conversations with a subject, a reference number and a priority (`docs/why/0055`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Table, any_, func, or_, select

from frontdesk.core.caller import Caller, Role
from frontdesk.core.database import Connection
from frontdesk.core.door import Call, Door
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.formats import check_email
from frontdesk.core.resource import Filter, Resource, Rights
from frontdesk.core.schema import metadata

from .ai_decision_join import FLAG, MEMBER, newest_decision
from .conversation_change import TURNING_POINTS
from .conversation_query import FILTERS as CONVERSATION_FILTERS
from .conversation_query import by_contact, mentions, narrowed, reading
from .conversation_return import ANSWER_WAITING
from .conversation_summaries import summary_in_force
from .conversations import check_type, conversations, finish, prepare
from .ticket_columns import STATUSES, TICKET_CHANNELS, TICKET_FIELDS
from .ticket_numbers import next_reference

INBOX = "SELECT channel, address FROM inbox_channels WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
# Two forms that come at once with the same new address must not make two contacts.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($2, $1))"

# What a conversation has and a ticket has not: a place in a sales pipeline, one thread per customer of a number.
_LEFT_OUT = ("pipeline_id", "pipeline_stage_id", "contact_address", "last_interaction_at")
_OWN = (
    Field("kind", is_nullable=False, write="never", is_shown=False),
    Field("contact_id", "integer", is_nullable=False, references="contacts", write="create", example=1),
    Field("channel", is_nullable=False, default="api", choices=TICKET_CHANNELS, write="create"),
    Field("inbox_channel_id", "integer", references="inbox-channels", write="create"),
    Field("status", is_nullable=False, default="open", choices=STATUSES),
    Field(
        "is_contact_verified", "boolean", is_nullable=False, default=False, write="create",
        description="Whether the writer is known to be the contact; a form's or a mail's address is only a claim.",
    ),
    *TICKET_FIELDS,
)  # fmt: skip
_BY_NAME = {f.name: f for f in _OWN}
FIELDS = tuple(_BY_NAME.get(f.name, f) for f in conversations.fields if f.name not in _LEFT_OUT)

EXTRA_INPUT = (
    ANSWER_WAITING,
    Field("contact_email", max_length=254, check=check_email, description="Instead of contact_id: found, or made."),
    Field("contact_first_name", max_length=120, description="Of a contact that is made by contact_email."),
    Field("contact_last_name", max_length=120),
    Field("message_text", max_length=100_000, description="The customer's first message.", example="I paid twice."),
)


async def _prepare(call: Call) -> None:
    if call.verb == "create":
        await _open(call)
    else:
        await prepare(call)


async def _open(call: Call) -> None:
    """A new ticket: its channel, its contact, its owner, and at last its number, whose lock others wait for."""
    data = call.data
    if data.get("assigned_user_id") is not None and data.get("assigned_ai_assistant_id") is not None:
        message = "cannot be set together with assigned_user_id: a ticket has one owner"
        raise Invalid([Fault("assigned_ai_assistant_id", "oneOwner", message)])
    if data.get("message_text") and data["status"] != "open":
        raise Invalid([Fault("status", "conflict", "must be open where the customer's first message comes with it")])
    if data.get("inbox_channel_id") is not None:
        await _take_channel(call)
    await check_type(call, str(data["channel"]))
    await _take_contact(call)
    data["reference_number"] = await next_reference(call)


async def _take_channel(call: Call) -> None:
    """The channel and the address of the inbox that it came by."""
    data = call.data
    row = await call.connection.fetchrow(INBOX, call.organization_id, data["inbox_channel_id"])
    if row is None or row["channel"] not in TICKET_CHANNELS:
        raise Invalid([Fault("inbox_channel_id", "reference", "names no mailbox")])
    if "channel" in call.body and data["channel"] != row["channel"]:
        raise Invalid([Fault("channel", "conflict", f"must be {row['channel']}, the channel of inbox_channel_id")])
    data |= {"channel": row["channel"], "meta_inbox_channel_email": row["address"]}


async def _take_contact(call: Call) -> None:
    data, email = call.data, call.data.get("contact_email")
    if (data.get("contact_id") is None) == (email is None):
        raise Invalid([Fault("contact_id", "oneOf", "give either contact_id or contact_email")])
    if email is None:
        return
    folded = str(email).lower()
    await call.connection.execute(ONE_AT_A_TIME, call.organization_id, folded)
    query = {"email": {"$in": [email, folded]}, "$sort": {"id": 1}, "$limit": 1, "$select": ["id"]}
    found = (await call.call("contacts", "find", query=query)).value["data"]
    if isinstance(found, list) and found:
        data["contact_id"] = found[0]["id"]  # type: ignore[index,call-overload]
        return
    names = {name: data.get(f"contact_{name}") for name in ("first_name", "last_name")}
    known = {name: value for name, value in names.items() if value is not None}
    # Whoever opens the ticket cannot say more of the contact here, so what a contact requires is not asked for.
    caller = replace(call.caller, via="system")
    made = await call.call("contacts", "create", data={"email": email, **known}, caller=caller)
    data["contact_id"] = made.id


async def _finish(call: Call) -> None:
    if call.verb != "create":
        await finish(call)
        return
    assert call.answer is not None
    if text := call.data.get("message_text"):
        message = {"support_ticket_id": call.answer.id, "message_text": text, "direction": "inbound"}
        await call.call("support-ticket-messages", "create", data=message)
        select = {"$select": list(call.query.select)} if call.query.select is not None else None
        call.answer = await call.call("support-tickets", "get", id=call.answer.id, query=select)


def _of_contact(column: str) -> Callable[[FromClause], ScalarSelect[object]]:
    def join(source: FromClause) -> ScalarSelect[object]:
        contacts = metadata.tables["contacts"].alias()
        condition = (contacts.c.organization_id == source.c.organization_id) & (contacts.c.id == source.c.contact_id)
        return select(contacts.c[column]).where(condition).correlate(source).scalar_subquery()

    return join


def _is_tagged(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    return value == any_(table.c.tags)


def _is_about(table: Table, value: ColumnElement[object]) -> ColumnElement[bool]:
    """The whole reference number, words of the subject, or the contact's name, e-mail or phone."""
    subjects = func.unnest(func.array(select(func.tickets_about(value)).scalar_subquery()))
    return or_(
        table.c.reference_number == func.upper(func.trim(value)),
        table.c.id.in_(select(subjects)),
        by_contact(table, value),
    )


FILTERS = {
    "tag": Filter("text", _is_tagged, "Tickets that have this tag."),
    "searchTerm": replace(
        CONVERSATION_FILTERS["searchTerm"], condition=_is_about,
        description="The reference number, the subject, or the contact's name, e-mail or phone.",
    ),
    **{name: CONVERSATION_FILTERS[name] for name in ("messageSearchTerm", "waitingResponseOnly")},
}  # fmt: skip


async def _rewrite(
    door: Door, caller: Caller, query: Mapping[str, object], tx: Connection | None
) -> Mapping[str, object]:
    if not mentions(query, "messageSearchTerm"):
        return query
    async with reading(door, caller, tx) as connection:
        return await narrowed(connection, query, "messageSearchTerm")


support_tickets = Resource(
    path="support-tickets",
    singular="ticket",
    area="messaging",
    description="Support tickets. Assistants of the type support-ticket work them, or people, or nobody does.",
    of="conversations",
    fixed={"kind": "ticket"},
    rights=Rights(remove=Role.admin),
    fields=FIELDS,
    has_custom_fields=True,
    joins={
        **{f"meta_contact_{name}": _of_contact(name) for name in ("first_name", "last_name", "email")},
        "ai_summary": summary_in_force,
        MEMBER: newest_decision,
    },
    flags={"withAiSummary": ("ai_summary",), FLAG: (MEMBER,)},
    filters=FILTERS,
    rewrite=_rewrite,
    tells=TURNING_POINTS,
    extra_input=EXTRA_INPUT,
    default_sort=(("created_at", -1), ("id", -1)),
    prepare=_prepare,
    finish=_finish,
)
