"""The one door: every read and write of REST, tools, jobs and our own code.

`call(caller, path, verb, id=…, data=…, query=…)` checks rights and scope, validates, runs hooks in the write's
transaction, and answers with the JSON that PostgreSQL made. Nothing else in the house writes a resource's table,
but the spine's own step records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import asyncpg
from pydantic_core import from_json, to_json

from .caller import Caller
from .clock import Clock, SystemClock
from .custom_values import check_custom_values
from .database import Connection, Database
from .egress import Guard
from .errors import (
    ApiError,
    BadRequest,
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    Json,
    MethodNotAllowed,
    NotFound,
    Unavailable,
    Unprocessable,
)
from .fields import Field, Plain, Wrong
from .files import Files
from .mail import Mail
from .query import Query
from .query_reading import read_query
from .resource import Registry, Resource, Verb
from .statements import (
    Scoped,
    create_statement,
    find_statement,
    get_statement,
    held_statement,
    patch_statement,
    reference_statement,
    release_statement,
    remove_statement,
)
from .vault import Vault

WRITES: tuple[Verb, ...] = ("create", "patch", "remove")


@dataclass(slots=True)
class Answer:
    """JSON text as PostgreSQL made it; `value` parses it; `version` is that of a single row."""

    text: str
    version: int | None = None
    id: int | None = None

    @property
    def value(self) -> dict[str, Json]:
        return from_json(self.text)  # type: ignore[no-any-return]


@dataclass(slots=True)
class Call:
    """One call on its way through the door; hooks and handlers read and change it.

    `data` holds checked Python values of the body's fields. `before` is the stored row (parsed JSON) that a patch
    or remove is about to change, locked. `extra` is merged into the answer's JSON.
    """

    door: Door
    caller: Caller
    resource: Resource
    verb: Verb
    connection: Connection
    id: int | None = None
    data: dict[str, Plain] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)
    query: Query = field(default_factory=Query)
    before: dict[str, Json] | None = None
    answer: Answer | None = None
    extra: dict[str, Json] = field(default_factory=dict)

    @property
    def organization_id(self) -> int:
        return self.caller.organization_id

    async def call(
        self, path: str, verb: Verb, *, id: int | None = None, data: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None, caller: Caller | None = None,
    ) -> Answer:  # fmt: skip
        """Another call by the same caller in the same transaction."""
        return await self.door.call(
            caller or self.caller, path, verb, id=id, data=data, query=query, tx=self.connection
        )


class Door:
    """Rights, tenancy, validation, hooks and statements for all resources of a registry."""

    def __init__(
        self, database: Database, registry: Registry, clock: Clock | None = None, vault: Vault | None = None,
        files: Files | None = None, mail: Mail | None = None, guard: Guard | None = None,
    ) -> None:  # fmt: skip
        self.guard = guard or Guard()  # what we may be made to call: without one, public addresses only
        self.database, self.registry, self._vault, self._files = database, registry, vault, files
        self.mail = mail or Mail("")
        self.clock: Clock = clock or SystemClock()

    @property
    def files(self) -> Files:
        """Where files lie. Raises `Unavailable` in a process that was started without such a place."""
        if self._files is None:
            raise Unavailable("Files cannot be stored: this process has no place for them.")
        return self._files

    @property
    def vault(self) -> Vault:
        """Where hooks seal secrets. Raises `Unavailable` in a process that was started without a secret key."""
        if self._vault is None:
            raise Unavailable("Secrets cannot be stored: this process has no secret key.")
        return self._vault

    async def call(
        self,
        caller: Caller,
        path: str,
        verb: Verb,
        *,
        id: int | str | None = None,
        data: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        tx: Connection | None = None,
        if_match: int | None = None,
    ) -> Answer:
        """Do `verb` on `path` for `caller`.

        `tx` joins an open transaction of the caller's organization. `if_match` is the version that a patch or
        remove expects. Raises the errors of `core/errors.py`; a row of another organization is `NotFound`.
        """
        resource = self.registry.get(path)
        if resource is None:
            raise NotFound(f"There is no resource '{path}'.")
        self._allow(caller, resource, verb)
        call = Call(self, caller, resource, verb, None, id=_read_id(id), body=data or {})  # type: ignore[arg-type]
        if resource.rewrite is not None:
            query = await resource.rewrite(self, caller, query or {})
        call.query = await read_query(call, query or {}, lambda: self._connected(call, tx, needs_transaction=False))
        if verb == "find" and (missing := [name for name in resource.needs if name not in (query or {})]):
            raise BadRequest(
                f"A list of '{resource.path}' needs {' and '.join(missing)}.",
                errors=dict.fromkeys(missing, "is required"),
            )
        if verb in ("create", "patch"):
            call.data = self._checked(call, data)
        if resource.look is not None and verb in WRITES:
            await resource.look(call)
        try:
            async with self._connected(call, tx, needs_transaction=verb in WRITES) as connection:
                call.connection = connection
                answer = await self._answer(call, if_match)
        except asyncpg.DeadlockDetectedError as error:
            # Each of two waited for a row of the other's; PostgreSQL let one go on.
            raise Conflict("Somebody else was changing the same records; try again.") from error
        if self.registry.handler(resource, verb) is not None:
            return answer
        if resource.afterwards is not None and tx is None and verb in WRITES:
            return await resource.afterwards(call)
        if resource.derive is not None:
            _add_derived(call, answer)
        return answer

    async def _answer(self, call: Call, if_match: int | None) -> Answer:
        handler = self.registry.handler(call.resource, call.verb)
        if handler is not None:
            return Answer(to_json(await handler(call)).decode())
        if call.verb == "find":
            return await self._find(call)
        if call.verb == "get":
            return await self._get(call)
        return await self._write(call, if_match)

    def _connected(
        self, call: Call, tx: Connection | None, *, needs_transaction: bool
    ) -> AbstractAsyncContextManager[Connection]:
        if tx is not None:
            return nullcontext(tx)
        if not call.resource.is_tenant and call.verb in ("find", "get"):
            return self.database.system()  # several organizations of one login; the statement names them
        if needs_transaction and not _is_plain(call):
            return self.database.transaction(call.caller.organization_id)
        return self.database.reading(call.caller.organization_id)

    def _allow(self, caller: Caller, resource: Resource, verb: Verb) -> None:
        if verb not in resource.verbs:
            raise MethodNotAllowed(f"Method `{verb}` is not supported by '{resource.path}'.")
        needed = resource.rights.needed(verb)
        if caller.role < needed:
            raise Forbidden(f"'{verb}' on '{resource.path}' needs the role {needed.name}; you are {caller.role.name}.")
        if caller.scope is not None and resource.own is None:
            raise Forbidden(f"'{resource.path}' is outside of what this conversation may reach.")
        if caller.scope is not None and verb in WRITES and resource.own and resource.own.is_public:
            raise Forbidden(f"'{resource.path}' cannot be changed from this conversation.")

    # -- reading ------------------------------------------------------------------------------

    async def _find(self, call: Call) -> Answer:
        query, scoped = call.query, _scoped(call.caller)
        show_deleted = any(shape[0] == "deleted_at" for shape in query.where)  # type: ignore[index]
        statement = find_statement(
            call.resource, query.where, query.sort, _selected(call), query.search is not None, scoped, show_deleted,
            query.flags, query.counts_to, query.is_among,
        )  # fmt: skip
        values = _values(call) | {"limit": query.limit, "skip": query.skip, "term": query.search}
        row = await call.connection.fetchrow(statement.sql, *statement.arguments(values))
        assert row is not None
        total, minimum = row[0], ""
        most = None if query.counts_to is None else query.counts_to + (0 if query.search else query.skip)
        if most is not None and (total > most or row[2]):
            total, minimum = min(total, most), '"total_is_minimum":true,'
        return Answer(f'{{"total":{total},{minimum}"limit":{query.limit},"skip":{query.skip},"data":[{row[1]}]}}')

    async def _get(self, call: Call, *, lock: bool = False) -> Answer:
        query = call.query
        # A row that is locked is for the hooks, which need all of it, whatever the caller wants to see.
        names = None if lock else _selected(call)
        statement = get_statement(call.resource, query.where, names, _scoped(call.caller), call.verb if lock else None)
        row = await call.connection.fetchrow(statement.sql, *statement.arguments(_values(call)))
        if row is None:
            raise _missing(call)
        return Answer(row[0], row[1], row[2])

    # -- writing ------------------------------------------------------------------------------

    async def _write(self, call: Call, if_match: int | None) -> Answer:
        if call.verb != "create" and not _is_plain(call):
            stored = await self._get(call, lock=True)
            call.before = stored.value
            await _match_version(call, if_match)
        await self._check_references(call)
        if call.resource.has_custom_fields:
            await check_custom_values(call)
        if call.resource.prepare is not None:
            await call.resource.prepare(call)
        if call.verb == "remove":
            await self._let_go(call)
        try:
            call.answer = await self._run_write(call, if_match)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise _constraint_error(call.resource, error) from error
        if call.resource.finish is not None:
            await call.resource.finish(call)
        if call.extra:
            call.answer.text = json.dumps({**call.answer.value, **call.extra}, ensure_ascii=False)
        return call.answer

    async def _run_write(self, call: Call, if_match: int | None) -> Answer:
        resource, now = call.resource, self.clock.now()
        stored = {name: value for name, value in call.data.items() if name in resource.table.c}
        if call.verb == "create":
            stored |= self._stamps(call) | {"created_at": now, "updated_at": now}
            statement = create_statement(resource, tuple(stored))
        elif call.verb == "remove" and not resource.is_soft_deleted:
            statement = remove_statement(resource, call.query.where, _scoped(call.caller))
        else:
            stored = {"deleted_at": now} if call.verb == "remove" else stored
            if not stored:
                unchanged = await self._get(call)
                if if_match is not None and unchanged.version != if_match:
                    raise _stale(unchanged.version, if_match)
                return unchanged
            stored["updated_at"] = now
            statement = patch_statement(
                resource, tuple(stored), call.query.where, _selected(call), _scoped(call.caller), if_match is not None
            )
        values = _values(call) | {f"v_{name}": _bindable(resource, name, value) for name, value in stored.items()}
        row = await call.connection.fetchrow(statement.sql, *statement.arguments(values | {"expected": if_match}))
        if row is None:
            raise await self._why_not(call, if_match)
        answer = Answer(row[0], row[1], row[2])
        if resource.joins and call.verb != "remove":
            # A join sees what the statement itself wrote only in a statement after it.
            shown = get_statement(resource, (), _selected(call), "")
            answer.text = await call.connection.fetchval(shown.sql, *shown.arguments(values | {"id": answer.id}))
        elif call.verb == "create" and (names := _selected(call)) is not None:
            answer.text = json.dumps({name: answer.value.get(name) for name in names}, ensure_ascii=False)
        return answer

    async def _why_not(self, call: Call, if_match: int | None) -> ApiError:
        """A write that met no row: stale version, or nothing there."""
        if if_match is None:
            return _missing(call)
        stored = await self._get(call)
        return _stale(stored.version, if_match)

    def _stamps(self, call: Call) -> dict[str, Plain]:
        caller, resource = call.caller, call.resource
        stamps: dict[str, Plain] = dict(resource.fixed)  # type: ignore[arg-type]
        if resource.is_tenant:
            stamps["organization_id"] = caller.organization_id
        if resource.has_author:
            stamps["created_by_user_id"] = caller.user_id
            stamps["created_by_ai_assistant_id"] = caller.ai_assistant_id
        if resource.own and resource.own.keeps_conversation:
            stamps["created_in_conversation_id"] = caller.conversation_id
        return stamps

    def _checked(self, call: Call, data: Mapping[str, object] | None) -> dict[str, Plain]:
        """The body's values, each checked by its field; all faults at once."""
        if not isinstance(data, Mapping):
            raise BadRequest("The body must be a JSON object.")
        resource, is_create = call.resource, call.verb == "create"
        faults: list[Fault] = []
        values: dict[str, Plain] = {}
        for name, value in data.items():
            f = resource.input_fields.get(name)
            if f is None:
                faults.append(Fault(name, "additionalProperties", "is not a field", additionalProperty=name))
            elif f.write == "always" or (is_create and f.write == "create"):
                try:
                    values[name] = f.accept(value)
                except Wrong as wrong:
                    faults.append(wrong.at(name))
        if call.caller.scope is not None:
            _bound(call, values, faults)
        if is_create:
            self._add_defaults(call, values, faults)
        if faults:
            raise Invalid(faults)
        return values

    def _add_defaults(self, call: Call, values: dict[str, Plain], faults: list[Fault]) -> None:
        wrong = {fault.path for fault in faults}
        for f in (*call.resource.fields, *call.resource.extra_input):
            if f.name in values or f.name in wrong:
                continue
            if f.is_required:
                faults.append(Fault(f.name, "required", "is required", missingProperty=f.name))
            elif f.default is not None:
                values[f.name] = f.default

    async def _check_references(self, call: Call) -> None:
        """Each id in the body names a live row that the caller can reach; else 400 with the field."""
        for f in call.resource.references:
            value = call.data.get(f.name)
            if value is None or (call.before is not None and call.before.get(f.name) == value):
                continue
            if not await self._exists(call, f, value):
                message = f"names no row of {f.references}"
                raise Invalid([Fault(f.name, "reference", message, id=value)])  # type: ignore[arg-type]

    async def _let_go(self, call: Call) -> None:
        """What other rows do when the one that they refer to is deleted, as their fields declare it."""
        for other, f in self.registry.dependents(call.resource):
            if f.on_remove == "refuse":
                statement = held_statement(other, f.name)
                if await call.connection.fetchval(statement.sql, *statement.arguments(_values(call))):
                    message = f"is used by {other.path}; move or delete those first"
                    raise Conflict(f"This {call.resource.singular} {message}.", errors={"id": message})
            else:
                statement = release_statement(other, f.name, f.on_remove == "remove")
                values = _values(call) | {"now": self.clock.now()}
                await call.connection.execute(statement.sql, *statement.arguments(values))

    async def _exists(self, call: Call, f: Field, value: Plain) -> bool:
        if f.references == "users":
            member = "SELECT 1 FROM members WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL"
            return await call.connection.fetchval(member, call.organization_id, value) is not None
        target = self.registry[str(f.references)]
        scoped = _scoped(call.caller)
        statement = reference_statement(target, "" if target.own and target.own.is_public else scoped)
        found = await call.connection.fetchrow(statement.sql, *statement.arguments(_values(call) | {"ids": [value]}))
        return found is not None


def _is_plain(call: Call) -> bool:
    """A write that one statement does alone: no hook looks at it, and its references are left as they are."""
    resource, registry = call.resource, call.door.registry
    has_hooks = resource.prepare is not None or resource.finish is not None
    if call.verb == "remove" and registry.dependents(resource):
        return False
    touches = any(call.data.get(f.name) is not None for f in resource.references)
    return not has_hooks and not touches and not registry.handler(resource, call.verb)


def _selected(call: Call) -> tuple[str, ...] | None:
    """The members that a statement shows: all, where one is asked for that is derived from others."""
    names = call.query.select
    return None if names is not None and any(f.name in names for f in call.resource.derived) else names


def _add_derived(call: Call, answer: Answer) -> None:
    resource, names, value = call.resource, call.query.select, answer.value
    assert resource.derive is not None
    wanted = {f.name for f in resource.derived if names is None or f.name in names}
    if not wanted:
        return
    rows = value["data"] if call.verb == "find" else [value]
    assert isinstance(rows, list)
    for row in rows:
        assert isinstance(row, dict)
        row |= {name: member for name, member in resource.derive(call.door, row).items() if name in wanted}
        for name in set(row) - set(names) if names is not None else ():
            del row[name]
    answer.text = to_json(value).decode()


def _read_id(value: int | str | None) -> int | None:
    """An id as it comes in a path. What cannot be an id is an id that nobody has."""
    if value is None or isinstance(value, int):
        return value if value is None or 0 < value < 2**63 else -1
    return int(value) if re.fullmatch(r"[1-9]\d{0,17}", value, re.ASCII) else -1


def _scoped(caller: Caller) -> Scoped:
    if caller.scope is None:
        return ""
    return "verified" if caller.scope.is_verified and caller.scope.contact_id is not None else "claimed"


def _values(call: Call) -> dict[str, object]:
    values: dict[str, object] = {"org": call.caller.organization_id, "id": call.id}
    if not call.resource.is_tenant:
        values["memberships"] = call.caller.memberships or [call.caller.organization_id]
    for i, value in enumerate(call.query.values):
        values[f"p{i}"] = value
    if call.caller.scope is not None:
        values["conversation"] = call.caller.scope.conversation_id
        values["contact"] = call.caller.scope.contact_id
    return values


def _bound(call: Call, values: dict[str, Plain], faults: list[Fault]) -> None:
    """Under scope `own` a new row belongs to the conversation's contact, and no row moves to another one.

    A contact that the body names itself is checked like every reference: it must be within the scope.
    """
    own, scope, is_create = call.resource.own, call.caller.scope, call.verb == "create"
    if own is None or scope is None:
        return
    faults += [Fault(name, "scope", "cannot be set in this conversation") for name in own.closed if name in values]
    values.update({name: value for name, value in own.fixed.items() if is_create or name in values})
    if own.column and own.column != "id" and own.through is None:
        given = values.pop(own.column, None)
        owner = scope.contact_id if given is None else given
        if is_create and owner is not None:
            values[own.column] = owner


def _bindable(resource: Resource, name: str, value: Plain) -> Plain:
    """JSON columns take text; everything else goes to asyncpg as it is."""
    f = resource.by_name.get(name)
    return to_json(value).decode() if f is not None and f.kind == "json" and value is not None else value


def _missing(call: Call) -> NotFound:
    return NotFound(f"No record found for id '{call.id if call.id != -1 else '?'}' in '{call.resource.path}'.")


async def _match_version(call: Call, if_match: int | None) -> None:
    if if_match is None or call.before is None or call.before["version"] == if_match:
        return
    conflict = _stale(call.before["version"], if_match)
    if call.resource.stale is not None and isinstance(conflict.data, dict):
        conflict.data |= await call.resource.stale(call, if_match)
    raise conflict


def _stale(stored: Json, expected: int) -> Conflict:
    return Conflict(
        f"The record was changed: its version is {stored}, not {expected}. Read it again and repeat the change.",
        data={"version": stored, "expected": expected},
    )


def _constraint_error(resource: Resource, error: asyncpg.IntegrityConstraintViolationError) -> ApiError:
    """The sentence of a broken constraint; its name tells the field (see `resource.py`)."""
    name = error.constraint_name or ""
    # The last column of a constraint is the one that tells rows apart: `uq_…_entity_name` is about the name.
    matches = [(name.rfind(f.name) + len(f.name), len(f.name), f.name) for f in resource.fields if f.name in name]
    path = max(matches, default=(0, 0, ""))[2]
    if isinstance(error, asyncpg.UniqueViolationError):
        return Conflict(
            f"Another row of '{resource.path}' has this {path or 'value'} already.", errors={path: "is taken"}
        )
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return Invalid([Fault(path, "reference", "names no row that exists")])
    return Unprocessable(
        f"The change would break the rule '{name}' of '{resource.path}'.", errors={path: "breaks a rule"}
    )
