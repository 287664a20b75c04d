"""What the spine asks of a channel. Where the customer reads our own rows, storing a message is delivering it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from frontdesk.core.capabilities import CAPABILITIES
from frontdesk.core.errors import Json, Unprocessable


@dataclass(frozen=True, slots=True)
class Media:
    """A file that goes with a message. `url` can be fetched by a provider, `s3_path` names it in our storage."""

    url: str | None = None
    s3_path: str | None = None
    file_name: str | None = None
    file_type: str | None = None
    file_size: int | None = None  # bytes


NO_MEDIA = Media()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One part on its way out. The key is the same however often it is sent.

    `address` is the customer's at the provider. `template` holds name, language and values; `reply_to` and
    `reaction_to` are the provider's ids of earlier messages; an empty `emoji` takes a reaction back. An e-mail has a
    `subject`, and beside its text perhaps `html`; it belongs to no conversation (0).
    """

    organization_id: int
    conversation_id: int
    contact_id: int | None
    inbox_channel_id: int | None
    text: str
    idempotency_key: str
    address: str | None = None
    message_type: str = "text"
    media: Media = NO_MEDIA
    template: Mapping[str, Json] | None = None
    location: Mapping[str, Json] | None = None
    emoji: str | None = None
    reply_to: str | None = None
    reaction_to: str | None = None
    subject: str | None = None
    html: str | None = None
    sender: Mapping[str, Json] | None = None  # name and address of an e-mail's sender
    headers: Mapping[str, str] | None = None  # of an e-mail


class Provider(Protocol):
    """Who carries messages of a channel that is not ours: WhatsApp's network, a telephone company, a mail server."""

    @property
    def takes_keys(self) -> bool:
        """The provider recognises a repeated idempotency key."""
        ...

    async def send(self, channel: str, part: Outgoing) -> str | None:
        """Hand one part over; gives its id there.

        Raises `Unavailable` where trying again helps, any other `ApiError` where it does not.
        """
        ...


class Channel(Protocol):
    """One channel of messages; what it can carry is in `core/capabilities.py`."""

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
        """Hand one part to the provider; gives its id there. Raises as `Provider.send` does."""
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


def not_connected(channel: str) -> Unprocessable:
    """The one sentence for a channel that nothing carries."""
    title = CAPABILITIES[channel].title if channel in CAPABILITIES else channel.capitalize()
    return Unprocessable(f"{title} is not connected: the inbox channel has no provider, so nothing can be sent on it.")


@dataclass(frozen=True, slots=True)
class Unconnected:
    """A channel that this installation has nothing for: each send fails with the reason."""

    name: str
    is_local: bool = False
    shows_drafts: bool = False
    takes_keys: bool = True

    async def send(self, part: Outgoing) -> str | None:
        raise not_connected(self.name)
