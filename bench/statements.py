"""How many statements our processes send: counted by PostgreSQL itself (`pg_stat_statements`), BEGIN and COMMIT too."""

from __future__ import annotations

import asyncpg

from frontdesk.core.schema import APP_ROLE, SYSTEM_ROLE

OPTIONS = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.max": "5000"}
# The benchmark's own statements run as the owner. Those of the job engine are told apart: it looks for work in batches.
COUNT = """
    SELECT coalesce(sum(s.calls) FILTER (WHERE s.query NOT ILIKE '%pgqueuer%'), 0)::bigint,
        coalesce(sum(s.calls) FILTER (WHERE s.query ILIKE '%pgqueuer%'), 0)::bigint
    FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolname = ANY($1)
"""


async def count(url: str) -> tuple[int, int]:
    """Statements until now: those of the product, and those of the job engine's table."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        row = await connection.fetchrow(COUNT, [APP_ROLE, SYSTEM_ROLE])
    finally:
        await connection.close()
    return row[0], row[1]
