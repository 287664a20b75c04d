"""SDK clients, kept: building one costs milliseconds. All share one guarded HTTP client and its connections."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from pydantic_ai.models import Model
from pydantic_ai.providers import Provider as Client

from frontdesk.core.egress import Guard
from frontdesk.models.providers import PROVIDERS

MOST_CLIENTS = 256


class Clients:
    """By provider, address and the key's hash; of many, those used last."""

    def __init__(self, guard: Guard) -> None:
        self.http = guard.client()
        self._kept: OrderedDict[tuple[str, str | None, str], Client] = OrderedDict()

    def model(self, provider: str, name: str, base_url: str | None, key: str | None) -> Model:
        entry = PROVIDERS[provider]
        place = (provider, base_url, hashlib.sha256((key or "").encode()).hexdigest())
        client = self._kept.pop(place, None) or entry.make_client(self.http, key, base_url)
        self._kept[place] = client
        if len(self._kept) > MOST_CLIENTS:
            self._kept.popitem(last=False)
        return entry.make_model(name, client)

    async def close(self) -> None:
        self._kept.clear()
        await self.http.aclose()
