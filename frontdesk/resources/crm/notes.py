"""Notes on a contact, a deal or a company. Those of the staff are internal: no customer's conversation reads them."""

from __future__ import annotations

from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field
from frontdesk.core.joins import joined
from frontdesk.core.resource import Own, Resource

TARGETS = {"contact_id": "contacts", "deal_id": "deals", "company_id": "companies"}


async def _check_target(call: Call) -> None:
    """A note is about one thing, for good: which page would show it otherwise?"""
    if call.verb != "create":
        return
    named = [name for name in TARGETS if call.data.get(name) is not None]
    message = f"exactly one of {', '.join(TARGETS)} is needed"
    if not named:
        raise Invalid([Fault("contact_id", "required", message, missingProperty="contact_id")])
    if len(named) > 1:
        raise Invalid([Fault(name, "oneOf", message) for name in named])


notes = Resource(
    path="notes",
    singular="note",
    area="crm",
    description="Notes, each on one contact, deal or company.",
    own=Own(
        column="contact_id", where={"is_internal": False}, fixed={"is_internal": False},
        closed=("deal_id", "company_id"),
    ),
    fields=(
        Field(
            "text", is_required=True, is_nullable=False, max_length=10_000, is_searched=True,
            example="Prefers mornings.",
        ),
        Field(
            "contact_id", "integer", references="contacts", on_remove="remove", write="create", example=1,
            description="What the note is on: a contact, or else a deal or a company.",
        ),
        Field("deal_id", "integer", references="deals", on_remove="remove", write="create"),
        Field("company_id", "integer", references="companies", on_remove="remove", write="create"),
        Field(
            "is_internal", "boolean", is_nullable=False, default=True,
            description="Internal notes are for the staff; an assistant that serves a customer cannot read them.",
        ),
    ),
    joins={"created_by_user": joined("users", "created_by_user_id", "id", "first_name", "last_name")},
    checks={"has_one_target": "num_nonnulls(contact_id, deal_id, company_id) = 1"},
    prepare=_check_target,
)  # fmt: skip
