"""The system's Chromium for the browser tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALLER = Path(__file__).parents[2] / "tools" / "chromium.sh"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The installed Chromium, installed now where it is missing and we may; `FRONTDESK_CHROMIUM` names another one."""
    return os.environ.get("FRONTDESK_CHROMIUM") or _found() or _installed()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _installed() -> str | None:
    subprocess.run(["sh", str(INSTALLER)], check=False)
    return _found()
