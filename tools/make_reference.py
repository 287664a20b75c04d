"""Write the generated pages of `docs/reference/`, or with `--check` say which of them are stale.

make reference
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from reference_deletion import deletion
from reference_events import events
from reference_pages import PAGES as OTHERS
from reference_warnings import warnings

PAGES = {**OTHERS, "deletion": deletion, "events": events, "warnings": warnings}
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def stale(folder: Path = FOLDER) -> Iterator[str]:
    """The names of pages that are not what the code says now."""
    for name, make in PAGES.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text("utf-8") != make():
            yield name


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / f"{name}.md").write_text(make(), "utf-8")


if __name__ == "__main__":
    if "--check" in sys.argv:
        found = list(stale())
        print("\n".join(f"docs/reference/{name}.md is stale: run `make reference`" for name in found) or "all current")
        sys.exit(bool(found))
    write()
