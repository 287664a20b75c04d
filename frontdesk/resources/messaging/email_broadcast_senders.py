"""Who broadcasts come from: a name and an address of the organization, on a mailbox that is connected."""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.formats import check_email
from frontdesk.core.resource import Resource, Rights

IS_MAILBOX = "SELECT channel = 'email' FROM inbox_channels WHERE organization_id = $1 AND id = $2"


def _check_name(value: Plain) -> Plain:
    """One line: it stands in the header From."""
    line = " ".join(str(value).split())
    if not line:
        raise Wrong("minLength", "must not be empty")
    return line


async def _prepare(call: Call) -> None:
    channel = call.data.get("inbox_channel_id")
    if channel is not None and not await call.connection.fetchval(IS_MAILBOX, call.organization_id, channel):
        raise Invalid([Fault("inbox_channel_id", "reference", "names no inbox channel for e-mail")])
    if call.before is not None and call.data.get("email", call.before["email"]) != call.before["email"]:
        # Another address is somebody else's until it has been shown that it is not.
        call.data.setdefault("is_verified", False)


email_broadcast_senders = Resource(
    path="email-broadcast-senders",
    singular="broadcast sender",
    area="messaging",
    description="Names and addresses that e-mail broadcasts come from.",
    rights=Rights(write=Role.admin),
    fields=(
        Field(
            "inbox_channel_id", "integer", is_required=True, is_nullable=False, references="inbox-channels",
            on_remove="refuse", description="The mailbox that carries them.",
        ),
        Field(
            "name", is_required=True, is_nullable=False, max_length=120, is_searched=True, check=_check_name,
            example="Luna Dental",
        ),
        Field(
            "email", is_required=True, is_nullable=False, max_length=254, check=check_email, is_searched=True,
            example="news@example.com",
        ),
        Field(
            "is_verified", "boolean", is_nullable=False, default=False,
            description="The organization may send from this address. An admin says so until a provider checks it.",
        ),
    ),
    unique=(("email",),),
    prepare=_prepare,
)  # fmt: skip
