"""What the web chat's endpoints ask of the channel below them, by shape: this room does not import channels."""

from __future__ import annotations

from typing import Protocol

from frontdesk.core.database import Connection
from frontdesk.core.errors import Json

Message = dict[str, Json]


class Visitor(Protocol):
    """One browser that has the token. `topic` is what its stream listens to."""

    @property
    def id(self) -> int: ...

    @property
    def contact_id(self) -> int | None: ...

    @property
    def conversation_id(self) -> int | None: ...

    @property
    def topic(self) -> int: ...

    def external_id(self, idempotency_key: str) -> str: ...


class Visitors(Protocol):
    """The channel: its visitors, and their conversations as they see them."""

    async def find(self, organization_id: int, channel_id: int, token: str) -> Visitor | None: ...

    async def mint(self, organization_id: int, channel_id: int) -> str: ...

    async def lock(
        self, connection: Connection, organization_id: int, visitor_id: int
    ) -> tuple[int | None, int | None]: ...

    async def link(
        self, connection: Connection, organization_id: int, visitor_id: int, contact_id: int, conversation_id: int
    ) -> None: ...

    async def after(self, organization_id: int, conversation_id: int, position: int, limit: int) -> list[Message]: ...

    async def before(self, organization_id: int, conversation_id: int, position: int, limit: int) -> list[Message]: ...

    def read_message(self, body: object, limit: int) -> tuple[str, str]: ...
