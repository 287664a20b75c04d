"""Which schema the code expects and which one a database has, without loading Alembic: a warm start needs no more."""

import asyncpg

from frontdesk.core.settings import PACKAGE

MIGRATIONS = PACKAGE / "migrations"


def head() -> str:
    """The newest migration. Files are named `NNNN_what.py`, and `NNNN` is the revision."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


async def current(url: str) -> str | None:
    """The database's revision, None for an empty database. Raises asyncpg's or the system's error without one."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval("SELECT version_num FROM alembic_version")  # type: ignore[no-any-return]
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
