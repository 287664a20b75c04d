"""Finds the built-in model's server by its state file, and waits while it loads."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic_ai.exceptions import ModelConnectionError

from frontdesk.core.clock import Clock
from frontdesk.models.local.engine import Endpoint

POLL_SECONDS = 0.25


class StateFile:
    """The file is read for each request, so that a restarted server is found at its new port."""

    def __init__(self, path: Path, clock: Clock, patience_seconds: float = 60.0) -> None:
        self._path, self._clock, self._patience = path, clock, patience_seconds

    def read(self) -> Endpoint | None:
        """The server that the file names, None when there is no file or its process is gone."""
        try:
            state = json.loads(self._path.read_text())
            os.kill(int(state["pid"]), 0)
            return Endpoint(str(state["url"]), str(state["key"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def __call__(self) -> Endpoint:
        deadline = self._clock.monotonic() + self._patience
        while (endpoint := self.read()) is None:
            if self._clock.monotonic() >= deadline:
                raise ModelConnectionError("built-in", "The built-in model's server is not running.")
            await self._clock.sleep(POLL_SECONDS)
        return endpoint
