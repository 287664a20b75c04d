"""The official conformance suite of MCP against our client, both revisions of the wire: what each requires, passes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CLIENT = f"{sys.executable} -m tests.peers.mcp_conformance_client"
SIDE_BY_SIDE = 2
REQUIRED = {"2025-11-25": 18, "2026-07-28": 32}


@pytest.mark.parametrize("revision", REQUIRED)
def test_all_that_a_revision_requires_of_clients_passes(packages: Path, revision: str) -> None:
    suite = packages / "@modelcontextprotocol" / "conformance"
    wanted = yaml.safe_load((suite / "requirements" / f"{revision}.yaml").read_text())["client"]
    assert len(wanted) == REQUIRED[revision]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        said = list(pool.map(lambda scenario: failure_of(packages, suite, scenario, revision), wanted))
    assert not any(said), "\n".join(said)


def failure_of(packages: Path, suite: Path, scenario: str, revision: str) -> str:
    """What the suite says of a scenario that fails; nothing of one that passes."""
    options = ["--scenario", scenario, "--spec-version", revision, "--timeout", "120000", "--command", CLIENT]
    run = subprocess.run(
        [packages / ".bin" / "node", suite / "dist" / "index.js", "client", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return f"{scenario}: {run.stdout[-1000:]}{run.stderr[-500:]}" if run.returncode else ""
