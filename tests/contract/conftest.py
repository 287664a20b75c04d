"""The seeded world of the API's contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from frontdesk.core.database import Database
from frontdesk.core.settings import Settings
from tests.world import World, make_world


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    settings = Settings(data=tmp_path, secret_key="contract tests need no better secret")  # type: ignore[call-arg]
    async with make_world(database, settings) as world:
        yield world
