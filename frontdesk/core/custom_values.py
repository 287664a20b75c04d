"""Custom fields: values whose names and types an organization defines itself, on the records of several resources.

A resource with `has_custom_fields` stores them in one hidden JSONB column, keyed by the definition's id: a definition
may be renamed without a write to a record, a deleted one hides its values for good, and ids are unique in the whole
installation, so that an index on the column serves each organization by itself. Records show them twice, by display
name and by key, and both members are accepted in a body and in a query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, case, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from .errors import Fault, Invalid, Json
from .fields import Field, Plain, Wrong, check_texts
from .schema import metadata

if TYPE_CHECKING:
    from .database import Connection
    from .door import Call

ASKED = ("api_key", "jwt", "tool")  # who can be asked for a value that is required
BY_NAME, BY_KEY, COLUMN = "custom_fields_by_name", "custom_fields_by_key", "custom_fields"
ENTITIES = {
    "contacts": "contact", "companies": "company", "deals": "deal", "products": "product",
    "support-tickets": "ticket", "activities": "activity", "reservations": "reservation",
}  # fmt: skip
# Each type and the kind that checks it; the selects are text among their options.
TYPES = {
    "text": "text", "number": "number", "date": "date", "boolean": "boolean", "select": "text",
    "multi-select": "texts",
}  # fmt: skip
MEMBER: dict[str, Json] = {
    "additionalProperties": {"type": ["string", "number", "boolean", "array", "null"], "items": {"type": "string"}}
}
DEFINITIONS = """
    SELECT id, key, name, type, options, is_required FROM custom_fields
    WHERE organization_id = $1 AND entity = $2 AND deleted_at IS NULL
"""
# Rows with a value that are few are named by their ids. Of many, each row is looked at on the way: an index is no help.
FEW = 1000
ROWS = "SELECT array_agg(id) FROM with_custom_{}($1::jsonb) AS id"
STORED = "SELECT custom_fields::text FROM {} WHERE organization_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Definition:
    """One custom field as values are checked against it."""

    id: int
    key: str
    name: str
    type: str
    options: tuple[str, ...] = ()
    is_required: bool = False

    def check(self, value: object, stored: Plain = None) -> Plain:
        """The value of a JSON body, or null; raises `Wrong`. An option that was removed may stay where it stands."""
        if value is None:
            if self.is_required and stored is not None:
                raise Wrong("required", "is required and cannot be emptied", missingProperty=self.name)
            return None
        if self.type == "multi-select":
            chosen = check_texts(value)
            if len(set(chosen)) < len(chosen):
                raise Wrong("uniqueItems", "must not name an option twice")
            for one in chosen:
                self._among_options(one, stored if isinstance(stored, list) else [])
            return chosen
        plain = Field(self.name, TYPES[self.type]).accept(value)
        if self.type == "select":
            self._among_options(plain, [stored])
        return plain

    def _among_options(self, value: object, kept: Iterable[object]) -> None:
        if value not in self.options and value not in kept:
            listed = ", ".join(self.options)
            raise Wrong("enum", f"must be one of {listed}", allowedValues=list(self.options))


def _member(name: str, what: str) -> Field:
    description = f"Custom values by the {what} of their definition; in a write, those named change, null empties."
    return Field(name, "custom", is_nullable=False, schema=MEMBER, description=description)


MEMBERS: dict[str, Field] = {BY_NAME: _member(BY_NAME, "display name"), BY_KEY: _member(BY_KEY, "key")}
# Declared by itself where the records of `has_custom_fields` are a part of another resource's table.
HIDDEN = Field(COLUMN, "custom", write="never", is_shown=False)


# -- reading ------------------------------------------------------------------------------


def shown_by(column: str) -> Callable[[FromClause], ColumnElement[Any]]:
    """The values of a row's live definitions as an object by `name` or `key`, in the order of the definitions."""

    def join(source: FromClause) -> ColumnElement[Any]:
        defined = metadata.tables[COLUMN].alias()
        stored = func.jsonb_each(source.c[COLUMN]).table_valued("key", "value")
        ordered = aggregate_order_by(stored.c.value, defined.c.position, defined.c.id)
        values = (
            select(func.json_object_agg(defined.c[column], ordered))
            .select_from(stored)
            .join(defined, defined.c.id == cast(stored.c.key, defined.c.id.type))
            .where(defined.c.organization_id == source.c.organization_id, defined.c.deleted_at.is_(None))
            .correlate(source)
            .scalar_subquery()
        )
        # Most records of most organizations have none: these pay for a comparison only.
        nothing = text("'{}'::json")
        empty = source.c[COLUMN] == literal_column("'{}'::jsonb")
        return case((empty, nothing), else_=func.coalesce(values, nothing))

    return join


def find_named(definitions: Iterable[Definition], member: str, name: str) -> Definition | None:
    """The definition that `name` stands for in the member `custom_fields_by_name` or `…_by_key`."""
    return next((d for d in definitions if (d.name if member == BY_NAME else d.key) == name), None)


def mentions(tree: object) -> bool:
    """Whether a query names a custom value, at any depth."""
    if isinstance(tree, Mapping):
        return any(key in MEMBERS or mentions(value) for key, value in tree.items())
    return isinstance(tree, list) and any(map(mentions, tree))


def wanted(definition: Definition, value: Plain) -> str:
    """The JSON that a record with this value contains; of a multi-select, one option is asked for."""
    return write_json({definition.id: [str(value)] if definition.type == "multi-select" else value})


async def rows_with(connection: Connection, table: str, asked: Iterable[str]) -> dict[str, list[int] | None]:
    """The ids of the rows that contain each of `asked`; None where they are many."""
    found: dict[str, list[int] | None] = {}
    for one in dict.fromkeys(asked):
        ids: list[int] = await connection.fetchval(ROWS.format(table), one) or []
        found[one] = ids if len(ids) <= FEW else None
    return found


async def definitions_of(connection: Connection, organization_id: int, path: str) -> tuple[Definition, ...]:
    """The live definitions of a resource's custom fields, in one look-up."""
    rows = await connection.fetch(DEFINITIONS, organization_id, ENTITIES[path])
    return tuple(Definition(r[0], r[1], r[2], r[3], tuple(r[4] or ()), r[5]) for r in rows)


# -- writing ------------------------------------------------------------------------------


async def check_custom_values(call: Call) -> None:
    """Turn the two members of a body into the change of the hidden column; all faults at once.

    Required fields must be there when staff, an integration or an organization-wide assistant makes a record. What
    comes in by itself, a mail or a conversation, is not refused for them: a customer cannot know them.
    """
    given = {member: call.data.pop(member) for member in MEMBERS if member in call.data}
    requires = call.verb == "create" and call.caller.scope is None and call.caller.via in ASKED
    if not given and not requires:
        return
    definitions = await definitions_of(call.connection, call.organization_id, call.resource.path)
    stored = await _stored(call) if given and call.verb == "patch" else {}
    faults: list[Fault] = []
    changes = _changes(given, definitions, stored, faults)
    if requires:
        faults += _missing(definitions, changes)
    if faults:
        raise Invalid(faults)
    if changes:
        call.data[COLUMN] = write_json(changes)


async def _stored(call: Call) -> dict[str, Plain]:
    found = await call.connection.fetchval(STORED.format(call.resource.table_name), call.organization_id, call.id)
    return json.loads(found or "{}", parse_float=Decimal, parse_int=Decimal)  # type: ignore[no-any-return]


def _changes(
    given: Mapping[str, Any], definitions: tuple[Definition, ...], stored: Mapping[str, Plain], faults: list[Fault]
) -> dict[int, Plain]:
    """The values that a body changes, by the definition's id."""
    named: dict[int, tuple[str, Plain]] = {}
    for member, values in given.items():
        for name, value in values.items():
            path, definition = f"{member}.{name}", find_named(definitions, member, name)
            if definition is None:
                faults.append(Fault(path, "additionalProperties", "is not a custom field", additionalProperty=name))
                continue
            before = stored.get(str(definition.id))
            try:
                plain = definition.check(value, before)
            except Wrong as wrong:
                faults.append(wrong.at(path))
                continue
            # A record that was read carries both members; the one that was changed since is the one that is meant.
            if _as_stored(plain) == before:
                continue
            first, other = named.setdefault(definition.id, (path, plain))
            if other != plain:
                faults.append(Fault(path, "const", f"differs from {first}"))
    return {number: plain for number, (_, plain) in named.items()}


def _missing(definitions: tuple[Definition, ...], changes: Mapping[int, Plain]) -> Iterator[Fault]:
    for d in definitions:
        if d.is_required and changes.get(d.id) in (None, "", []):
            yield Fault(f"{BY_NAME}.{d.name}", "required", "is required", missingProperty=d.name)


def _as_stored(value: Plain) -> Plain:
    return value.isoformat() if isinstance(value, date) else value


def write_json(values: Mapping[int, Plain]) -> str:
    """The JSON text of values by definition. Numbers keep every digit, which no float would."""
    members = (f'"{number}":{_json(value)}' for number, value in values.items())
    return f"{{{','.join(members)}}}"


def _json(value: Plain) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(_as_stored(value), ensure_ascii=False)
