"""`POST /conversation-messages-playground`: an organization's own people try an assistant, writing as the customer."""

from __future__ import annotations

from typing import cast

from frontdesk.core.capabilities import MEDIA
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json
from frontdesk.reception import Inbound, receive
from frontdesk.runtime.composing import file_of

EXISTS = """
    SELECT $2::bigint IS NULL OR EXISTS (
            SELECT FROM contacts WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL) AS contact_id,
        $3::bigint IS NULL OR EXISTS (
            SELECT FROM ai_assistants WHERE organization_id = $1 AND id = $3 AND deleted_at IS NULL) AS assistant_id
"""
CONTACT_OF = "SELECT contact_id FROM conversations WHERE organization_id = $1 AND id = $2 AND channel = 'playground'"


async def send(call: Call) -> Json:
    """Store the tester's message as the customer's and start a turn. The playground's contact counts as verified."""
    data = call.data
    conversation_id, assistant_id = data.get("conversation_id"), data.get("assistant_id")
    if (conversation_id is None) == (assistant_id is None):
        raise Invalid([Fault("conversation_id", "oneOf", "give either conversation_id or assistant_id")])
    if conversation_id is not None:
        contact_id = await call.connection.fetchval(CONTACT_OF, call.organization_id, conversation_id)
        if contact_id is None:
            raise Invalid([Fault("conversation_id", "reference", "names no conversation of the playground")])
        if contact_id != data["contact_id"]:
            raise Invalid([Fault("contact_id", "reference", "is not the contact of this conversation")])
    found = await call.connection.fetchrow(EXISTS, call.organization_id, data.get("contact_id"), assistant_id)
    assert found is not None
    for name in ("contact_id", "assistant_id"):
        if not found[name]:
            raise Invalid([Fault(name, "reference", f"names no {name.removesuffix('_id')} that exists")])
    kind, text = str(data["message_type"]), str(data.get("message_text") or "")
    if kind == "text" and not text.strip():
        raise Invalid([Fault("message_text", "required", "is required")])
    extras = await file_of(call, is_required=True) if kind in MEDIA else {}
    stored = await receive(
        call.door,
        Inbound(
            call.organization_id,
            "playground",
            text,
            conversation_id=cast("int | None", conversation_id),
            contact_id=cast(int, data["contact_id"]),
            ai_assistant_id=cast("int | None", assistant_id),
            created_by_user_id=call.caller.user_id,
            message_type=kind,
            is_contact_verified=True,
            extras=extras,
        ),
        call.connection,
    )
    return (await call.call("conversation-messages-playground", "get", id=stored.id)).value
