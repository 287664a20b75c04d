"""The assistant's record as the spine reads it: the current one, and the version that a turn started with."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from frontdesk.assistants.config import AssistantConfig, config_of
from frontdesk.assistants.permissions import SYSTEM_TOOLS, permission, permissions
from frontdesk.core.caller import Role
from frontdesk.core.database import Connection
from frontdesk.core.errors import Json
from frontdesk.runtime.thread import AI_CHAT
from frontdesk.runtime.tooling import Asker, AssistantView

CURRENT = "SELECT version, deleted_at FROM ai_assistants WHERE organization_id = $1 AND id = $2"
WHOLE = """
    SELECT *, (
        SELECT json_agg(json_build_object('id', id, 'name', name, 'when_to_use', when_to_use) ORDER BY id)
        FROM ai_assistant_skills WHERE organization_id = $1 AND assistant_id = $2 AND deleted_at IS NULL) AS skills
    FROM ai_assistants WHERE organization_id = $1 AND id = $2
"""
VERSION = """
    SELECT snapshot::text FROM ai_assistant_versions
    WHERE organization_id = $1 AND ai_assistant_id = $2 AND version = $3
"""
LIVE = """
    SELECT a.version, a.deleted_at, c.blocked, c.contact_id, c.is_contact_verified, c.kind, c.created_by_user_id, m.role
    FROM ai_assistants a, conversations c
    LEFT JOIN members m ON m.organization_id = $1 AND m.user_id = c.created_by_user_id AND m.deleted_at IS NULL
        AND c.kind = 'ai-chat'
    WHERE a.organization_id = $1 AND a.id = $2 AND c.organization_id = $1 AND c.id = $3
"""
KEPT = 500  # parsed versions of a process

Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Offer:
    """The keys of the offered tools, and the table for the trace."""

    keys: tuple[str, ...]
    table: Json


def offer_of(config: AssistantConfig, missing: Mapping[str, str] | None = None) -> Offer:
    """What the model is offered, and for every other key that is switched on the rule that kept it back.

    `missing` are system tools that this installation has nothing to run with, and the rule that says so.
    """
    missing = missing or {}
    rulings = permissions(config)
    system = [ruling for name in SYSTEM_TOOLS if (ruling := permission(config, name)).is_allowed]
    allowed = [*(r for r in rulings if r.is_allowed), *(r for r in system if r.key not in missing)]
    refused = [ruling for ruling in rulings if not ruling.is_allowed and config.switch(ruling.key).enabled]
    kept_back: list[Json] = [
        {"key": ruling.key, "rule": ruling.rule, "config_path": ruling.config_path} for ruling in refused
    ]
    kept_back += [
        {"key": r.key, "rule": missing[r.key], "config_path": r.config_path} for r in system if r.key in missing
    ]
    table: Json = {
        "offered": [
            {"key": ruling.key, "scope": ruling.scope, **({"approval": "always"} if ruling.needs_approval else {})}
            for ruling in allowed
        ],
        "not_offered": kept_back,
        "off": sum(not config.switch(ruling.key).enabled for ruling in rulings),
        "skills": [{"id": skill.id, "name": skill.name} for skill in config.skills],
    }
    return Offer(tuple(ruling.key for ruling in allowed), table)


class Assistants:
    """Reads configurations. A version never changes, so each is parsed once in a process."""

    def __init__(self, missing: Mapping[str, str] | None = None) -> None:
        self.missing = missing or {}  # system tools that this installation has nothing to run with, by name
        self._parsed: OrderedDict[Key, AssistantConfig] = OrderedDict()
        self._offers: OrderedDict[tuple[int, int, int, bool, bool], Offer] = OrderedDict()

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
        asker = None
        if row["kind"] == AI_CHAT:
            asker = Asker(row["created_by_user_id"] or 0, Role[row["role"]] if row["role"] else None)
        return AssistantView(config, row["blocked"], row["contact_id"], row["is_contact_verified"], asker)

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

    def offer(self, config: AssistantConfig) -> Offer:
        """What a version offers to the model; asked once per turn, so it is kept with the version."""
        key = (config.organization_id, config.id, config.version, config.model_takes_tools, config.only_reads)
        found = self._offers.get(key)
        if found is None:
            found = self._offers[key] = offer_of(config, self.missing)
            while len(self._offers) > KEPT:
                self._offers.popitem(last=False)
        return found

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
