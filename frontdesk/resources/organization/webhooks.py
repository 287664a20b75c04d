"""Webhooks: addresses that are told of events. Their secret is shown once, when it is made, and never again."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from frontdesk.core.addresses import parse_address
from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.event_names import audible, event_names, matching
from frontdesk.core.fields import Field
from frontdesk.core.resource import Resource, Rights
from frontdesk.core.vault import DEFAULT_PORTS, mask, origin_of

PREFIX = "whsec_"  # Standard Webhooks: how a symmetric secret is told from others
SECRET_BYTES = 32  # of 24 to 64 that the specification allows
# After a rotation both secrets sign for so long, so that a receiver can change over without missing anything.
BOTH_VALID = timedelta(hours=24)
# urlsplit drops some of these silently: what is stored would not be what is called.
FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f\\]")
STORED = "SELECT secret_encrypted FROM webhooks WHERE organization_id = $1 AND id = $2"


def _check_url(url: str, guard: Guard) -> None:
    """https, or http where the operator allows the host. What a name leads to is checked at each delivery."""
    try:
        if FORBIDDEN.search(url) or urlsplit(url).port == 0:
            raise ValueError("must be an address without blanks and control characters")
        origin_of(url)
    except ValueError as error:
        raise Invalid([Fault("url", "format", str(error))]) from None
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or DEFAULT_PORTS[parts.scheme]
    address = parse_address(host)
    is_named = any(
        entry.covers(host, port, address) if address else entry.host == host and entry.port in (None, port)
        for entry in guard.allow
    )
    if parts.scheme != "https" and not is_named:
        raise Invalid([Fault("url", "scheme", "must begin with https://")])
    if address is not None and not guard.permits(host, port, address):
        raise Invalid([Fault("url", "address", "must not lead to a private address")])


def _check_events(call: Call) -> None:
    patterns = call.data["events"]
    assert isinstance(patterns, list)
    if not patterns:
        raise Invalid([Fault("events", "minItems", "must name at least one event; * is all", limit=1)])
    names = event_names(call.door.registry)
    open_names = {name: resource for name, resource in names.items() if resource.private_to is None}
    known = audible(open_names, Role.admin)
    wrong = [str(pattern) for pattern in patterns if not matching(str(pattern), known)]
    if wrong:
        message = f"names no event: {', '.join(text[:80] for text in wrong[:5])}; see docs/reference/events.md"
        raise Invalid([Fault("events", "enum", message)])
    call.data["events"] = list(dict.fromkeys(patterns))


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        return
    data, now = call.data, call.door.clock.now()
    if "url" in data:
        _check_url(str(data["url"]), call.door.guard)
    if "events" in data:
        _check_events(call)
    if call.before is None or (data.get("is_active") and not call.before["is_active"]):
        data |= {"disabled_reason": None, "failing_since": None, "listens_since": now}
    if call.verb == "create" or data.pop("rotate_secret", False):
        if call.verb == "patch":
            data["previous_secret_encrypted"] = await call.connection.fetchval(STORED, call.organization_id, call.id)
            data["previous_secret_until"] = now + BOTH_VALID
        secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        # It is sent nowhere: only signatures leave the house.
        data |= {"secret_encrypted": call.door.vault.seal(secret), "secret_mask": mask(secret)}
        call.extra["secret"] = secret


webhooks = Resource(
    path="webhooks",
    singular="webhook",
    area="organization",
    description="Addresses that are told of events, signed as the Standard Webhooks specification says. The secret is "
    "in the answer to the creation or to a rotation, and never again.",
    rights=Rights(read=Role.admin, write=Role.admin),
    tells={"disabled": "A webhook was switched off because its address only failed."},
    fields=(
        Field("url", is_required=True, is_nullable=False, max_length=2000, example="https://example.com/hooks"),
        Field("description", max_length=500, example="Our warehouse"),
        Field(
            "events", "texts", is_required=True, is_nullable=False,
            example=["contacts.created", "conversations.*"],
            description="Names of events, or patterns: `contacts.*`, `*.deleted`, `*`.",
        ),
        Field("is_active", "boolean", is_nullable=False, default=True),
        Field(
            "listens_since", "moment", is_nullable=False, write="never",
            description="When it was made or last switched on: it is told of what happens after that.",
        ),
        Field("disabled_reason", write="never", description="Why it was switched off; null where a person did it."),
        Field("failing_since", "moment", write="never", description="Since when no delivery has arrived."),
        Field("secret_encrypted", is_nullable=False, write="never", is_shown=False),
        Field("secret_mask", is_nullable=False, write="never", example="••••••••x7Qe"),
        Field("previous_secret_encrypted", write="never", is_shown=False),
        Field("previous_secret_until", "moment", write="never", description="Until then both secrets sign."),
    ),
    extra_input=(
        Field("rotate_secret", "boolean", description="True makes a new secret; the old one signs too for 24 hours."),
    ),
    prepare=_prepare,
)  # fmt: skip
