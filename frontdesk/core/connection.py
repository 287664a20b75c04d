"""The database's URL, with the embedded server joined and running for as long as it is needed."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from frontdesk.core.halt import UNAVAILABLE, Halt, unwritable
from frontdesk.core.postgres import EmbeddedPostgres
from frontdesk.core.settings import Settings
from frontdesk.core.supervisor import is_supervised

REACHED_WITHIN = 60.0  # seconds that an external server may need to come up


def embedded(settings: Settings) -> EmbeddedPostgres | None:
    """The data folder's server, not yet joined; None with DATABASE_URL. Raises Halt without a usable folder."""
    if not settings.is_embedded:
        return None
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(settings.data, error) from error
    # Under a supervisor the server is the supervisor's, and so is what there is to say when it does not start.
    return EmbeddedPostgres(settings.data, settings.postgres_bin, may_start=not is_supervised())


@contextmanager
def joined(settings: Settings) -> Iterator[str]:
    """The URL of a database that runs: the operator's, or the embedded one, left again at the end."""
    postgres = embedded(settings)
    if postgres is None:
        yield settings.external_url
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
