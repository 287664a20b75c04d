"""A desk for each flow test."""

import pytest

from frontdesk.core.database import Database
from tests.flow.harness import Desk, make_desk


@pytest.fixture
async def desk(database: Database) -> Desk:
    return await make_desk(database)
