"""Joined members of a record: read-only JSON of the rows that it refers to, or that refer to it.

Tables are looked up by path when a statement is composed, so that no declaration imports another one. A join shows a
deleted row too: history keeps its names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    ScalarSelect,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import NamedFromClause

from .fields import KINDS
from .resource import DECLARED
from .schema import metadata

Join = Callable[[FromClause], ScalarSelect[object]]
Shown = Callable[[NamedFromClause], ColumnElement[Any]]  # a computed member, by its table


def full_name(table: NamedFromClause) -> ColumnElement[Any]:
    """First and last name in one text, as activities show people."""
    return func.concat_ws(literal_column("' '"), table.c.first_name, table.c.last_name)


def joined(path: str, column: str, *names: str, computed: Mapping[str, Shown] | None = None) -> Join:
    """The row of `path` whose id stands in `column`, with the members `names`; null where there is none.

    Paths are those of resources, and `users`.
    """

    def join(source: FromClause) -> ScalarSelect[object]:
        table = _table(path)
        condition = table.c.id == source.c[column]
        if "organization_id" in table.c and "organization_id" in source.c:
            condition &= table.c.organization_id == source.c.organization_id
        return select(_object(table, names, computed)).where(condition).correlate(source).scalar_subquery()

    return join


def member(path: str, column: str, name: str) -> Join:
    """One member of the row of `path` whose id stands in `column`: a field, or a joined member of its own."""

    def join(source: FromClause) -> ScalarSelect[object]:
        table = _table(path)
        own = (table.c.organization_id == source.c.organization_id) & (table.c.id == source.c[column])
        shown = table.c[name] if name in table.c else DECLARED[path].joins[name](table)  # type: ignore[arg-type]
        return select(shown).where(own).correlate(source).scalar_subquery()

    return join


def listed(path: str, column: str, *names: str, order: str = "id", computed: Mapping[str, Shown] | None = None) -> Join:
    """The live rows of `path` whose `column` holds this row's id, as an array in the order of `order`."""

    def join(source: FromClause) -> ScalarSelect[object]:
        table = _table(path)
        rows = aggregate_order_by(_object(table, names, computed), table.c[order], table.c.id)
        query = select(func.coalesce(func.json_agg(rows), text("'[]'::json"))).where(
            table.c.organization_id == source.c.organization_id, table.c[column] == source.c.id
        )
        if "deleted_at" in table.c:
            query = query.where(table.c.deleted_at.is_(None))
        return query.correlate(source).scalar_subquery()

    return join


def _table(path: str) -> NamedFromClause:
    return metadata.tables[path.replace("-", "_")].alias()


def _object(table: NamedFromClause, names: tuple[str, ...], computed: Mapping[str, Shown] | None) -> ColumnElement[Any]:
    return func.json_build_object(*_pairs(table, names, computed or {}))


def _pairs(
    table: NamedFromClause, names: tuple[str, ...], computed: Mapping[str, Shown]
) -> Iterator[ColumnElement[Any]]:
    for name in names:
        yield literal_column(f"'{name}'")
        column = table.c[name]
        yield KINDS["moment"].show(column) if isinstance(column.type, DateTime) else column
    for name, shown in computed.items():
        yield literal_column(f"'{name}'")
        yield shown(table)
