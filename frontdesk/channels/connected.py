"""A channel whose messages a provider carries: each inbox channel says which one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from frontdesk.channels.protocol import Outgoing, Provider, not_connected
from frontdesk.core.database import Database
from frontdesk.core.errors import Unprocessable

PROVIDER = (
    "SELECT provider, is_active FROM inbox_channels WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL"
)


@dataclass(frozen=True)
class Connected:
    """WhatsApp, Instagram, Messenger, SMS or e-mail, with the providers of this installation by name."""

    name: str
    database: Database
    providers: Mapping[str, Provider]
    is_local: bool = False
    shows_drafts: bool = False

    @property
    def takes_keys(self) -> bool:
        """Only if all do: what was in the air at a crash is treated as the least able provider needs."""
        return all(provider.takes_keys for provider in self.providers.values())

    async def send(self, part: Outgoing) -> str | None:
        """Hand a part to the provider of its inbox channel. Raises `Unprocessable` where there is none."""
        async with self.database.reading(part.organization_id) as connection:
            row = await connection.fetchrow(PROVIDER, part.organization_id, part.inbox_channel_id)
        provider = self.providers.get(row["provider"] or "") if row is not None else None
        if provider is None or row is None:
            raise not_connected(self.name)
        if not row["is_active"]:
            raise Unprocessable("The inbox channel is switched off, so nothing can be sent on it.")
        if part.address is None:
            raise Unprocessable("The customer's number or account on this channel is not known.")
        return await provider.send(self.name, part)
