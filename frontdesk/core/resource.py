"""The declaration of a resource, and the registry of all of them.

One declaration has many faces: the table, the REST service with its query language, OpenAPI, the tools and the
contract tests are all read off it. Nothing here runs a statement: `statements.py` writes the SQL, `door.py` runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    ScalarSelect,
    Table,
    UniqueConstraint,
    text,
)

from . import custom_values
from .caller import Caller, Role
from .errors import Json
from .fields import Check, Field, Plain
from .schema import id_column, metadata, moment_column, organization_column
from .search import searched_columns

if TYPE_CHECKING:
    from .database import Connection
    from .door import Answer, Call, Door

Verb = Literal["find", "get", "create", "patch", "remove"]
VERBS: tuple[Verb, ...] = ("find", "get", "create", "patch", "remove")
Hook = Callable[["Call"], Awaitable[None]]
Afterwards = Callable[["Call"], Awaitable["Answer"]]
Handler = Callable[["Call"], Awaitable[Json]]
Derive = Callable[["Door", Mapping[str, Json]], Mapping[str, Json]]
Stale = Callable[["Call", int], Awaitable[dict[str, Json]]]
# A query's mapping on its way to the reader: what a parameter stands for is looked up (a saved view, for one).
# The connection is the open transaction that the call is made in, if it is made in one.
Rewrite = Callable[["Door", Caller, Mapping[str, object], "Connection | None"], Awaitable[Mapping[str, object]]]


# Every declaration by its path, for code below the registry that tells of rows which it wrote itself.
DECLARED: dict[str, Resource] = {}


@dataclass(frozen=True, slots=True)
class Rights:
    """The least role that may use each group of verbs."""

    read: Role = Role.member
    write: Role = Role.member
    remove: Role | None = None
    patch: Role | None = None  # where less than `write` may change a part, which a hook looks at

    def needed(self, verb: Verb) -> Role:
        if verb in ("find", "get"):
            return self.read
        of_verb = {"remove": self.remove, "patch": self.patch}.get(verb)
        return self.write if of_verb is None else of_verb


@dataclass(frozen=True, slots=True)
class Through:
    """The rows between a row and the contact: those of `path` whose column `contact` holds the contact's id.

    `names` is their column that names our row: a company hangs on the contact whose `company_id` it is.
    """

    path: str
    names: str
    contact: str


@dataclass(frozen=True, slots=True)
class Own:
    """How a row hangs on the conversation's contact (scope `own`), or that it is a public catalogue.

    `column` names the contact, or, with `through`, the row that leads to the contact; `conversation` is the column
    that names the row's conversation, where it has one; else it is the one in which the row was made. `where` are
    values that a row must have besides, in a catalogue too, and `unless` those that it must not have; `fixed` are
    values that a row written under `own` always gets; `closed` are fields that only the organization sets, because
    they decide what else hangs on the row; `hidden` are fields and joins that are for the staff's eyes.
    """

    column: str | None = None
    through: Through | None = None
    conversation: str | None = None
    is_public: bool = False
    where: Mapping[str, Plain] = field(default_factory=dict)
    unless: Mapping[str, Plain] = field(default_factory=dict)
    fixed: Mapping[str, Plain] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def keeps_conversation(self) -> bool:
        """Whether a row remembers in which conversation it was made."""
        return not self.is_public and self.conversation is None


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that is not a field: the kind of its value and the condition it stands for.

    Without a value (an empty text, null, a boolean that is false) it is no condition. `check` raises `Wrong`. A list
    that is asked with it counts `counts_to` rows at most, where that is less than all (`total_is_minimum`).
    """

    kind: str
    condition: Callable[[Table, ColumnElement[object]], ColumnElement[bool]]
    description: str = ""
    check: Check | None = None
    counts_to: int | None = None


@dataclass(frozen=True, eq=False)
class Resource:
    """One noun: its fields, who may do what with it, and what happens around a write.

    `fixed` narrows the resource to a part of a table that another one declares (`of`). A row of a shared resource
    without an organization belongs to the installation: everybody reads it, nobody writes it. `joins` are read-only
    members computed in SQL; those named by one of `flags` stand in a list only where the query sets that flag to
    true (`?fastJoinForContactList=true`) or selects them. `prepare` runs before a write, in its transaction, and may
    change `call.data`; `finish` runs after it. `handlers` replace a verb whole. Each write leaves an event unless
    `is_told` is false; `tells` are further events (`handed_off`) and those that the spine leaves, each with a
    sentence, and `private_to` gives the one user who may see a row, None where all may; `is_personal` keeps everybody
    out who is no person with a login: API keys, tools, jobs. `stale` adds to the 409 of an
    old If-Match what changed since that version. `rewrite` may replace parameters of a query before it is read.
    `light` says of a new row whether its hooks will read and write nothing, so that one statement does it all.
    `look` runs before a write's transaction and may wait for another system. `derive` gives the members `derived` of
    one row (as JSON), which no statement can compute. A search finds the fields `fuzzy` misspelt too, best first.
    `afterwards` gives a write's answer once it has been committed,
    with no transaction open, so that it may wait. An action on one row of another resource (`under`) is reached at
    `/<under>/<id>/<rest of its path>`: POST is its create, GET its get, and `call.id` that row's id, which the action
    looks up by itself.
    """

    path: str
    singular: str
    area: str
    fields: tuple[Field, ...] = ()
    verbs: tuple[Verb, ...] = VERBS
    rights: Rights = Rights()
    own: Own | None = None
    of: str | None = None
    under: str | None = None
    fixed: Mapping[str, object] = field(default_factory=dict)
    is_tenant: bool = True
    is_shared: bool = False
    is_soft_deleted: bool = True
    is_told: bool = True
    is_stored: bool = True  # an action without a table: `extra_input` goes in, `fields` come out, a handler does it
    tells: Mapping[str, str] = field(default_factory=dict)
    told_with: tuple[str, ...] = ()  # the joins that stand in an event too
    private_to: Callable[[Mapping[str, Json]], int | None] | None = None
    is_personal: bool = False
    has_author: bool = True
    has_custom_fields: bool = False
    fuzzy: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Index, ...] = ()
    joins: Mapping[str, Callable[[Table], ScalarSelect[object] | ColumnElement[object]]] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    needs: tuple[str, ...] = ()  # parameters that a list must be asked with
    default_sort: tuple[tuple[str, int], ...] = (("id", 1),)
    prepare: Hook | None = None
    finish: Hook | None = None
    stale: Stale | None = None
    rewrite: Rewrite | None = None
    look: Hook | None = None
    light: Callable[[Call], bool] | None = None
    derived: tuple[Field, ...] = ()
    derive: Derive | None = None
    afterwards: Afterwards | None = None
    handlers: Mapping[Verb, Handler] = field(default_factory=dict)
    extra_input: tuple[Field, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.has_custom_fields:
            # Two joins that are inputs too; declared here, so that every reader of either finds them.
            shown = {name: custom_values.shown_by(name.rpartition("_")[2]) for name in custom_values.MEMBERS}
            object.__setattr__(self, "joins", {**self.joins, **shown})
            object.__setattr__(self, "extra_input", (*self.extra_input, *custom_values.MEMBERS.values()))
        if self.of is None and self.fields and self.is_stored:
            _ = self.table  # importing a declaration puts its table into the MetaData
        DECLARED[self.path] = self

    @property
    def url(self) -> str:
        """Where a collection or an action is reached; `{id}` stands for the row that an action is about."""
        if self.under is None:
            return f"/{self.path}"
        return f"/{self.under}/{{id}}/{self.path.removeprefix(self.under + '-')}"

    @property
    def leaves_events(self) -> bool:
        """Events belong to an organization, so what belongs to none has no events."""
        return self.is_told and self.is_tenant

    @cached_property
    def table_name(self) -> str:
        return (self.of or self.path).replace("-", "_")

    @cached_property
    def table(self) -> Table:
        """The SQLAlchemy table; a narrowed resource shares the one of `of`."""
        known = metadata.tables.get(self.table_name)
        return known if known is not None else _make_table(self)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.all_fields}

    @cached_property
    def all_fields(self) -> tuple[Field, ...]:
        """Server fields first, then the declared ones, then the stamps: the order of the JSON."""
        if not self.is_stored:
            return self.fields
        head = [Field("id", "integer", is_nullable=False, write="never")]
        if self.is_tenant:
            head.append(Field("organization_id", "small", is_nullable=self.is_shared, write="never"))
        tail = [
            Field("created_at", "moment", is_nullable=False, write="never"),
            Field("updated_at", "moment", is_nullable=False, write="never"),
        ]
        if self.is_soft_deleted:
            tail.append(Field("deleted_at", "moment", write="never"))
        tail.append(Field("version", "small", is_nullable=False, write="never"))
        if self.has_author:
            tail[:0] = [
                Field("created_by_user_id", "integer", write="never"),
                Field("created_by_ai_assistant_id", "integer", write="never"),
            ]
        if self.own and self.own.keeps_conversation:
            tail.append(Field("created_in_conversation_id", "integer", write="never"))
        if self.has_custom_fields:
            tail.append(custom_values.HIDDEN)
        return (*head, *self.fields, *tail)

    @cached_property
    def input_fields(self) -> dict[str, Field]:
        """What a body may name: stored fields and inputs that only hooks read."""
        joined = {name: Field(name, write="never") for name in (*self.joins, *(f.name for f in self.derived))}
        # A column that is neither shown nor written by clients is the server's own affair: to them it is no field.
        stored = {name: f for name, f in self.by_name.items() if f.is_shown or f.write != "never"}
        return joined | stored | {f.name: f for f in self.extra_input}

    @cached_property
    def searched(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields if f.is_searched)

    @cached_property
    def flagged(self) -> frozenset[str]:
        """The joins that a list leaves out unless it is asked for them."""
        return frozenset(name for names in self.flags.values() for name in names)

    @cached_property
    def references(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.references)


def _make_table(resource: Resource) -> Table:
    columns: list[Column[object]] = []
    constraints: list[CheckConstraint | ForeignKeyConstraint | Index | UniqueConstraint] = []
    for f in resource.all_fields:
        columns.append(_make_column(f, resource))
        if f.references and f.is_global_reference:
            constraints.append(Index(f"ix_{resource.table_name}_{f.name}", f.name))
        elif f.references and resource.is_tenant:
            target = f.references.replace("-", "_")
            # The tenant is part of the key, so a row can never point at another organization's row.
            constraints.append(
                ForeignKeyConstraint(
                    ["organization_id", f.name], [f"{target}.organization_id", f"{target}.id"], use_alter=True,
                    name=f"fk_{resource.table_name}_{f.name}",
                )
            )  # fmt: skip
            constraints.append(Index(f"ix_{resource.table_name}_{f.name}", "organization_id", f.name))
    if resource.is_tenant:
        constraints.append(UniqueConstraint("organization_id", "id"))
    for names in resource.unique:
        live = text("deleted_at IS NULL") if resource.is_soft_deleted else None
        tenant = ("organization_id",) if resource.is_tenant else ()
        label = "_".join(names)
        constraints.append(
            Index(f"uq_{resource.table_name}_{label}", *tenant, *names, unique=True, postgresql_where=live)
        )
    constraints.extend(
        Index(f"ix_{resource.table_name}_{'_'.join(names)}", "organization_id", *names) for names in resource.indexes
    )
    constraints.extend(CheckConstraint(rule, name=name) for name, rule in resource.checks.items())
    if resource.searched:
        for part in searched_columns(resource.table_name, resource.searched, resource.fuzzy):
            constraints.append(part) if isinstance(part, Index) else columns.append(part)
    if custom_values.HIDDEN in resource.all_fields:
        # Partial: the records without custom values, which are most, cost the index nothing.
        constraints.append(
            Index(
                f"ix_{resource.table_name}_custom_fields", custom_values.COLUMN, postgresql_using="gin",
                postgresql_ops={custom_values.COLUMN: "jsonb_path_ops"},
                postgresql_where=text("custom_fields <> '{}'::jsonb"),
            )
        )  # fmt: skip
    return Table(resource.table_name, metadata, *columns, *constraints, *resource.constraints)


def _make_column(f: Field, resource: Resource) -> Column[object]:
    if f.name == "id":
        return id_column()  # type: ignore[return-value]
    if f.name == "organization_id":
        return organization_column(nullable=resource.is_shared)  # type: ignore[return-value]
    if f.name in ("created_at", "updated_at", "deleted_at"):
        return moment_column(f.name, nullable=f.name == "deleted_at")  # type: ignore[return-value]
    if f is custom_values.HIDDEN:
        return Column(f.name, f.shape.column, nullable=False, server_default=text("'{}'::jsonb"))
    if f.name == "version":
        return Column("version", Integer, nullable=False, server_default=text("1"))
    if f.name == "created_by_user_id":
        return Column("created_by_user_id", BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    if f.references and f.is_global_reference:
        target = f.references.replace("-", "_")
        return Column(f.name, f.shape.column, ForeignKey(f"{target}.id"), nullable=f.is_nullable)
    return Column(f.name, f.shape.column, nullable=f.is_nullable)


class Registry:
    """All resources of the process, by path. The composition root fills it; edges and tests read it."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_path: dict[str, Resource] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._dependents: dict[str, tuple[tuple[Resource, Field], ...]] = {}
        for resource in resources:
            self.declare(resource)

    def declare(self, resource: Resource) -> Resource:
        if resource.path in self._by_path:
            raise ValueError(f"the resource {resource.path} is declared twice")
        self._by_path[resource.path] = resource
        self._dependents.clear()
        return resource

    def bind(self, path: str, verb: Verb, handler: Handler) -> None:
        """Answer `verb` of `path` with a function of a room above `resources` (the spine, for sending)."""
        if verb not in self._by_path[path].verbs:
            raise ValueError(f"{path} does not declare {verb}")
        self._handlers[(path, verb)] = handler

    def handler(self, resource: Resource, verb: Verb) -> Handler | None:
        return self._handlers.get((resource.path, verb)) or resource.handlers.get(verb)

    def get(self, path: str) -> Resource | None:
        return self._by_path.get(path)

    def dependents(self, resource: Resource) -> tuple[tuple[Resource, Field], ...]:
        """The fields that refer to rows of `resource` and do not just keep their reference when one is deleted."""
        known = self._dependents.get(resource.path)
        if known is None:
            known = self._dependents[resource.path] = tuple(
                (other, f)
                for other in self
                for f in other.references
                if f.references == resource.path and f.on_remove != "keep" and other.of is None
            )
        return known

    def __getitem__(self, path: str) -> Resource:
        return self._by_path[path]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())
