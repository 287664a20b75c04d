"""The database's URL, with the embedded server joined and running for as long as it is needed."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from frontdesk.core.halt import UNAVAILABLE, Halt
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.settings import Settings

REACHED_WITHIN = 60.0  # seconds that an external server may need to come up


def embedded(settings: Settings) -> EmbeddedPostgres | None:
    return EmbeddedPostgres(settings.data, settings.postgres_bin) if settings.is_embedded else None


@contextmanager
def joined(settings: Settings) -> Iterator[str]:
    """The URL of a database that runs: the operator's, or the embedded one, left again at the end."""
    postgres = embedded(settings)
    if postgres is None:
        assert settings.database_url
        yield settings.database_url.get_secret_value()
        return
    try:
        yield postgres.join()
    finally:
        postgres.leave()


async def wait_for(url: str, seconds: float = REACHED_WITHIN) -> None:
    """Return when the server accepts connections. Raises Halt with its last words, at once for a wrong login."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=10)
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
            raise Halt(f"The database refuses us: {error}.") from error
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if time.monotonic() > deadline:
                raise Halt(f"The database cannot be reached: {said(error)}.", UNAVAILABLE) from error
            await asyncio.sleep(0.2)
        else:
            await connection.close()
            return


def said(error: BaseException) -> str:
    """One line; a refused connection's error names every address, which is enough of a sentence."""
    text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return (text or type(error).__name__).splitlines()[0].rstrip(".")
