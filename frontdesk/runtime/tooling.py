"""What tools and turns know of each other: the protocol of a turn's handle, and what a tool call carries.

Tools see a turn only by `TurnHandle`; the turn store implements it. One tool call is one transaction of the turn: the
lease is checked in it, the effect and the step row are committed by it, or nothing is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic_ai.messages import ModelResponse, ToolCallPart

from frontdesk.assistants.config import AssistantConfig
from frontdesk.core.caller import Caller, Role, Scope
from frontdesk.core.clock import Clock
from frontdesk.core.database import Connection
from frontdesk.core.door import Door
from frontdesk.core.errors import Json
from frontdesk.core.resource import Verb
from frontdesk.runtime.approvals import CallToApprove as CallToApprove
from frontdesk.runtime.approvals import Permit as Permit

CallStatus = Literal["intent", "done", "failed", "unknown", "refused"]


class AwaitsPerson(Exception):
    """A call of the step waits for a person's approval: the turn gives its lease back and goes on after it."""


class LeaseLost(Exception):
    """Somebody else works on the turn: stop silently, write nothing more."""


class Superseded(Exception):
    """A newer inbound took the turn's place before its effects started: stop, withdraw the draft."""


class HandedOver(Exception):
    """The turn has given its conversation away and is over: ask the model nothing more."""


class TooManyCalls(Exception):
    """The model goes on calling tools after it was told to answer: end the turn with the fixed line of rule 14."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A tool call that the turn has made already. `result` is what the model was given."""

    tool_name: str
    status: CallStatus
    result: Json = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The step row of one tool call. `result` is what the model is given: a value, or the sentence of a failure."""

    call_id: str
    tool_name: str
    arguments: dict[str, Json]
    status: CallStatus
    result: Json
    is_change: bool
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks in a staff chat, with the role of this very moment; None: no member any more."""

    user_id: int
    role: Role | None


@dataclass(frozen=True, slots=True)
class AssistantView:
    """The live state that may revoke a tool: the assistant's current record, and whom the conversation is with."""

    config: AssistantConfig
    is_blocked: bool
    contact_id: int | None
    is_contact_verified: bool
    asker: Asker | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A hand-off to a person that the model asks for: the rule that it judged, and its words for the team."""

    rule_id: str
    reason: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class PassOn:
    """A hand-off to another assistant, with the model's words for it."""

    assistant_id: int
    reason: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An image for the customer: a file of ours (`s3_path`), or one elsewhere (`media_url`).

    `link` is an address that anybody may open for ever, for channels without images; None where there is none.
    """

    caption: str = ""
    link: str | None = None
    media_url: str | None = None
    s3_path: str | None = None
    file_name: str | None = None
    file_type: str | None = None
    file_size: int | None = None  # bytes


class TurnHandle(Protocol):
    """One running turn, held by its lease.

    `calls` counts the tool calls begun in this turn by `fingerprint`. The store fills it from the step rows when the
    turn starts or is resumed; after that only the tool wrappers add to it.
    """

    @property
    def turn_id(self) -> int: ...

    @property
    def organization_id(self) -> int: ...

    @property
    def conversation_id(self) -> int: ...

    @property
    def calls(self) -> Counter[str]: ...

    def transaction(self, *, locks_conversation: bool = False) -> AbstractAsyncContextManager[Connection]:
        """One step's transaction of the organization, the lease checked in it. Raises `LeaseLost`.

        A call that changes the conversation's owner needs its lock, which is taken before the turn's.
        """
        ...

    async def stored_call(self, call_id: str) -> StoredCall | None:
        """The step of this call, if the turn has one. Call ids are unique in a turn (`unique_call_ids`)."""
        ...

    async def start_effects(self, connection: Connection) -> None:
        """Commit to the effects with this transaction; done before, a no-op. Raises `Superseded` or `LeaseLost`."""
        ...

    async def hand_over(self, connection: Connection, transfer: Transfer) -> None:
        """Give the conversation away and end the turn, in a transaction that has locked the conversation."""
        ...

    @property
    def hops(self) -> tuple[int, ...]:
        """The assistants that have passed this turn's messages on, one entry for each time."""
        ...

    async def pass_on(self, connection: Connection, to: PassOn) -> None:
        """As `hand_over`, to another assistant. Raises `Conflict` with the sentence for the model."""
        ...

    async def record_call(self, connection: Connection, call: CallRecord) -> None:
        """Insert or update the step row, in the transaction of the effect."""
        ...

    async def queue_image(self, connection: Connection, call_id: str, picture: Picture) -> Json:
        """Send the picture with the answer, once for the call; gives its receipt. Raises `Conflict` if it cannot."""
        ...

    async def record_outcome(self, call: CallRecord) -> None:
        """What became of a call that was made outside, in a transaction of its own; a person is told of `unknown`.

        It is kept though the turn was overtaken meanwhile: what has happened has. Raises `LeaseLost`, `Superseded`.
        """
        ...

    async def permit(self, connection: Connection, call: CallToApprove) -> Permit:
        """A person's approval of the call, used by this transaction; without one the person is asked."""
        ...

    def awaits(self, call_id: str) -> None:
        """The call waits for a person: it has no result yet, and the turn stops behind this step."""
        ...

    async def current_assistant(self, connection: Connection) -> AssistantView:
        """The record as it is now, read in this transaction."""
        ...


@dataclass(frozen=True, slots=True)
class ToolDeps:
    """What every tool of a turn gets from the loop.

    `caller` is the assistant without a scope: who it is, not what it may. A tool reaches data only through `reach`,
    which the wrappers set for one call: the caller narrowed by permission, and the call's transaction.
    `config` is the version that the turn started with; it rules what is offered. `contact_id` is the conversation's.
    """

    caller: Caller
    door: Door
    clock: Clock
    turn: TurnHandle
    config: AssistantConfig
    connection: Connection | None = None  # the transaction of the call in hand
    reach: Caller | None = None  # the caller of the call in hand, None before it was allowed
    contact_id: int | None = None
    approval_version: int | None = None  # of the live record, where a person has to approve the call in hand

    async def call(
        self,
        path: str,
        verb: Verb,
        *,
        id: int | None = None,
        data: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> dict[str, Json]:
        """The door, within the call's transaction and reach. Raises the errors of `core/errors.py`."""
        if self.reach is None or self.connection is None:
            raise RuntimeError("a tool was called around its wrappers")
        answer = await self.door.call(self.reach, path, verb, id=id, data=data, query=query, tx=self.connection)
        return answer.value

    def within(self, connection: Connection) -> ToolDeps:
        return replace(self, connection=connection)

    def allowed(self, view: AssistantView, scope: Literal["own", "organization"]) -> ToolDeps:
        """The same, for a call that may reach `scope` (design: tool scope). Who asks in a staff chat is the caller."""
        own = Scope(self.turn.conversation_id, view.contact_id, view.is_contact_verified)
        caller = replace(self.caller, conversation_id=self.turn.conversation_id)
        if view.asker is not None and view.asker.role is not None:
            caller = replace(caller, user_id=view.asker.user_id, role=view.asker.role)
        reach = replace(caller, scope=None if scope == "organization" else own)
        return replace(self, reach=reach, contact_id=view.contact_id)


def fingerprint(tool_name: str, arguments: object) -> str:
    """Two calls with the same fingerprint are the same call made twice; the order of arguments does not matter."""
    return f"{tool_name} {json.dumps(arguments, sort_keys=True, default=str)}"


def unique_call_ids(response: ModelResponse, used: Collection[str]) -> ModelResponse:
    """The response with call ids that its turn has not used yet; the turn commits this one.

    Some servers count the calls of each response anew (`call_0`, `call_1`), and a stored result answers to its id.
    """
    taken = set(used)
    parts = list(response.parts)
    for i, part in enumerate(parts):
        if not isinstance(part, ToolCallPart):
            continue
        name, n = part.tool_call_id, 2
        while name in taken:
            name, n = f"{part.tool_call_id}_{n}", n + 1
        taken.add(name)
        if name != part.tool_call_id:
            parts[i] = replace(part, tool_call_id=name)
    return replace(response, parts=parts)
