"""Users and their logins: tables of the installation, not of an organization, read only by the system role."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, func

from frontdesk.core.schema import id_column, metadata, moment_column, text_column

users = Table(
    "users",
    metadata,
    id_column(),
    text_column("email", nullable=False),
    text_column("password_hash"),
    text_column("first_name"),
    text_column("last_name"),
    text_column("avatar"),
    moment_column("created_at"),
    moment_column("updated_at"),
    moment_column("deleted_at", nullable=True),
    # An organization sees who its members are, and nothing of their passwords.
    info={
        "app_grants": "SELECT (id, email, first_name, last_name, avatar)",
        "app_policy": "id IN (SELECT user_id FROM members)",
    },
)
Index("uq_users_email", func.lower(users.c.email), unique=True)

login_sessions = Table(
    "login_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    moment_column("created_at"),
    moment_column("expires_at"),
    moment_column("ended_at", nullable=True),
)
