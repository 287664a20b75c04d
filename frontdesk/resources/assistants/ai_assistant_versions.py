"""One snapshot of an assistant with its skills per change, written in the transaction of the change.

Never holds a secret. A turn that began with a version reads it from here, so that a change in between does not matter.
"""

from __future__ import annotations

import json
from typing import cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from frontdesk.assistants.record import NEVER_IN_HISTORY
from frontdesk.core.door import Call
from frontdesk.core.errors import Json
from frontdesk.core.events import emit
from frontdesk.core.schema import id_column, metadata, moment_column, organization_column

ai_assistant_versions = Table(
    "ai_assistant_versions",
    metadata,
    id_column(),
    organization_column(),
    Column("ai_assistant_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("snapshot", JSONB, nullable=False),
    Column("changed_fields", ARRAY(Text), nullable=False),
    Column("created_by_user_id", BigInteger),
    Column("restored_from_id", BigInteger),
    moment_column("created_at"),
    # An entry never changes; the API shows the member in every record.
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    ForeignKeyConstraint(
        ["organization_id", "ai_assistant_id"],
        ["ai_assistants.organization_id", "ai_assistants.id"],
        ondelete="CASCADE",
    ),
    UniqueConstraint("organization_id", "ai_assistant_id", "version"),
    Index("ix_ai_assistant_versions_created_at", "organization_id", "ai_assistant_id", "created_at"),
)

_SNAPSHOT = """(to_jsonb(a) - $3::text[]) || jsonb_build_object('skills', coalesce((
        SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'when_to_use', s.when_to_use,
            'content', s.content) ORDER BY s.id)
        FROM ai_assistant_skills s
        WHERE s.organization_id = a.organization_id AND s.assistant_id = a.id AND s.deleted_at IS NULL), '[]'))"""
_WRITE = f"""
    INSERT INTO ai_assistant_versions
        (organization_id, ai_assistant_id, version, snapshot, changed_fields, created_by_user_id, created_at,
         updated_at)
    SELECT organization_id, id, version, {_SNAPSHOT}, $4::text[], $5, updated_at, updated_at
    FROM ai_assistants a WHERE organization_id = $1 AND id = $2
"""
_BUMP = """
    UPDATE ai_assistants SET version = version + 1, updated_at = $3 WHERE organization_id = $1 AND id = $2
"""
_AT = f"""
    SELECT v.snapshot::text AS then, ({_SNAPSHOT})::text AS now
    FROM ai_assistants a
    JOIN ai_assistant_versions v ON v.organization_id = a.organization_id AND v.ai_assistant_id = a.id
    WHERE a.organization_id = $1 AND a.id = $2 AND v.version = $4
"""


async def write_version(call: Call, assistant_id: int, changed_fields: list[str]) -> None:
    """Store the row as it stands now, with the author of the change."""
    never, author = list(NEVER_IN_HISTORY), call.caller.user_id
    await call.connection.execute(_WRITE, call.organization_id, assistant_id, never, changed_fields, author)


async def write_skill_version(call: Call, assistant_id: int) -> None:
    """A change of a skill is a change of its assistant: what is in force is one version, whole."""
    await call.connection.execute(_BUMP, call.organization_id, assistant_id, call.door.clock.now())
    await write_version(call, assistant_id, ["skills"])
    await emit(call.connection, call.organization_id, "ai-assistants", "updated", assistant_id)


async def snapshots(call: Call, version: int) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """The record as it was at `version` and as it is now; None where there was no such version."""
    row = await call.connection.fetchrow(_AT, call.organization_id, call.id, list(NEVER_IN_HISTORY), version)
    if row is None:
        return None
    return cast("dict[str, Json]", json.loads(row["then"])), cast("dict[str, Json]", json.loads(row["now"]))
