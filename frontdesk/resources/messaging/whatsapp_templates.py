"""WhatsApp templates: the texts that may open a conversation, or follow when the 24 hours are over.

The limits are those of WhatsApp's template API. Its approval comes from the provider; until one is connected, an
admin says what the status is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from frontdesk.core.caller import Role
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.placeholders import variables
from frontdesk.core.resource import Resource, Rights

STATUSES = ("pending", "approved", "rejected", "paused")
CATEGORIES = ("marketing", "utility", "authentication")
BUTTONS = {"quick_reply": None, "url": "url", "phone_number": "phone_number"}  # and the member that each needs
MOST_BUTTONS = 10
IS_WHATSAPP = "SELECT channel = 'whatsapp' FROM inbox_channels WHERE organization_id = $1 AND id = $2"


def _check_name(value: Plain) -> Plain:
    if not re.fullmatch(r"[a-z0-9_]+", str(value), re.ASCII):
        raise Wrong("pattern", "must have only small letters, digits and _")
    return value


def _check_language(value: Plain) -> Plain:
    if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", str(value), re.ASCII):
        raise Wrong("pattern", "must be a language code such as en or es_MX")
    return value


def _check_buttons(value: Plain) -> Plain:
    if not isinstance(value, list) or len(value) > MOST_BUTTONS:
        raise Wrong("maxItems", f"must be a list of at most {MOST_BUTTONS} buttons")
    for button in value:
        if not isinstance(button, dict) or button.get("type") not in BUTTONS:
            raise Wrong("enum", f"each button needs a type: {', '.join(BUTTONS)}")
        needed = ["text", *filter(None, [BUTTONS[str(button["type"])]])]
        if any(not isinstance(button.get(name), str) or not str(button[name]).strip() for name in needed):
            raise Wrong("required", f"a {button['type']} button needs {' and '.join(needed)}")
        if set(button) - {"type", *needed}:
            raise Wrong("additionalProperties", f"a {button['type']} button has only type, {', '.join(needed)}")
        if len(str(button["text"])) > 25 or len(str(button.get("url", ""))) > 2000:
            raise Wrong("maxLength", "a button has at most 25 characters of text and 2000 of url")
    return value


async def _prepare(call: Call) -> None:
    data = call.data
    if call.verb == "remove":
        return
    channel = data.get("inbox_channel_id")
    if channel is not None and not await call.connection.fetchval(IS_WHATSAPP, call.organization_id, channel):
        raise Invalid([Fault("inbox_channel_id", "reference", "names no inbox channel of WhatsApp")])
    if not {"header", "body", "footer", "buttons"} & set(data):
        return
    now = {**(call.before or {}), **data}
    data["variables"] = _variables(now)


def _variables(template: Mapping[str, object]) -> list[str]:
    """All variables, checked by WhatsApp's rules: numbered from 1 without a gap, or all named; none in the footer."""
    header, body, footer = (str(template.get(name) or "") for name in ("header", "body", "footer"))
    if len(variables(header)) > 1:
        raise Invalid([Fault("header", "maxItems", "must not have more than one variable")])
    if variables(footer):
        raise Invalid([Fault("footer", "maxItems", "must not have variables")])
    buttons = template.get("buttons")
    addresses = [str(button.get("url") or "") for button in buttons] if isinstance(buttons, list) else []
    numbered = [name for name in variables(body) if name.isdecimal()]
    if numbered and len(numbered) != len(variables(body)):
        raise Invalid([Fault("body", "pattern", "must have either numbered or named variables, not both")])
    if numbered != [str(i) for i in range(1, len(numbered) + 1)]:
        raise Invalid([Fault("body", "pattern", "must number its variables from {{1}} on without a gap")])
    return variables(header, body, *addresses)


whatsapp_templates = Resource(
    path="whatsapp-templates",
    singular="WhatsApp template",
    area="messaging",
    description="Texts that WhatsApp has approved, with the places where a customer's values go.",
    rights=Rights(write=Role.admin),
    fields=(
        Field(
            "inbox_channel_id", "integer", is_required=True, is_nullable=False, references="inbox-channels",
            write="create", on_remove="remove", description="The WhatsApp account.",
        ),
        Field(
            "name", is_required=True, is_nullable=False, max_length=512, check=_check_name, is_searched=True,
            write="create", example="appointment_reminder",
        ),
        Field(
            "language", is_required=True, is_nullable=False, max_length=20, check=_check_language, write="create",
            example="en",
        ),
        Field("category", is_nullable=False, default="utility", choices=CATEGORIES),
        Field("status", is_nullable=False, default="pending", choices=STATUSES),
        Field("header", max_length=60),
        Field(
            "body", is_required=True, is_nullable=False, max_length=1024, is_searched=True,
            example="Hello {{1}}, your appointment is on {{2}}.",
        ),
        Field("footer", max_length=60),
        Field(
            "buttons", "json", is_nullable=False, default=[], check=_check_buttons,
            schema={"type": "array", "items": {"type": "object"}},
        ),
        Field("variables", "texts", is_nullable=False, default=[], write="never"),
    ),
    unique=(("inbox_channel_id", "name", "language"),),
    default_sort=(("name", 1), ("language", 1)),
    prepare=_prepare,
)  # fmt: skip
