"""What is kept of sign-ins at MCP servers beside the tokens: those that wait for their person, and who renews one."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from frontdesk.core.schema import id_column, metadata, moment_column, organization_column


def _assistant() -> ForeignKeyConstraint:
    target = ["ai_assistants.organization_id", "ai_assistants.id"]
    return ForeignKeyConstraint(["organization_id", "ai_assistant_id"], target, ondelete="CASCADE")


# One use each, for ten minutes. `sealed` opens for the server's address only; `state_hash` is what comes back.
mcp_begun_sign_ins = Table(
    "mcp_begun_sign_ins",
    metadata,
    id_column(),
    organization_column(),
    Column("ai_assistant_id", BigInteger, nullable=False),
    Column("mcp_tool_id", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("server_url", Text, nullable=False),
    Column("state_hash", Text, nullable=False, unique=True),
    Column("sealed", Text, nullable=False),
    moment_column("expires_at"),
    moment_column("created_at"),
    _assistant(),
    Index("ix_mcp_begun_sign_ins_ai_assistant_id", "organization_id", "ai_assistant_id"),
)

# `claimed_until`: who renews a token now; the rest: how the server last asked for a better sign-in (mcp_grants.py).
mcp_grants = Table(
    "mcp_grants",
    metadata,
    organization_column(),
    Column("ai_assistant_id", BigInteger, nullable=False),
    Column("mcp_tool_id", Text, nullable=False),
    moment_column("claimed_until", nullable=True),
    Column("challenge_status", SmallInteger),
    Column("challenge", Text),
    Column("error", Text),
    PrimaryKeyConstraint("organization_id", "ai_assistant_id", "mcp_tool_id"),
    _assistant(),
)
