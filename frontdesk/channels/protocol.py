"""What the spine asks of a channel. Where the customer reads our own rows, storing a message is delivering it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One part on its way out. The key is the same however often it is sent."""

    organization_id: int
    conversation_id: int
    contact_id: int
    inbox_channel_id: int | None
    text: str
    idempotency_key: str


class Channel(Protocol):
    """One channel of messages."""

    @property
    def name(self) -> str: ...

    @property
    def is_local(self) -> bool:
        """The customer reads our own rows, so a stored message is a delivered one."""
        ...

    @property
    def shows_drafts(self) -> bool:
        """Unfinished answers may be shown, sentence by sentence."""
        ...

    @property
    def takes_keys(self) -> bool:
        """The provider recognises a repeated idempotency key."""
        ...

    async def send(self, part: Outgoing) -> str | None:
        """Hand one part to the provider; gives its id there.

        Raises `Unavailable` where trying again helps, any other `ApiError` where it does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalChannel:
    """A channel that is read from our own database: web chat and playground."""

    name: str
    is_local: bool = True
    shows_drafts: bool = True
    takes_keys: bool = True

    async def send(self, part: Outgoing) -> str | None:
        raise NotImplementedError(f"{self.name} has no provider: its messages are stored")
