"""`GET /health`: 200 when everything that an answer needs is ready, else 503 with what is missing."""

import asyncio
from dataclasses import asdict, dataclass

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse

from frontdesk.core.heartbeats import LIVING
from frontdesk.core.revision import head

ANSWERS_WITHIN = 0.8  # seconds, with a database that hangs too


@dataclass(frozen=True)
class Part:
    """One part's state, and a sentence for the operator when it is not ready."""

    ok: bool
    detail: str = ""


class Health:
    """Looks at the database over one connection of its own, so that a busy pool is not taken for a dead server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection: asyncpg.Connection | None = None
        self.lock = asyncio.Lock()

    async def endpoint(self, request: Request) -> JSONResponse:
        parts = await self.parts()
        # Without a model the product still works: an inbound gets the fixed line, and people answer.
        ready = all(part.ok for name, part in parts.items() if name != "model")
        body = {
            "status": "ok" if ready else "unavailable",
            "parts": {name: asdict(part) for name, part in parts.items()},
        }
        return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})

    async def parts(self) -> dict[str, Part]:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN), self.lock:
                return {"http": Part(True), **await self.look()}
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            missing = Part(False, f"PostgreSQL cannot be reached ({type(error).__name__})")
            unknown = Part(False, "unknown while the database is missing")
            return {"http": Part(True), "database": missing, "jobs": unknown, "model": unknown}

    async def look(self) -> dict[str, Part]:
        if self.connection is None or self.connection.is_closed():
            self.connection = await asyncpg.connect(self.url)
        try:
            revision = await self.connection.fetchval("SELECT version_num FROM alembic_version")
        except asyncpg.UndefinedTableError:
            revision = None
        if revision is None or revision < head():
            found = revision or "none"
            waits = Part(False, "waits for the schema")
            stale = Part(False, f"the schema is at {found} and {head()} is needed: run `frontdesk migrate`")
            return {"database": stale, "jobs": waits, "model": waits}
        seen = await self.connection.fetchrow(LIVING)
        assert seen is not None
        count = seen["workers"]
        return {
            "database": Part(True),
            "jobs": Part(count > 0, f"{count} worker(s)" if count else "no worker process is alive"),
            "model": Part(seen["is_model_ready"], seen["model"] or "unknown while no worker is alive"),
        }

    async def close(self) -> None:
        if self.connection:
            self.connection.terminate()
        self.connection = None
