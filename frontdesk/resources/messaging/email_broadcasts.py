"""E-mail broadcasts: one e-mail to many contacts, each of them once.

A draft can be changed. When it is sent, its recipients are frozen as rows, with the reason for each who gets nothing,
and a worker goes through them (`frontdesk/broadcasts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Index, text

from frontdesk.core.door import Call
from frontdesk.core.errors import Conflict, Fault, Invalid, Unprocessable
from frontdesk.core.events import emit
from frontdesk.core.fields import Field, Plain, Wrong, check_integer
from frontdesk.core.jobs import enqueue
from frontdesk.core.resource import Resource

from .broadcast_audience import AUDIENCES, check_contacts, freeze

DOORBELL = "email-broadcast"
STATUSES = ("draft", "sending", "sent", "cancelled")
NEXT = {"draft": ("sending", "cancelled"), "sending": ("cancelled",), "sent": (), "cancelled": ()}
MOST_IDS = 100_000
SENDER = "SELECT is_verified FROM email_broadcast_senders WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
ASSISTANT = "SELECT disable_reply FROM ai_assistants WHERE organization_id = $1 AND id = $2"
STARTED = """
    UPDATE email_broadcasts SET recipient_count = $3, skipped_count = $4, started_at = $5, due_at = $5
    WHERE organization_id = $1 AND id = $2
"""
# What has not been handed over is not sent any more; what is being handed over ends by itself.
STOP = """
    WITH stopped AS (
        UPDATE email_broadcast_recipients SET status = 'skipped', reason = 'cancelled', updated_at = $3
        WHERE organization_id = $1 AND email_broadcast_id = $2 AND status = 'pending' RETURNING id
    )
    UPDATE email_broadcasts SET skipped_count = skipped_count + (SELECT count(*) FROM stopped), finished_at = $3
    WHERE organization_id = $1 AND id = $2
"""


def _check_ids(value: Plain) -> Plain:
    if not isinstance(value, list) or not value or len(value) > MOST_IDS:
        raise Wrong("maxItems", f"must be an array of 1 to {MOST_IDS} ids of contacts", limit=MOST_IDS)
    return list(dict.fromkeys(check_integer(one) for one in value))  # type: ignore[return-value]


def _check_filter(value: Plain) -> Plain:
    if not isinstance(value, dict):
        raise Wrong("type", "must be an object of conditions on contacts", type="object")
    return value


def _check_subject(value: Plain) -> Plain:
    """One line: a header can have no more."""
    line = " ".join(str(value).split())
    if not line:
        raise Wrong("minLength", "must not be empty")
    return line


async def _prepare(call: Call) -> None:
    data, before = call.data, call.before or {}
    was = str(before.get("status", "draft"))
    if call.verb == "remove":
        if was == "sending":
            raise Conflict("This broadcast is being sent; cancel it first.", errors={"status": "is sending"})
        return
    status = str(data.get("status", was))
    _check_step(was, status, [name for name in data if name != "status" and data[name] != before.get(name)])
    if status == "draft" and data.get("contact_ids") not in (None, before.get("contact_ids")):
        await check_contacts(call, data["contact_ids"])
    now = {**before, **data}
    given = [name for name in AUDIENCES if now.get(name) is not None]
    if len(given) > 1:
        raise Invalid([Fault(name, "oneOf", "is one audience too many: give exactly one") for name in given])
    if was == "draft" and status == "sending":
        await _check_ready(call, now, given)


def _check_step(was: str, status: str, changed: list[str]) -> None:
    """A broadcast goes forward only, and what is on its way is not changed any more."""
    if status != was and status not in NEXT[was]:
        raise Conflict(f"A broadcast that is {was} cannot become {status}.", errors={"status": f"is {was}"})
    if was != "draft" and changed:
        message = f"cannot be changed: the broadcast is {was}"
        raise Conflict(f"A broadcast that is {was} cannot be changed.", errors=dict.fromkeys(changed, message))


async def _check_ready(call: Call, now: Mapping[str, object], given: list[str]) -> None:
    """What a draft may lack and a broadcast may not."""
    faults = [] if given else [Fault(name, "oneOf", "is needed, or one of the other audiences") for name in AUDIENCES]
    if not str(now.get("body_text") or "").strip() and not str(now.get("body_html") or "").strip():
        faults.append(Fault("body_text", "required", "is needed, or body_html"))
    if faults:
        raise Invalid(faults)
    if not await call.connection.fetchval(SENDER, call.organization_id, now["sender_id"]):
        raise Unprocessable(
            "The sender is not verified, so nothing can be sent in its name.", data={"code": "sender_not_verified"}
        )
    assistant = call.caller.ai_assistant_id
    if assistant is not None and await call.connection.fetchval(ASSISTANT, call.organization_id, assistant):
        raise Unprocessable("The assistant's replies are switched off.", data={"code": "reply_disabled"})


async def _finish(call: Call) -> None:
    assert call.answer is not None
    now, was = call.door.clock.now(), "draft" if call.before is None else call.before["status"]
    status = call.data.get("status", was)
    if call.verb == "remove" or status == was or call.answer.id is None:
        return
    key = (call.organization_id, call.answer.id)
    if status == "sending":
        total, skipped = await freeze(call, call.answer.id, call.answer.value, now)
        await call.connection.execute(STARTED, *key, total, skipped, now)
        await enqueue(call.connection, DOORBELL, *key)
    elif was == "sending":
        await call.connection.execute(STOP, *key, now)
    await emit(call.connection, call.organization_id, call.resource.path, "updated", call.answer.id)
    call.answer = await call.call(call.resource.path, "get", id=call.answer.id)


def _count(name: str, description: str) -> Field:
    return Field(name, "small", is_nullable=False, default=0, write="never", description=description)


email_broadcasts = Resource(
    path="email-broadcasts",
    singular="e-mail broadcast",
    area="messaging",
    description="One e-mail to many contacts. Who opted out, is blocked or has no address is skipped, with the reason.",
    fields=(
        Field(
            "sender_id", "integer", is_required=True, is_nullable=False, references="email-broadcast-senders",
            on_remove="refuse", example=1,
        ),
        Field(
            "subject", is_required=True, is_nullable=False, max_length=200, is_searched=True, check=_check_subject,
            example="We move",
        ),
        Field(
            "body_text", max_length=100_000, example="Hello {{first_name}}, we have a new address.",
            description="{{first_name}} and {{last_name}} are the contact's.",
        ),
        Field("body_html", max_length=500_000),
        Field("contact_ids", "json", check=_check_ids, schema={"type": "array", "items": {"type": "integer"}}),
        Field("tag_id", "integer", references="tags", description="All contacts with this tag."),
        Field("filter", "json", check=_check_filter, description="Conditions of the contacts list."),
        Field("status", is_nullable=False, default="draft", choices=STATUSES),
        _count("recipient_count", "Frozen when it is sent."),
        _count("sent_count", "Accepted by the provider."),
        _count("failed_count", "Refused, or not known to have arrived."),
        _count("skipped_count", "Opted out, blocked, without an address, or cancelled."),
        Field("started_at", "moment", write="never"),
        Field("finished_at", "moment", write="never"),
        Field("due_at", "moment", write="never", is_shown=False),
    ),
    constraints=(
        Index("ix_email_broadcasts_sending", text("due_at"), postgresql_where=text("status = 'sending'")),
    ),
    default_sort=(("id", -1),),
    tells={"sent": "The last mail of a broadcast was handed over; how many went is in `data`."},
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
