"""Templates as messages: the texts that a provider has approved, with this customer's values in them.

Variables are `{{1}}`, `{{2}}` … or `{{name}}`, as WhatsApp writes them. All values must be there, and no other ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import asyncpg

from frontdesk.core.database import Connection
from frontdesk.core.door import Call
from frontdesk.core.errors import Fault, Invalid, Json, Unprocessable
from frontdesk.core.placeholders import fill, variables

_COLUMNS = "id, inbox_channel_id, name, language, status, header, body, buttons"
BY_ID = f"SELECT {_COLUMNS} FROM whatsapp_templates WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
BY_NAME = f"""
    SELECT {_COLUMNS} FROM whatsapp_templates
    WHERE organization_id = $1 AND inbox_channel_id = $2 AND name = $3 AND language = $4 AND deleted_at IS NULL
"""


async def filled(call: Call, inbox_channel_id: int | None) -> tuple[str, dict[str, Json]]:
    """The text as the customer reads it, and what the provider is given. Raises `Invalid` naming what is wrong.

    A template that is not approved is `Unprocessable`: the provider would refuse it.
    """
    return await filled_of(call.connection, call.organization_id, call.data, inbox_channel_id)


async def filled_of(
    connection: Connection, organization_id: int, data: Mapping[str, object], inbox_channel_id: int | None
) -> tuple[str, dict[str, Json]]:
    """The same, where nobody calls: of what a configuration names."""
    row = await _find(connection, organization_id, data, inbox_channel_id)
    if row["status"] != "approved":
        raise Unprocessable(
            f"The template '{row['name']}' is {row['status']}; only an approved one can be sent.",
            data={"code": "template_not_approved", "status": row["status"]},
        )
    header = row["header"]
    names = variables(header, row["body"], *_button_addresses(row["buttons"]))
    values = _values(data.get("template_values"), names)
    text = "\n\n".join(fill(part, values) for part in (header, row["body"]) if part)
    return text, {
        "id": row["id"], "name": row["name"], "language": row["language"], "values": cast(Json, values),
    }  # fmt: skip


async def _find(
    connection: Connection, organization_id: int, data: Mapping[str, object], inbox_channel_id: int | None
) -> asyncpg.Record:
    if (id := data.get("template_id")) is not None:
        row = await connection.fetchrow(BY_ID, organization_id, id)
        if row is None or row["inbox_channel_id"] != inbox_channel_id:
            raise Invalid([Fault("template_id", "reference", "names no template of this WhatsApp account")])
        return row
    missing = [name for name in ("template_name", "template_language") if not data.get(name)]
    if missing:
        message = "is required: give template_id, or template_name with template_language"
        raise Invalid([Fault(name, "required", message) for name in missing])
    where = (organization_id, inbox_channel_id, data["template_name"], data["template_language"])
    row = await connection.fetchrow(BY_NAME, *where)
    if row is None:
        message = "names no template of this WhatsApp account in this language"
        raise Invalid([Fault("template_name", "reference", message)])
    return row


def _values(given: object, names: list[str]) -> dict[str, str]:
    """Each variable with its value. A list gives them in order, an object by name."""
    if isinstance(given, list):
        if len(given) != len(names):
            message = f"must hold {len(names)} values ({', '.join(names) or 'none'}), not {len(given)}"
            raise Invalid([Fault("template_values", "minItems", message)])
        given = dict(zip(names, given, strict=True))
    values = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    faults = [Fault(f"template_values.{name}", "required", "is required") for name in names if name not in values]
    faults += [Fault(f"template_values.{name}", "required", "must not be empty")
               for name in names if name in values and not values[name].strip()]  # fmt: skip
    faults += [
        Fault(f"template_values.{name}", "additionalProperties", "is no variable of the template")
        for name in values if name not in names
    ]  # fmt: skip
    if faults:
        raise Invalid(faults)
    return values


def _button_addresses(buttons: str | None) -> list[str]:
    """The addresses of URL buttons may hold a variable too."""
    return [str(button.get("url") or "") for button in json.loads(buttons or "[]")]
