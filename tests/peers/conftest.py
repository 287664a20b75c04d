"""What several tests with real peers need: the packages of the MCP folder, installed once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

MCP = Path(__file__).parent / "mcp"


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the installed npm packages. Node is one of them: the suite needs a newer one than many have."""
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=MCP, check=True, timeout=300)
    return MCP / "node_modules"
