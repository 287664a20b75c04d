"""Measure our habits and refuse what is past the hard limits: `python tools/check_style.py`.

The table is `measure_style.py`'s; the limits are the project's own. Exits with 1 and a line for each limit passed.
"""

import sys
from pathlib import Path

import measure_style

# habit: (section, row, least, most)
LIMITS: dict[str, tuple[str, str, float, float]] = {
    "file length, median": ("File length (lines; files over 5 lines)", "median", 0, 120),
    "file length, 90th percentile": ("File length (lines; files over 5 lines)", "90th percentile", 0, 320),
    "file length, longest": ("File length (lines; files over 5 lines)", "longest", 0, 500),
    "functions over 50 lines, %": ("Functions (docstring not counted)", "over 50 lines", 0, 2),
    "functions over 100 lines, %": ("Functions (docstring not counted)", "over 100 lines", 0, 0),
    "worst complexity": ("Functions (docstring not counted)", "complexity, worst", 0, 20),
    "largest import knot, %": (
        "Structure (imports inside functions: per 1000 code lines)",
        "largest import knot, all imports",
        0,
        3,
    ),
    "imports inside functions": (
        "Structure (imports inside functions: per 1000 code lines)",
        "imports inside functions",
        0,
        0,
    ),
    "annotated, %": ("Types and escapes (per 1000 code lines)", "parameters and returns annotated", 99, 100),
    "comment lines per 100": ("Words (per 100 code lines)", "comment lines", 0, 5),
    "test code : source code": ("Tests", "test code : source code", 0, 1.6),
    "test function, median lines": ("Tests", "test function, median lines", 0, 12),
    "mocks per 100 tests": ("Tests", "mentions of mock, patch, monkeypatch, per 100", 0, 20),
    "real sleeps per 100 tests": ("Tests", "real sleeps, per 100", 0, 0),
}


def number(shown: str) -> float:
    return 0.0 if shown == "-" else float(shown.rstrip("%").replace(",", ""))


def main() -> int:
    column = measure_style.read(f"frontdesk={Path(__file__).resolve().parents[1]}:frontdesk:tests")
    tables = {title: section(column) for title, section in measure_style.SECTIONS.items() if title != "Commits"}
    passed = True
    for habit, (title, row, least, most) in LIMITS.items():
        shown = tables[title][row]
        if not least <= number(shown) <= most:
            passed = False
            print(f"style: {habit} is {shown}, allowed is {least:g} to {most:g}")
    print("style: all figures hold" if passed else "style: see the lines above")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
