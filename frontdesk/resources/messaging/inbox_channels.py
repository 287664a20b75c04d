"""Inbox channels: the doors through which customers write. A web chat's public key stands in its address."""

from __future__ import annotations

import re
import secrets

from sqlalchemy import Index

from frontdesk.core.caller import Role
from frontdesk.core.capabilities import CONNECTED, MAIL
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Resource, Rights

# Requests per minute unless a channel says otherwise; characters for max_message_length.
DEFAULT_LIMITS = {"visitor_per_minute": 20, "address_per_minute": 60, "key_per_minute": 600, "max_message_length": 4000}
TYPE_OF = "SELECT assistant_type FROM ai_assistants WHERE organization_id = $1 AND id = $2"
PROVIDERS = ("fake",)  # each real one comes with its own settings
# As browsers write them (RFC 6454). They stand in a header of the chat's page, so nothing else may be among them.
ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.ASCII)
HIGHEST = {
    "visitor_per_minute": 600,
    "address_per_minute": 6000,
    "key_per_minute": 100_000,
    "max_message_length": 10_000,
}


def _check_origins(value: Plain) -> Plain:
    assert isinstance(value, list)
    for origin in value:
        if origin != "*" and not ORIGIN.fullmatch(str(origin).lower()):
            raise Wrong("format", "must hold origins such as https://example.com, or *", format="origin")
    return [str(origin).lower() for origin in value]


def _check_limits(value: Plain) -> Plain:
    if not isinstance(value, dict) or not set(value) <= set(HIGHEST):
        raise Wrong("additionalProperties", f"may hold {', '.join(HIGHEST)}")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= HIGHEST[name]:
            raise Wrong("maximum", f"{name} must be a number from 1 to {HIGHEST[name]}")
    return value


async def _check_assistant(call: Call, channel: str) -> None:
    """What comes by mail becomes tickets, which only assistants of the type support-ticket work."""
    id = call.data.get("ai_assistant_id")
    if id is None:
        return
    wanted = "support-ticket" if channel in MAIL else "conversation"
    found = await call.connection.fetchval(TYPE_OF, call.organization_id, id)
    if found != wanted:
        message = f"is an assistant of the type {found}; this channel takes one of the type {wanted}"
        raise Invalid([Fault("ai_assistant_id", "assistantType", message)])


async def _prepare(call: Call) -> None:
    if call.verb == "create":
        call.data["public_key"] = "wc_" + secrets.token_urlsafe(18)
    channel = call.data.get("channel") or (call.before or {}).get("channel")
    if channel == "webchat" and call.data.get("provider") is not None:
        raise Invalid([Fault("provider", "notForChannel", "must stay empty: web chat is carried by Frontdesk itself")])
    await _check_assistant(call, str(channel))
    name = call.data.get("name")
    if name is not None and not re.search(r"\S", str(name)):
        raise Invalid([Fault("name", "minLength", "must not be empty")])


inbox_channels = Resource(
    path="inbox-channels",
    singular="inbox channel",
    area="messaging",
    description="A place where customers write: one web chat, one number, one mailbox.",
    rights=Rights(write=Role.admin),
    fields=(
        Field("channel", is_required=True, is_nullable=False, choices=CONNECTED, write="create", example="webchat"),
        Field("name", is_required=True, is_nullable=False, max_length=120, example="Website chat"),
        Field(
            "ai_assistant_id", "integer", references="ai-assistants",
            description="The assistant that new conversations are given to.",
        ),
        Field(
            "provider", choices=PROVIDERS,
            description="Who carries its messages. Without one nothing can be sent; web chat needs none.",
        ),
        Field("address", max_length=254, description="The organization's own number, account or mailbox there."),
        Field("public_key", is_nullable=False, write="never", example="wc_4Qm…"),
        Field(
            "allowed_origins", "texts", is_nullable=False, default=[], check=_check_origins, example=["https://example.com"],
            description="Sites that may embed the chat; empty is only our own page, * is any site.",
        ),
        Field("is_active", "boolean", is_nullable=False, default=True),
        Field("limits", "json", is_nullable=False, default={}, check=_check_limits),
    ),
    # Of all organizations: a visitor's request knows nothing but the key.
    constraints=(Index("uq_inbox_channels_public_key", "public_key", unique=True),),
    prepare=_prepare,
)  # fmt: skip
