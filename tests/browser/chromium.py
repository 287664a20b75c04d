"""Debian's Chromium for the browser tests: installed by the test set-up when it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Inter and the emoji font are what the pictures of the README are drawn with.
PACKAGES = ("chromium", "fonts-inter", "fonts-noto-color-emoji")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> Path:
    """The installed Chromium; `FRONTDESK_CHROMIUM` names another one.

    Raises RuntimeError with the command to run where it can neither be found nor installed.
    """
    named = os.environ.get("FRONTDESK_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser") or install()
    if not found or not Path(found).exists():
        raise RuntimeError(f"The browser tests need Chromium: apt-get install {' '.join(PACKAGES)}")
    return Path(found)


def install() -> str | None:
    """Install Debian's packages, as root only; returns the program's path or None."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return None
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        subprocess.run([apt, *command], env=environment, check=False, stdout=subprocess.DEVNULL)
    return shutil.which("chromium")


if __name__ == "__main__":
    print(executable())
