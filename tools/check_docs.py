"""Check the documents: generated pages are current, links between files lead somewhere, `json` examples are JSON.

Exits with 1 and a line for each fault.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from make_reference import stale

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*?$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def documents(root: Path = ROOT) -> list[Path]:
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("bench/*.md")])


def anchor(heading: str) -> str:
    """The address that a heading gets where the pages are shown."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def link_faults(path: Path, text: str) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, part = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.exists():
            yield f"{path}: the link {target} leads to no file"
        elif part and part not in map(anchor, HEADING.findall(FENCE.sub("", page.read_text("utf-8")))):
            yield f"{path}: the link {target} leads to no heading"


def json_faults(path: Path, text: str) -> Iterator[str]:
    for match in FENCE.finditer(text):
        if match[1] != "json":
            continue
        try:
            json.loads(match[2])
        except ValueError as error:
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: the example is not JSON: {error}"


def index_faults(root: Path) -> Iterator[str]:
    index = root / "docs" / "why" / "README.md"
    listed = LINK.findall(index.read_text("utf-8")) if index.is_file() else []
    for path in sorted(index.parent.glob("[0-9]*.md")):
        if path.name not in listed:
            yield f"{path}: is missing in {index.name} beside it"


def faults(root: Path = ROOT) -> Iterator[str]:
    for path in documents(root):
        text = path.read_text("utf-8")
        yield from link_faults(path, text)
        yield from json_faults(path, text)
    yield from index_faults(root)


def main() -> int:
    found = [*faults(), *(f"docs/reference/{name}.md is stale: run `make reference`" for name in stale())]
    print("\n".join(found) or "documents: current, linked, and their JSON parses")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
