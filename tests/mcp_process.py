"""Starts, kills and restarts the shop of `mcp_shop.py`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Shop:
    """A running server; `url` stays the same over restarts."""

    transport: str = "streamable_http"
    options: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{'sse' if self.transport == 'sse' else 'mcp'}"

    async def start(self, **options: str) -> None:
        self.options |= options
        arguments = (str(self.port), self.transport, json.dumps(self.options))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.mcp_shop", *arguments, stdout=asyncio.subprocess.PIPE
        )
        self.port = int(await self.told())

    async def told(self) -> str:
        """The next line that the server says."""
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            return (await self.process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def running_shop(transport: str = "streamable_http", **options: str) -> AsyncIterator[Shop]:
    shop = Shop(transport, dict(options))
    await shop.start()
    try:
        yield shop
    finally:
        await shop.kill()
