"""The one MetaData. Declarations add their tables to it; Alembic migrates from it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Integer, MetaData, Text

APP_ROLE = "frontdesk_app"
SYSTEM_ROLE = "frontdesk_system"
# The caller's organization, as policies and functions read it: computed once a statement, null where none is set.
ORGANIZATION = "(SELECT nullif(current_setting('app.org', true), ''))::int"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)


def id_column() -> Column[int]:
    """A 64-bit identity: ids are given by the server and never reused."""
    return Column("id", BigInteger, Identity(), primary_key=True)


def organization_column(*, nullable: bool = False) -> Column[int]:
    """The tenant. Row-level security is put on every table that has this column; NULL is the installation's."""
    return Column("organization_id", Integer, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=nullable)


def moment_column(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


def text_column(name: str, *, nullable: bool = True) -> Column[str]:
    return Column(name, Text, nullable=nullable)
