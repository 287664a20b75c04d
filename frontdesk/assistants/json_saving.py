"""Which custom field can keep which value, and which access rules it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from frontdesk.assistants.config import AssistantConfig
from frontdesk.assistants.json_keys import JsonKey, SavedEntity
from frontdesk.assistants.tool_keys import Entity
from frontdesk.core.custom_values import Definition
from frontdesk.core.errors import Json

PATHS: Mapping[SavedEntity, str] = {
    "contact": "contacts", "company": "companies", "deal": "deals", "ticket": "support-tickets",
}  # fmt: skip
# A company has no access field of its own; it is reached through its contact.
ACCESS_OF: Mapping[SavedEntity, Entity] = {
    "contact": "contact", "company": "contact", "deal": "deals", "ticket": "customer_support",
}  # fmt: skip
# Type of a custom field: the types of values that it can keep. A text keeps everything that can be written in a line.
KEPT: Mapping[str, tuple[str, ...]] = {
    "text": ("string", "number", "integer", "boolean", "date", "array"),
    "number": ("number", "integer"),
    "date": ("date", "string"),
    "boolean": ("boolean",),
    "select": ("string",),
    "multi-select": ("array", "string"),
}


def fitting(kind: str, value: Json) -> Json:
    """The value in the form in which a custom field of this type takes it."""
    if kind == "text" and not isinstance(value, str):
        return ", ".join(map(_written, value)) if isinstance(value, list) else _written(value)
    if kind == "multi-select":
        return list(dict.fromkeys(value)) if isinstance(value, list) else [value]
    return value


def _written(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{Decimal(str(value)):f}" if isinstance(value, int | float) else str(value)


def find_field(definitions: tuple[Definition, ...], name: str) -> Definition | None:
    """The custom field of this key, or else of this display name."""
    by_key = next((one for one in definitions if one.key == name), None)
    return by_key or next((one for one in definitions if one.name == name), None)


def saving_warnings(
    config: AssistantConfig, definitions: Mapping[SavedEntity, tuple[Definition, ...]]
) -> Iterator[dict[str, Json]]:
    """What a `save_to` cannot do as things stand, one `{field, code, message}` each."""
    seen: dict[tuple[str, int], str] = {}
    for i, one in enumerate(config.json_keys.root):
        if one.save_to is None:
            continue
        at, entity = f"additional_json_keys.{i}.save_to", one.save_to.entity
        access = f"access_permissions_{ACCESS_OF[entity]}"
        if config.access(ACCESS_OF[entity]) != "read_write":
            message = f"{one.key} is never saved: {access} must be read_write for it."
            yield {"field": f"{at}.entity", "code": "save_without_access", "message": message}
        if entity == "ticket" and config.assistant_type != "support-ticket":
            message = f"{one.key} is saved on tickets only, and this assistant is of the type {config.assistant_type}."
            yield {"field": f"{at}.entity", "code": "save_without_ticket", "message": message}
        field = find_field(definitions.get(entity, ()), one.save_to.custom_field)
        if field is None:
            message = f"{one.key} is not saved: no custom field of the entity {entity} is called so."
            yield {"field": f"{at}.custom_field", "code": "custom_field_missing", "message": message}
            continue
        yield from _unfit(one, field, f"{at}.custom_field")
        if first := seen.get((entity, field.id)):
            message = f"{one.key} and {first} are saved in one custom field; of the two the later one stays."
            yield {"field": f"{at}.custom_field", "code": "custom_field_shared", "message": message}
        seen[(entity, field.id)] = one.key


def _unfit(one: JsonKey, field: Definition, at: str) -> Iterator[dict[str, Json]]:
    """Where the field cannot keep every value of the key."""
    if one.type not in KEPT[field.type]:
        message = f"{one.key} is never saved: a custom field of the type {field.type} holds no value of {one.type}."
        yield {"field": at, "code": "custom_field_unfit", "message": message}
    elif field.type in ("select", "multi-select"):
        choices = one.enum if one.type == "string" else one.items.enum if one.items is not None else None
        unknown = [str(choice) for choice in choices or () if choice not in field.options]
        if choices is None:
            message = f"{one.key} has no enum, and is saved only where its value is an option of {field.key}."
            yield {"field": at, "code": "custom_field_options", "message": message}
        elif unknown:
            message = f"{field.key} has no option {', '.join(unknown)}, so these are not saved."
            yield {"field": at, "code": "custom_field_options", "message": message}
