"""Bring a database to the newest schema."""

from alembic import command
from alembic.config import Config

from frontdesk.core.revision import MIGRATIONS


def configuration(url: str) -> Config:
    """Alembic's settings without an ini file; `url` is any PostgreSQL URL that asyncpg takes."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Run all missing migrations in one transaction. Blocks; must not be called inside a running event loop."""
    command.upgrade(configuration(url), "head")
