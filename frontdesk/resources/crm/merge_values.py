"""Which values the kept contact has after a merge: its own, those it lacks, and those that the person chose."""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.core.custom_values import BY_KEY, COLUMN, Definition
from frontdesk.core.errors import Fault, Json
from frontdesk.core.fields import Plain, Wrong

# What belongs together comes from one side as a whole: a number without its country is another number.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "first_name": ("first_name",),
    "last_name": ("last_name",),
    "email": ("email",),
    "phone": ("phone", "phone_country_code", "phone_country_iso"),
    "company_id": ("company_id",),
    "owned_by_user_id": ("owned_by_user_id",),
    "channel_whatsapp_wa_id": ("channel_whatsapp_wa_id",),
    "channel_instagram_user_id": ("channel_instagram_user_id",),
    "avatar_url": ("avatar_url",),
}
SIDES = ("kept", "merged")
CUSTOM = f"{BY_KEY}."
COLUMNS = tuple(name for names in GROUPS.values() for name in names)
Row = Mapping[str, Plain]


def check_choice(value: Plain) -> Plain:
    """`{"email": "merged", "custom_fields_by_key.plan": "kept"}`; raises `Wrong`."""
    if not isinstance(value, dict):
        raise Wrong("type", "must be object", type="object")
    for name, side in value.items():
        if name not in GROUPS and not name.startswith(CUSTOM):
            raise Wrong("additionalProperties", f"may name {', '.join(GROUPS)} and {CUSTOM}<key>; not {name[:80]}")
        if side not in SIDES:
            raise Wrong("enum", f"{name[:80]} must be kept or merged", allowedValues=list(SIDES))
    return value


def unknown_custom(choice: Mapping[str, Json], definitions: tuple[Definition, ...]) -> list[Fault]:
    known = {CUSTOM + one.key for one in definitions}
    wrong = [name for name in choice if name.startswith(CUSTOM) and name not in known]
    return [Fault("fields", "reference", f"{name[:80]} is no custom field of contacts") for name in wrong]


def chosen(kept: Row, merged: Row, choice: Mapping[str, Json]) -> dict[str, Plain]:
    """The columns that change on the kept contact."""
    values: dict[str, Plain] = {}
    for name, columns in GROUPS.items():
        takes = choice.get(name) == "merged" or (choice.get(name) is None and kept[columns[0]] is None)
        if takes and merged[columns[0]] is not None:
            values |= {column: merged[column] for column in columns if merged[column] != kept[column]}
    return values


def chosen_custom(
    kept: Mapping[str, Json],
    merged: Mapping[str, Json],
    choice: Mapping[str, Json],
    definitions: tuple[Definition, ...],
) -> dict[str, Json]:
    """The custom values that change, by the id of their definition, as the column has them."""
    wins = {str(one.id) for one in definitions if choice.get(CUSTOM + one.key) == "merged"}
    stays = {str(one.id) for one in definitions if choice.get(CUSTOM + one.key) == "kept"}
    return {key: value for key, value in merged.items() if key in wins or (key not in kept and key not in stays)}


__all__ = ["COLUMN", "COLUMNS", "check_choice", "chosen", "chosen_custom", "unknown_custom"]
