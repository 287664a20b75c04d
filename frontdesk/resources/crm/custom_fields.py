"""Custom fields: the definitions by which records carry values that the organization named itself.

How values are stored, checked and shown is in `core/custom_values.py`.
"""

from __future__ import annotations

from frontdesk.core.caller import Role
from frontdesk.core.custom_values import ENTITIES, TYPES
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Unprocessable
from frontdesk.core.fields import Field, Plain, Wrong
from frontdesk.core.resource import Own, Resource, Rights

from .names import check_key, check_name, key_from

MOST_FIELDS, MOST_OPTIONS, LONGEST_OPTION = 200, 200, 120
SELECTS = ("select", "multi-select")
# Locked, so that two definitions made at once get two positions and two keys.
SIBLINGS = """
    SELECT key, position FROM custom_fields
    WHERE organization_id = $1 AND entity = $2 AND deleted_at IS NULL
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtext('custom-fields'), $1)"


def check_options(value: Plain) -> Plain:
    options = [str(one).strip() for one in value] if isinstance(value, list) else []
    if not options or len(options) > MOST_OPTIONS:
        raise Wrong("minItems", f"must hold 1 to {MOST_OPTIONS} options", limit=MOST_OPTIONS)
    if not all(0 < len(one) <= LONGEST_OPTION for one in options):
        raise Wrong("maxLength", f"must be texts of 1 to {LONGEST_OPTION} characters", limit=LONGEST_OPTION)
    if len(set(options)) < len(options):
        raise Wrong("uniqueItems", "must not repeat an option")
    return options


async def _prepare(call: Call) -> None:
    if call.verb == "remove":
        return
    kind = (call.before or call.data)["type"]
    options = call.data.get("options", call.before["options"] if call.before else None)
    if kind in SELECTS and options is None:
        raise Invalid([Fault("options", "required", f"is required for the type {kind}", missingProperty="options")])
    if kind not in SELECTS and options is not None:
        raise Invalid([Fault("options", "const", f"must be null for the type {kind}; only the selects have options")])
    if call.verb == "create":
        await _number(call)


async def _number(call: Call) -> None:
    """The key and the position that the body leaves open."""
    await call.connection.execute(LOCK, call.organization_id)
    siblings = await call.connection.fetch(SIBLINGS, call.organization_id, call.data["entity"])
    if len(siblings) >= MOST_FIELDS:
        raise Unprocessable(f"There are {MOST_FIELDS} custom fields for {call.data['entity']} already, the most.")
    if call.data.get("key") is None:
        call.data["key"] = key_from(str(call.data["name"]), {row["key"] for row in siblings})
    if call.data.get("position") is None:
        call.data["position"] = max((row["position"] for row in siblings), default=-1) + 1


custom_fields = Resource(
    path="custom-fields",
    singular="custom field",
    area="crm",
    description="Definitions of custom fields: which values of its own the organization keeps, and of which type.",
    rights=Rights(write=Role.admin),
    # A customer's conversation may fill them in on its own contact, so it must be able to read what there is.
    own=Own(is_public=True),
    fields=(
        Field(
            "entity", is_required=True, is_nullable=False, write="create", choices=tuple(ENTITIES.values()),
            example="contact", description="What it belongs to.",
        ),
        Field(
            "key", is_nullable=False, write="create", check=check_key,
            description="Its name for programs, unique for the entity and fixed; made from the name when left out.",
        ),
        Field(
            "name", is_required=True, is_nullable=False, max_length=120, check=check_name, example="Plan",
            description="Its display name, unique for the entity.",
        ),
        Field("type", is_nullable=False, default="text", write="create", choices=tuple(TYPES), example="text"),
        Field("options", "texts", check=check_options, description="What the selects choose from."),
        Field(
            "is_required", "boolean", is_nullable=False, default=False,
            description="Whether a record needs a value when it is made (not when a conversation makes it).",
        ),
        Field("position", "small", is_nullable=False, minimum=0, description="Order of display; last when left out."),
        Field("description", max_length=1000),
    ),
    unique=(("entity", "key"), ("entity", "name")),
    default_sort=(("entity", 1), ("position", 1)),
    prepare=_prepare,
)  # fmt: skip
