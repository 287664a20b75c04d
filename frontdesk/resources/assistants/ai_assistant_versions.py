"""One snapshot of an assistant per change, written in the transaction of the change. Never holds a secret."""

from __future__ import annotations

import json
from typing import cast

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKeyConstraint, Integer, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from frontdesk.assistants.record import NEVER_IN_HISTORY
from frontdesk.core.door import Call
from frontdesk.core.errors import Json
from frontdesk.core.schema import id_column, metadata, moment_column, organization_column

ai_assistant_versions = Table(
    "ai_assistant_versions",
    metadata,
    id_column(),
    organization_column(),
    Column("ai_assistant_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("snapshot", JSONB, nullable=False),
    Column("changed_fields", ARRAY(Text), nullable=False),
    Column("created_by_user_id", BigInteger),
    moment_column("created_at"),
    ForeignKeyConstraint(
        ["organization_id", "ai_assistant_id"],
        ["ai_assistants.organization_id", "ai_assistants.id"],
        ondelete="CASCADE",
    ),
    UniqueConstraint("organization_id", "ai_assistant_id", "version"),
)

_WRITE = """
    INSERT INTO ai_assistant_versions
        (organization_id, ai_assistant_id, version, snapshot, changed_fields, created_by_user_id, created_at)
    SELECT organization_id, id, version, to_jsonb(a) - $3::text[], $4::text[], $5, updated_at
    FROM ai_assistants a WHERE organization_id = $1 AND id = $2
"""
_AT = """
    SELECT v.snapshot::text AS then, (to_jsonb(a) - $4::text[])::text AS now
    FROM ai_assistants a
    JOIN ai_assistant_versions v ON v.organization_id = a.organization_id AND v.ai_assistant_id = a.id
    WHERE a.organization_id = $1 AND a.id = $2 AND v.version = $3
"""


async def write_version(call: Call, assistant_id: int, changed_fields: list[str]) -> None:
    """Store the row as it stands now, with the author of the change."""
    never, author = list(NEVER_IN_HISTORY), call.caller.user_id
    await call.connection.execute(_WRITE, call.organization_id, assistant_id, never, changed_fields, author)


async def snapshots(call: Call, version: int) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """The record as it was at `version` and as it is now; None where there was no such version."""
    row = await call.connection.fetchrow(_AT, call.organization_id, call.id, version, list(NEVER_IN_HISTORY))
    if row is None:
        return None
    return cast("dict[str, Json]", json.loads(row["then"])), cast("dict[str, Json]", json.loads(row["now"]))
