"""Signs of life of the workers: a row each, written every second over a connection that dies with its process."""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text

from frontdesk.core.schema import metadata

EVERY = 1.0  # seconds
STALE_AFTER = 5.0

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("backend_pid", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("model", Text, nullable=False),
    Column("is_model_ready", Boolean, nullable=False),
    prefixes=["UNLOGGED"],
)

BEAT = """
INSERT INTO heartbeats (name, backend_pid, at, model, is_model_ready)
VALUES ($1, pg_backend_pid(), clock_timestamp(), $2, $3)
ON CONFLICT (name) DO UPDATE SET backend_pid = excluded.backend_pid, at = excluded.at, model = excluded.model,
    is_model_ready = excluded.is_model_ready
"""
FORGET = "DELETE FROM heartbeats WHERE at < now() - interval '1 minute'"
# A killed worker's connection is gone at once, long before its last beat is stale.
LIVING = f"""
SELECT count(*) AS workers, max(model) AS model, coalesce(bool_and(is_model_ready), false) AS is_model_ready
FROM heartbeats JOIN pg_stat_activity ON pid = backend_pid
WHERE at > clock_timestamp() - interval '{STALE_AFTER} seconds'
"""


@dataclass(frozen=True)
class ModelState:
    """The model that answers where an assistant names none, in words."""

    name: str
    is_ready: bool


async def beat(url: str, stopping: asyncio.Event, model: Callable[[], ModelState]) -> None:
    """Write this process's row until told to stop; a lost database is tried again every second."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    while not stopping.is_set():
        try:
            connection = await asyncpg.connect(url, timeout=10, command_timeout=10)
            try:
                await connection.execute(FORGET)
                while not stopping.is_set():
                    state = model()
                    await connection.execute(BEAT, name, state.name, state.is_ready)
                    await pause(stopping)
            finally:
                await connection.close(timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await pause(stopping)


async def pause(stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), EVERY)
    except TimeoutError:
        return
