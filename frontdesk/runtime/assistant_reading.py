"""The assistant's record as the spine reads it: the current one, and the version that a turn started with."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime

from frontdesk.assistants.config import AssistantConfig, config_of
from frontdesk.core.database import Connection
from frontdesk.runtime.tooling import AssistantView

CURRENT = "SELECT version, deleted_at FROM ai_assistants WHERE organization_id = $1 AND id = $2"
WHOLE = "SELECT * FROM ai_assistants WHERE organization_id = $1 AND id = $2"
VERSION = """
    SELECT snapshot::text FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version = $3
"""
LIVE = """
    SELECT a.version, a.deleted_at, c.blocked, c.contact_id, c.is_contact_verified
    FROM ai_assistants a, conversations c
    WHERE a.organization_id = $1 AND a.id = $2 AND c.organization_id = $1 AND c.id = $3
"""
KEPT = 500  # parsed versions of a process

Key = tuple[int, int, int]


class Assistants:
    """Reads configurations. A version never changes, so each is parsed once in a process."""

    def __init__(self) -> None:
        self._parsed: OrderedDict[Key, AssistantConfig] = OrderedDict()

    async def current(self, connection: Connection, organization_id: int, id: int) -> AssistantConfig | None:
        """The record as it is now, a deleted one too (a gate says so)."""
        row = await connection.fetchrow(CURRENT, organization_id, id)
        if row is None:
            return None
        return await self._at(connection, (organization_id, id, row["version"]), row["deleted_at"])

    async def live(self, connection: Connection, organization_id: int, id: int, conversation_id: int) -> AssistantView:
        """The current record with the conversation's state: what may revoke a tool or a part."""
        row = await connection.fetchrow(LIVE, organization_id, id, conversation_id)
        assert row is not None
        config = await self._at(connection, (organization_id, id, row["version"]), row["deleted_at"])
        return AssistantView(config, row["blocked"], row["contact_id"], row["is_contact_verified"])

    async def at(self, connection: Connection, organization_id: int, id: int, version: int) -> AssistantConfig:
        """The configuration of a version: the one that a turn keeps."""
        key = (organization_id, id, version)
        if (known := self._parsed.get(key)) is not None:
            return known
        text = await connection.fetchval(VERSION, organization_id, id, version)
        if text is None:
            current = await self.current(connection, organization_id, id)
            assert current is not None
            return current
        return self._keep(key, config_of({**json.loads(text), "deleted_at": None}))

    async def _at(self, connection: Connection, key: Key, deleted_at: datetime | None) -> AssistantConfig:
        config = self._parsed.get(key)
        if config is None:
            row = await connection.fetchrow(WHOLE, key[0], key[1])
            assert row is not None
            config = self._keep((key[0], key[1], row["version"]), config_of({**row, "deleted_at": None}))
        return config if deleted_at is None else replace(config, deleted_at=deleted_at)

    def _keep(self, key: Key, config: AssistantConfig) -> AssistantConfig:
        self._parsed[key] = config
        while len(self._parsed) > KEPT:
            self._parsed.popitem(last=False)
        return config
