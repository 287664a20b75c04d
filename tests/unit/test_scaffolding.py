"""What a clone promises: locked dependencies from no particular registry, and documents that name what exists."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from frontdesk.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "ui/package-lock.json")


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.M))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_registry(name: str) -> None:
    assert re.findall(r"https?://(?!.*(?:funding|opencollective|github\.com/sponsors))\S+", found(name)) == []


def found(name: str) -> str:
    """Funding links of packages name their makers, not where they come from."""
    lines = (ROOT / name).read_text().splitlines()
    return "\n".join(line for line in lines if '"url":' not in line and '"node":' not in line)


def test_the_development_lock_holds_all_of_the_runtimes() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()


def test_every_dependency_is_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=; ]", name)[0] for name in project["dependencies"]}
    assert wanted <= pinned("requirements.lock").keys()
    text = (ROOT / "requirements.lock").read_text()
    assert re.findall(r"^[a-z0-9._-]+==.*[^\\]$", text, re.M) == []


def test_make_help_lists_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"run", "test", "check", "clients", "bench"} <= {line.split()[1] for line in said.splitlines()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert COMMANDS[name].summary.split()[0] in capsys.readouterr().out
