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

import asyncpg
from pydantic_core import to_json

from .call import Answer as Answer
from .call import Call as Call
from .call import scoped_of, values_of
from .caller import Caller
from .clock import Clock, SystemClock
from .completions import Completions
from .conflicts import constraint_error, match_version, missing, stale
from .connection_trials import ConnectionTrials
from .custom_values import check_custom_values
from .database import Connection, Database
from .egress import Guard
from .errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Unavailable,
)
from .files import Files
from .inputs import bindable, checked_values, stamps_of
from .mail import Mail
from .query_reading import read_query
from .references import check_references, let_go
from .resource import Registry, Resource, Verb
from .statements import (
    create_statement,
    find_statement,
    get_statement,
    patch_statement,
    remove_statement,
)
from .vault import Vault

WRITES: tuple[Verb, ...] = ("create", "patch", "remove")


class Door:
    """Rights, tenancy, validation, hooks and statements for all resources of a registry."""

    def __init__(
        self, database: Database, registry: Registry, clock: Clock | None = None, vault: Vault | None = None,
        files: Files | None = None, mail: Mail | None = None, guard: Guard | None = None,
        search_engine: str | None = None,
    ) -> None:  # fmt: skip
        self.guard = guard or Guard()  # what we may be made to call: without one, public addresses only
        self.search_engine = search_engine  # the operator's, by which assistants search the web
        self.database, self.registry, self._vault, self._files = database, registry, vault, files
        self.mail = mail or Mail("")
        # Both are brought by the process that has models.
        self.completions: Completions | None = None
        self.trials: ConnectionTrials | None = None
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
        call = Call(
            self, caller, resource, verb, None, id=_read_id(id), body=data or {}, if_match=if_match,  # type: ignore[arg-type]
        )  # fmt: skip
        if resource.rewrite is not None:
            query = await resource.rewrite(self, caller, query or {}, tx)
        call.query = await read_query(call, query or {}, lambda: self._connected(call, tx, needs_transaction=False))
        if verb == "find" and (absent := [name for name in resource.needs if name not in (query or {})]):
            raise BadRequest(
                f"A list of '{resource.path}' needs {' and '.join(absent)}.",
                errors=dict.fromkeys(absent, "is required"),
            )
        if verb in ("create", "patch"):
            call.data = checked_values(call, data)
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
        if resource.is_personal and (caller.via != "jwt" or caller.user_id is None):
            raise Forbidden(f"'{resource.path}' needs a person: log in at POST /authentication instead of an API key.")
        needed = resource.rights.needed(verb)
        if caller.role < needed:
            raise Forbidden(f"'{verb}' on '{resource.path}' needs the role {needed.name}; you are {caller.role.name}.")
        if caller.scope is not None and resource.own is None:
            raise Forbidden(f"'{resource.path}' is outside of what this conversation may reach.")
        if caller.scope is not None and verb in WRITES and resource.own and resource.own.is_public:
            raise Forbidden(f"'{resource.path}' cannot be changed from this conversation.")

    # -- reading ------------------------------------------------------------------------------

    async def _find(self, call: Call) -> Answer:
        query, scoped = call.query, scoped_of(call.caller)
        show_deleted = any(shape[0] == "deleted_at" for shape in query.where)  # type: ignore[index]
        statement = find_statement(
            call.resource, query.where, query.sort, _selected(call), query.search is not None, scoped, show_deleted,
            query.flags, query.counts_to, query.is_among,
        )  # fmt: skip
        values = values_of(call) | {"limit": query.limit, "skip": query.skip, "term": query.search}
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
        statement = get_statement(
            call.resource, query.where, names, scoped_of(call.caller), call.verb if lock else None
        )
        row = await call.connection.fetchrow(statement.sql, *statement.arguments(values_of(call)))
        if row is None:
            raise missing(call)
        return Answer(row[0], row[1], row[2])

    # -- writing ------------------------------------------------------------------------------

    async def _write(self, call: Call, if_match: int | None) -> Answer:
        if call.verb != "create" and not _is_plain(call):
            stored = await self._get(call, lock=True)
            call.before = stored.value
            await match_version(call, if_match)
        await check_references(call)
        if call.resource.has_custom_fields:
            await check_custom_values(call)
        if call.resource.prepare is not None:
            await call.resource.prepare(call)
        if call.verb == "remove":
            await let_go(call)
        try:
            call.answer = await self._run_write(call, if_match)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise constraint_error(call.resource, error) from error
        if call.resource.finish is not None:
            await call.resource.finish(call)
        if call.extra:
            call.answer.text = json.dumps({**call.answer.value, **call.extra}, ensure_ascii=False)
        return call.answer

    async def _run_write(self, call: Call, if_match: int | None) -> Answer:
        resource, now = call.resource, self.clock.now()
        is_plain = call.verb == "create" and _is_plain(call)
        stored = {name: value for name, value in call.data.items() if name in resource.table.c}
        if call.verb == "create":
            stored |= stamps_of(call) | {"created_at": now, "updated_at": now}
            statement = create_statement(resource, tuple(stored), is_plain)
        elif call.verb == "remove" and not resource.is_soft_deleted:
            statement = remove_statement(resource, call.query.where, scoped_of(call.caller))
        else:
            stored = {"deleted_at": now} if call.verb == "remove" else stored
            if not stored:
                unchanged = await self._get(call)
                if if_match is not None and unchanged.version != if_match:
                    raise stale(unchanged.version, if_match)
                return unchanged
            stored["updated_at"] = now
            statement = patch_statement(
                resource, tuple(stored), call.query.where, _selected(call), scoped_of(call.caller), if_match is not None
            )
        values = values_of(call) | {f"v_{name}": bindable(resource, name, value) for name, value in stored.items()}
        row = await call.connection.fetchrow(statement.sql, *statement.arguments(values | {"expected": if_match}))
        if row is None:
            raise await self._why_not(call, if_match)
        answer = Answer(row[0], row[1], row[2])
        if resource.joins and call.verb != "remove" and not is_plain:
            # A join sees what the statement itself wrote only in a statement after it.
            shown = get_statement(resource, (), _selected(call), "")
            answer.text = await call.connection.fetchval(shown.sql, *shown.arguments(values | {"id": answer.id}))
        elif call.verb == "create" and (names := _selected(call)) is not None:
            answer.text = json.dumps({name: answer.value.get(name) for name in names}, ensure_ascii=False)
        return answer

    async def _why_not(self, call: Call, if_match: int | None) -> ApiError:
        """A write that met no row: stale version, or nothing there."""
        if if_match is None:
            return missing(call)
        stored = await self._get(call)
        return stale(stored.version, if_match)


def _is_plain(call: Call) -> bool:
    """A write that one statement does alone: no hook writes beside it, and its references are left as they are."""
    resource, registry = call.resource, call.door.registry
    has_hooks = resource.prepare is not None or resource.finish is not None
    if call.verb == "create" and resource.light is not None and resource.light(call):
        has_hooks = False
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
