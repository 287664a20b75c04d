"""Figures as Markdown, and the file that holds the last run of each benchmark."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Benchmark results

Written by `make bench`; one benchmark alone: `python -m bench api` (`start`, `turn`), `--quick` for short rounds.
Each table is of one run on one machine, both sides taking turns; a figure is the median of its rounds. Compare ratios,
not figures of different machines: under 1.5× there is no difference worth a word unless the rounds agree on it.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def against(value: float, target: float, unit: str = "×", *, digits: int = 2) -> str:
    """A figure beside the most that it may be."""
    verdict = "holds" if value <= target else "**missed**"
    return f"{value:.{digits}f}{unit} (≤ {target:g}{unit}: {verdict})"


def middle(values: Iterable[float]) -> float:
    return float(median(values))


def machine() -> str:
    """What the figures were taken on, without a name by which the machine could be found."""
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 2**20  # type: ignore[index]
    kind = model[1].strip() if model else platform.machine()
    return f"{kind}, {cores} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def said(*words: str) -> str:
    """The first line of what a program says of itself, `–` where there is no such program."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return "–"
    return (done.stdout or done.stderr).splitlines()[0].strip()


def write_section(name: str, body: str, command: str) -> None:
    """Put one benchmark's tables into RESULTS.md, leaving the others' as they are."""
    known = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    sections = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", known, re.DOTALL))
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    sections[name] = f"{body.strip()}\n\n`{command}`, {when}; {machine()}."
    parts = [f"<!-- {key} -->\n{sections[key]}\n<!-- end -->" for key in sorted(sections)]
    RESULTS.write_text("\n\n".join([HEAD.strip(), *parts]) + "\n", "utf-8")
