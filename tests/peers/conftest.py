"""What several tests with real peers need: the packages of the MCP folder, installed once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MCP = Path(__file__).parent / "mcp"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the installed npm packages. Node is one of them: the suite needs a newer one than many have."""
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=MCP, check=True, timeout=300)
    return MCP / "node_modules"


@pytest.fixture(scope="session")
def programs() -> Path:
    """The commands of the Python servers. Their bridge needs an older SDK than ours, hence an environment apart."""
    environment, uv = MCP / ".venv", ROOT / ".venv" / ".tools" / "bin" / "uv"
    lock = ["pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:", "requirements.lock"]
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment], check=True, timeout=60)
    variables = {**os.environ, "VIRTUAL_ENV": str(environment)}
    subprocess.run([uv, *lock], cwd=MCP, env=variables, check=True, timeout=300)
    return environment / "bin"
