"""One call of the door: who asks what, what the body held, the row before and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import from_json

from .caller import Caller
from .database import Connection
from .errors import Json
from .fields import Plain
from .query import Query
from .resource import Resource, Verb
from .statements import Scoped

if TYPE_CHECKING:
    from .door import Door


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
    or remove is about to change, locked. `extra` is merged into the answer's JSON. `if_match` is the version that the
    caller has read, for handlers: a patch and a remove are checked by the door.
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
    if_match: int | None = None

    @property
    def organization_id(self) -> int:
        return self.caller.organization_id

    async def call(
        self, path: str, verb: Verb, *, id: int | None = None, data: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None, caller: Caller | None = None, if_match: int | None = None,
    ) -> Answer:  # fmt: skip
        """Another call by the same caller in the same transaction."""
        return await self.door.call(
            caller or self.caller, path, verb, id=id, data=data, query=query, tx=self.connection, if_match=if_match
        )


def scoped_of(caller: Caller) -> Scoped:
    """Which form of scope `own` the caller's statements take; empty for the whole organization."""
    if caller.scope is None:
        return ""
    return "verified" if caller.scope.is_verified and caller.scope.contact_id is not None else "claimed"


def values_of(call: Call) -> dict[str, object]:
    """The parameters that every statement of a call may name."""
    values: dict[str, object] = {"org": call.caller.organization_id, "id": call.id}
    if not call.resource.is_tenant:
        values["memberships"] = call.caller.memberships or [call.caller.organization_id]
    for i, value in enumerate(call.query.values):
        values[f"p{i}"] = value
    if call.caller.scope is not None:
        values["conversation"] = call.caller.scope.conversation_id
        values["contact"] = call.caller.scope.contact_id
    return values
