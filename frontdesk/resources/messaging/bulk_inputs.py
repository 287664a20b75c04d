"""What names the conversations of a bulk action: ids, a saved view or a filter, exactly one of them."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.errors import Fault, Invalid
from frontdesk.core.fields import Field, Plain, Wrong, check_integer

TARGETS = ("conversation_ids", "view_id", "filter")
MOST_IDS = 100_000


def _check_ids(value: Plain) -> Plain:
    if not isinstance(value, list) or not value:
        raise Wrong("type", "must be an array of ids, not empty", type="array")
    if len(value) > MOST_IDS:
        raise Wrong("maxItems", f"must not have more than {MOST_IDS} ids: use a view or a filter", limit=MOST_IDS)
    return list(dict.fromkeys(check_integer(id) for id in value))  # type: ignore[return-value]


def _check_filter(value: Plain) -> Plain:
    if not isinstance(value, dict):
        raise Wrong("type", "must be an object of conditions", type="object")
    return value


TARGET_INPUT = (
    Field(
        "conversation_ids", "json", check=_check_ids,
        schema={"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": MOST_IDS},
        description="Exactly one of conversation_ids, view_id and filter names the conversations.",
    ),
    Field("view_id", "integer", description="A saved view."),
    Field(
        "filter", "json", check=_check_filter, description="Conditions as on /conversations.",
        example={"status": "open"},
    ),
)  # fmt: skip


def named_target(data: Mapping[str, object]) -> str:
    """The one that is given. Raises `Invalid` where it is none or more than one."""
    named = [name for name in TARGETS if data.get(name) is not None]
    if len(named) != 1:
        message = "is one target too many: give exactly one" if named else "is needed, or one of the other targets"
        raise Invalid([Fault(name, "oneOf", message) for name in named or TARGETS])
    return named[0]
