"""The SQL of a resource's verbs: composed with SQLAlchemy Core, compiled once per shape, run by asyncpg.

PostgreSQL makes the JSON of a row or a page, so that no row becomes a Python object on its way to the wire. A compiled
statement is its text and the names of its parameters in order; the door brings the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ClauseElement,
    ColumnElement,
    Delete,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    Update,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import FromClause, Subquery

from .custom_values import COLUMN
from .event_log import events
from .query import Shape
from .resource import Resource, Through, Verb
from .schema import metadata
from .search import CANDIDATES, COUNTED, contains_words, found_rows

Sort = tuple[tuple[str, int], ...]
Names = tuple[str, ...] | None
Happening = Literal["created", "updated", "deleted"]
Change = Insert | Update | Delete
Scoped = str  # "" organization-wide, "verified" or "claimed" for the two forms of scope `own`

DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `$n` parameters, the names that stand behind them, and the constants among them."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, object]

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        constants = self.constants
        return [constants[name] if name in constants else values[name] for name in self.names]


def compile_statement(clause: ClauseElement) -> Statement:
    compiled = clause.compile(dialect=DIALECT)
    assert isinstance(compiled, SQLCompiler)
    names = tuple(compiled.positiontup or ())
    constants = {name: compiled.params[name] for name in names if not compiled.binds[name].required}
    return Statement(str(compiled), names, constants)


def _parameter(name: str, type_: object) -> ColumnElement[object]:
    return bindparam(name, type_=type_, required=True)  # type: ignore[arg-type]


OPERATORS: Mapping[str, Callable[[ColumnElement[object], ColumnElement[object]], ColumnElement[bool]]] = {
    "$eq": lambda column, value: column == value,
    "$ne": lambda column, value: column != value,
    "$lt": lambda column, value: column < value,
    "$lte": lambda column, value: column <= value,
    "$gt": lambda column, value: column > value,
    "$gte": lambda column, value: column >= value,
}


class _Where:
    """Walks a shape in the order in which the reader collected the values: parameters are `p0`, `p1`, …"""

    def __init__(self, resource: Resource, table: Table) -> None:
        self.resource, self.table, self.count = resource, table, 0

    def all_of(self, shapes: Shape) -> ColumnElement[bool]:
        parts = [self.one(shape) for shape in shapes]  # type: ignore[arg-type]
        return and_(*parts) if parts else true()

    def one(self, shape: tuple[object, ...]) -> ColumnElement[bool]:
        head, rest = str(shape[0]), shape[1:]
        if head in ("$or", "$and"):
            branches = [self.all_of(branch) for branch in rest[0]]  # type: ignore[attr-defined]
            if not branches:
                return true()
            return or_(*branches) if head == "$or" else and_(*branches)
        if head == "$filter":
            name = str(rest[0])
            spec = self.resource.filters[name]
            return spec.condition(self.table, self._next(_column_type(spec.kind)))
        if head == "$custom":
            return self._custom(str(rest[0]))
        column = self.table.c[head]
        operator = str(rest[0])
        if operator == "$null":
            return column.is_(None)
        if operator == "$notnull":
            return column.is_not(None)
        if operator == "$among":
            # Thousands of values: the planner weighs each value of an ANY, and reads an unnested array as a table.
            return column.in_(select(func.unnest(cast(self._next(ARRAY(column.type)), ARRAY(column.type)))))
        if operator in ("$in", "$nin"):
            return self._list(column, operator, bool(rest[1]))
        return OPERATORS[operator](column, self._next(column.type))

    def _list(self, column: ColumnElement[object], operator: str, has_null: bool) -> ColumnElement[bool]:
        values = cast(self._next(ARRAY(column.type)), ARRAY(column.type))
        if operator == "$in":
            found = column == any_(values)
            return or_(found, column.is_(None)) if has_null else found
        # As in SQL and in the peer, NULL is never "not in" a list.
        outside = column != all_(values)
        return and_(outside, column.is_not(None)) if has_null else outside

    def _custom(self, operator: str) -> ColumnElement[bool]:
        """Rows with a custom value (as JSON, or as the ids of those that have it), or without (a definition's id)."""
        if operator == "$null":
            has: ColumnElement[bool] = self.table.c[COLUMN].op("?", is_comparison=True)(self._next(Text()))
            return not_(has)
        if operator == "$ids":
            return self.table.c.id == any_(cast(self._next(ARRAY(BigInteger)), ARRAY(BigInteger)))
        return self.table.c[COLUMN].contains(cast(self._next(Text()), JSONB))

    def _next(self, type_: object) -> ColumnElement[object]:
        self.count += 1
        return _parameter(f"p{self.count - 1}", type_)


def _column_type(kind: str) -> object:
    from_kind = {"text": Text(), "integer": BigInteger(), "boolean": None}
    return from_kind.get(kind)


def _base(
    resource: Resource, table: Table, scoped: Scoped, show_deleted: bool = False, writes: bool = False
) -> ColumnElement[bool]:
    """Tenant, fixed part, live rows, and the rows that the scope leaves."""
    parts: list[ColumnElement[bool]] = []
    if resource.is_tenant:
        own = table.c.organization_id == _parameter("org", Integer)
        parts.append(or_(own, table.c.organization_id.is_(None)) if resource.is_shared and not writes else own)
    else:
        theirs = cast(_parameter("memberships", ARRAY(Integer)), ARRAY(Integer))
        parts.append(table.c.id == (_parameter("org", Integer) if writes else any_(theirs)))
    parts += [table.c[name] == literal_column(f"'{value}'") for name, value in resource.fixed.items()]
    if resource.is_soft_deleted and not show_deleted:
        parts.append(table.c.deleted_at.is_(None))
    if scoped:
        parts.append(scope_condition(resource, table, scoped))
    return and_(*parts)


def scope_condition(resource: Resource, table: Table, scoped: Scoped) -> ColumnElement[bool]:
    """What scope `own` leaves of a resource (design: tool scope); nothing, where nothing was declared."""
    own = resource.own
    if own is None:
        return false()
    having = and_(
        true(),
        *(table.c[name] == value for name, value in own.where.items()),
        *(table.c[name] != value for name, value in own.unless.items()),
    )
    if own.is_public:
        return having
    made_here = table.c[own.conversation or "created_in_conversation_id"] == _parameter("conversation", BigInteger)
    mine = [made_here]
    if own.column and scoped == "verified":
        mine.append(_hangs_on_contact(table.c[own.column], own.through))
    return and_(or_(*mine), having)


def _hangs_on_contact(column: ColumnElement[object], through: Through | None) -> ColumnElement[bool]:
    contact = _parameter("contact", BigInteger)
    if through is None:
        return column == contact
    between = metadata.tables[through.path.replace("-", "_")].alias()
    return column.in_(
        select(between.c[through.names]).where(
            between.c.organization_id == _parameter("org", Integer),
            between.c[through.contact] == contact,
            between.c.deleted_at.is_(None),
        )
    )


def _columns(
    resource: Resource, source: FromClause, names: Names, without: frozenset[str] = frozenset()
) -> list[ColumnElement[object]]:
    columns: list[ColumnElement[object]] = []
    for f in resource.all_fields:
        if not f.is_readable or (names is not None and f.name not in names):
            continue
        shown = f.show or f.shape.show
        columns.append(shown(source.c[f.name]).label(f.name))
    for name, join in resource.joins.items():
        if (names is None and name not in without) or (names is not None and name in names):
            columns.append(join(source).label(name))  # type: ignore[arg-type]
    return columns


def _row_json(name: str) -> ColumnElement[str]:
    return cast(func.row_to_json(text(name)), Text)


def _search_by_row(resource: Resource, table: Table) -> ColumnElement[bool]:
    if not resource.is_tenant:
        return func.strpos(table.c.search_text, func.frontdesk_fold(_parameter("term", Text()))) > 0
    return contains_words(table)


def _is_indexed(resource: Resource, scoped: Scoped) -> bool:
    """Whether a search goes by its index. What hangs on one contact is read row by row: it is little, and exact."""
    return resource.is_tenant and (not scoped or (resource.own is not None and resource.own.is_public))


@lru_cache(maxsize=4096)
def find_statement(
    resource: Resource, where: Shape, sort: Sort, names: Names, is_search: bool, scoped: Scoped, show_deleted: bool,
    flags: tuple[str, ...] = (), counts_to: int | None = None, is_among: bool = False,
) -> Statement:  # fmt: skip
    """Total and page in one statement: `(total, rows as JSON text without the brackets, more may have been found)`.

    A total that is limited (`counts_to`) goes one row over its limit, and no further; that of a filter begins to count
    where the page does, so that who pages through all of it never comes to an end too early.
    """
    table = resource.table
    source: FromClause = table
    order: list[ColumnElement[object]] = []
    is_cut: ColumnElement[bool] = false()
    condition = and_(_base(resource, table, scoped, show_deleted), _Where(resource, table).all_of(where))
    if is_search and _is_indexed(resource, scoped):
        # With further conditions, more has to be found than is shown.
        most = CANDIDATES if where or scoped or resource.fixed else COUNTED + 1
        found = found_rows(table, most=most, with_deleted=show_deleted)
        source = table.join(found, found.c.id == table.c.id)
        is_cut = select(func.count()).select_from(found).scalar_subquery() >= most
        order = [found.c.place.asc()] if resource.fuzzy and not sort else []
    elif is_search:
        condition = and_(condition, _search_by_row(resource, table))
    if is_among:
        # Read once for both the total and the page.
        source = found = select(table).where(condition).cte("found")
        ordered = select(found).order_by(*_order(found, sort or resource.default_sort))
        condition = true()
    else:
        order = order or _order(table, sort or resource.default_sort)
        ordered = select(table).select_from(source).where(condition).order_by(*order)
    without = resource.flagged - {name for flag in flags for name in resource.flags[flag]}
    page = _page(resource, ordered, names, without)
    rows = (
        select(func.coalesce(func.string_agg(_row_json("r"), literal_column("','")), literal_column("''")))
        .select_from(page)
        .scalar_subquery()
    )
    counted: FromClause = source
    if counts_to is not None:
        # In the order of the page, so that what was read for the page is not searched for anew somewhere else.
        seen = select(table.c.id).select_from(source).where(condition).order_by(*([] if is_search else order))
        limit: ColumnElement[int] = literal_column(str(counts_to + 1))
        seen = seen.limit(limit if is_search else limit + _parameter("skip", Integer))
        counted, condition = seen.subquery("s"), true()
    total = select(func.count()).select_from(counted).where(condition).scalar_subquery()
    return compile_statement(select(total.label("total"), rows.label("rows"), is_cut.label("is_cut")))


def _order(table: FromClause, sort: Sort) -> list[ColumnElement[object]]:
    order: list[ColumnElement[object]] = [
        table.c[name].asc() if direction > 0 else table.c[name].desc() for name, direction in sort
    ]
    if "id" not in dict(sort):
        order.append(table.c.id.asc())  # pages must not overlap where the sorted values are equal
    return order


def _page(resource: Resource, ordered: Select[Any], names: Names, without: frozenset[str]) -> Subquery:
    """The columns of one page, joined members for its rows only: not for those that `$skip` passes over."""
    chosen = ordered.limit(_parameter("limit", Integer)).offset(_parameter("skip", Integer))
    shown = select(*_columns(resource, chosen.subquery("p"), names, without))
    return shown.subquery("r")


@lru_cache(maxsize=256)
def ids_statement(resource: Resource, where: Shape) -> Statement:
    """The ids of all rows that a query finds, for an `INSERT … SELECT` around it."""
    table = resource.table
    return compile_statement(
        select(table.c.id).where(_base(resource, table, ""), _Where(resource, table).all_of(where))
    )


@lru_cache(maxsize=1024)
def get_statement(
    resource: Resource, where: Shape, names: Names, scoped: Scoped, lock: Verb | None = None
) -> Statement:
    """One row: `(JSON text, version)`. `lock` is the write that is about to follow.

    Who changes a row does not keep others from referring to it; who deletes it does (`reference_statement`).
    """
    table = resource.table
    condition = and_(
        table.c.id == _parameter("id", BigInteger),
        _base(resource, table, scoped),
        _Where(resource, table).all_of(where),
    )
    statement = _shown(resource, table, names).where(condition)
    locked = statement.with_for_update(of=table, key_share=lock != "remove") if lock else statement
    return compile_statement(locked)


def _shown(resource: Resource, source: FromClause, names: Names) -> Select[tuple[str, int]]:
    shown = select(*_columns(resource, source, names)).correlate(source).lateral("j")
    return select(_row_json("j"), source.c.version, source.c.id).select_from(source.join(shown, true()))


def _written(
    resource: Resource, change: Change, happening: Happening, names: Names, is_whole: bool = False
) -> Select[tuple[str, int]]:
    """A change with the event that tells of it, in one statement; shows the row as it is now.

    `is_whole`: nothing else is written for it, so the joins of this statement show all there is.
    """
    written = change.returning(resource.table).cte("w")
    if resource.joins and happening != "deleted" and not is_whole:
        # A join sees what the statement itself wrote only in a statement after it: the door reads again.
        names = ("id",)
    if not resource.leaves_events:
        return _shown(resource, written, names)
    event = _event_of(resource, written, happening).returning(events.c.data, events.c.row_id).cte("e")
    if names is not None or resource.joins:
        return _shown(resource, written, names).add_cte(event)
    told = written.join(event, event.c.row_id == written.c.id)
    return select(cast(event.c.data, Text), written.c.version, written.c.id).select_from(told)


def _event_of(resource: Resource, source: FromClause, *happenings: str) -> Insert:
    """For each row of `source` its events, in order, with the row as it stands, without most joined members."""
    own = _columns(resource, source, None, frozenset(resource.joins) - set(resource.told_with))
    shown = select(*own).correlate(source).lateral("d")
    named: FromClause = source.join(shown, true())
    name: ColumnElement[str] = literal_column(f"'{resource.path}.{happenings[0]}'")
    if len(happenings) > 1:
        names = ", ".join(f"'{resource.path}.{happening}'" for happening in happenings)
        several = select(literal_column("name", Text)).select_from(text(f"unnest(ARRAY[{names}]) AS name")).lateral("n")
        named, name = named.join(several, true()), several.c.name
    rows = select(
        source.c.organization_id,
        name,
        literal_column(f"'{resource.path}'"),
        source.c.id,
        func.row_to_json(text("d")),
        source.c.updated_at,
    ).select_from(named)
    return insert(events).from_select(["organization_id", "name", "resource", "row_id", "data", "created_at"], rows)


@lru_cache(maxsize=1024)
def rows_statement(resource: Resource, happenings: tuple[str, ...]) -> Statement:
    """Tell of the rows `ids`, which a statement of somebody else's wrote, as far as they are the resource's."""
    table = resource.table
    own = _base(resource, table, "", show_deleted=True, writes=True)
    found = select(table).where(own, table.c.id == any_(_ids())).order_by(table.c.id)
    return compile_statement(_event_of(resource, found.cte("w"), *happenings))


def _ids() -> ColumnElement[object]:
    return cast(_parameter("ids", ARRAY(BigInteger)), ARRAY(BigInteger))


def _given(table: Table, name: str, *, is_new: bool = True) -> ColumnElement[object]:
    """What a write puts into a column: the given value; of custom values, those named, beside those stored."""
    value = _parameter(f"v_{name}", table.c[name].type)
    if name != COLUMN:
        return value
    # Merged by the database, so that two writers of different fields lose nothing; null takes a value away.
    return func.jsonb_strip_nulls(value if is_new else table.c[COLUMN].op("||")(value))


@lru_cache(maxsize=1024)
def create_statement(resource: Resource, columns: tuple[str, ...], is_whole: bool = False) -> Statement:
    """Insert and show in one statement: `(JSON text, version, id)`."""
    table = resource.table
    values = {name: _given(table, name) for name in columns}
    return compile_statement(_written(resource, insert(table).values(values), "created", None, is_whole))


@lru_cache(maxsize=1024)
def patch_statement(
    resource: Resource, columns: tuple[str, ...], where: Shape, names: Names, scoped: Scoped, checks_version: bool
) -> Statement:
    """Update and show; no row where the version, the scope or the query does not fit."""
    table = resource.table
    condition = [
        table.c.id == _parameter("id", BigInteger),
        _base(resource, table, scoped, writes=True),
        _Where(resource, table).all_of(where),
    ]
    if checks_version:
        condition.append(table.c.version == _parameter("expected", Integer))
    values = {name: _given(table, name, is_new=False) for name in columns}
    change = update(table).where(and_(*condition)).values(**values, version=table.c.version + literal_column("1"))
    happening: Happening = "deleted" if "deleted_at" in columns else "updated"
    return compile_statement(_written(resource, change, happening, names))


@lru_cache(maxsize=256)
def remove_statement(resource: Resource, where: Shape, scoped: Scoped) -> Statement:
    """The end of a row that has no `deleted_at`."""
    table = resource.table
    condition = and_(
        table.c.id == _parameter("id", BigInteger),
        _base(resource, table, scoped, writes=True),
        _Where(resource, table).all_of(where),
    )
    return compile_statement(_written(resource, delete(table).where(condition), "deleted", None))


@lru_cache(maxsize=256)
def reference_statement(target: Resource, scoped: Scoped) -> Statement:
    """Which of `ids` exist for the caller: live rows of its organization, within its scope.

    The lock keeps them alive until the transaction's end: who deletes one waits, and then sees the row that refers to
    it, so that nothing comes to stand on what is gone.
    """
    table = target.table
    found = select(table.c.id).where(table.c.id == any_(_ids()), _base(target, table, scoped))
    return compile_statement(found.with_for_update(read=True, key_share=True, of=table))


@lru_cache(maxsize=256)
def held_statement(other: Resource, name: str) -> Statement:
    """Whether a live row of `other` refers to the row `id` by its field `name`."""
    table = other.table
    holders = select(table.c.id).where(table.c[name] == _parameter("id", BigInteger), _base(other, table, ""))
    return compile_statement(select(holders.exists()))


@lru_cache(maxsize=256)
def release_statement(other: Resource, name: str, removes: bool) -> Statement:
    """Empty the field `name` of all rows that refer to the row `id` by it, or delete those rows."""
    table = other.table
    now = _parameter("now", table.c.updated_at.type)
    condition = and_(table.c[name] == _parameter("id", BigInteger), _base(other, table, "", writes=True))
    if removes and not other.is_soft_deleted:
        return compile_statement(_told(other, delete(table).where(condition), "deleted"))
    values = {"deleted_at" if removes else name: now if removes else null()}
    step = table.c.version + literal_column("1")
    change = update(table).where(condition).values(**values, updated_at=now, version=step)
    return compile_statement(_told(other, change, "deleted" if removes else "updated"))


def _told(resource: Resource, change: Change, happening: Happening) -> ClauseElement:
    """A change of many rows, each with its event."""
    if not resource.leaves_events:
        return change
    return _event_of(resource, change.returning(resource.table).cte("w"), happening)
