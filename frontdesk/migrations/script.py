"""SQL scripts in migrations."""

from alembic import op
from sqlalchemy.util import await_only


def run_script(script: str) -> None:
    """Run many statements at once, which a prepared statement cannot, in the migration's transaction."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    await_only(connection.execute(script))
