"""Alembic's entry: one transaction under one lock on asyncpg, so that two starts at once migrate once."""

import asyncio
from typing import TYPE_CHECKING

import asyncpg
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from frontdesk.migrations.scope import is_ours

if TYPE_CHECKING:
    from asyncpg.connection import Connection as AsyncpgConnection

LOCK = 0x46726F6E74  # any number, the same in every process


def migrate(connection: Connection) -> None:
    connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    # Only who writes a migration brings the MetaData: running one loads none of the product.
    metadata = context.config.attributes.get("metadata")
    context.configure(connection=connection, target_metadata=metadata, include_object=is_ours)
    with context.begin_transaction():
        context.run_migrations()


async def run() -> None:
    url = context.config.attributes["url"]

    async def connect() -> "AsyncpgConnection":
        return await asyncpg.connect(url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(run())
