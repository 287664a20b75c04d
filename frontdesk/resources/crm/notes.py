"""Notes on a contact. Notes of the staff are internal: no customer's conversation ever reads them."""

from __future__ import annotations

from frontdesk.core.fields import Field
from frontdesk.core.resource import Own, Resource

notes = Resource(
    path="notes",
    singular="note",
    area="crm",
    description="Notes on a contact.",
    own=Own(column="contact_id", where={"is_internal": False}, fixed={"is_internal": False}),
    fields=(
        Field(
            "text", is_required=True, is_nullable=False, max_length=10_000, is_searched=True,
            example="Prefers mornings.",
        ),
        Field(
            "contact_id", "integer", is_required=True, is_nullable=False, references="contacts", write="create",
            example=1,
        ),
        Field(
            "is_internal", "boolean", is_nullable=False, default=True,
            description="Internal notes are for the staff; an assistant that serves a customer cannot read them.",
        ),
    ),
)  # fmt: skip
