"""An answer's text as blocks: paragraphs, lists, tables, code. A list, a table and code are never cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "list", "table", "code"]

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+•–]|\d{1,3}[.)]|[a-zA-Z][.)])\s+\S")


@dataclass(slots=True)
class Block:
    kind: Kind
    text: str


def fence_of(line: str) -> str | None:
    """The mark of a line that opens or closes a code block."""
    match = _FENCE.match(line)
    return match.group(1) if match else None


def blocks(text: str) -> list[Block]:
    """The blocks of `text` in order. A line that leads into a list ("You need:") stays with it."""
    found: list[Block] = []
    fence: str | None = None
    is_apart = True
    for line in text.split("\n"):
        mark = fence_of(line)
        if fence is not None:
            found[-1].text += "\n" + line
            if mark is not None and mark.startswith(fence):
                fence, is_apart = None, True
        elif mark is not None:
            fence = mark
            _append(found, Block("code", line), is_apart)
        elif not line.strip():
            is_apart = True
        else:
            _append(found, Block(_kind(line, found, is_apart), line), is_apart)
            is_apart = False
    return found


def _kind(line: str, found: list[Block], is_apart: bool) -> Kind:
    if _ITEM.match(line):
        return "list"
    if line.lstrip().startswith("|"):
        return "table"
    # An indented line, and one right below an item, belong to that item.
    if found and found[-1].kind == "list" and (line[:1].isspace() or not is_apart):
        return "list"
    return "text"


def _append(found: list[Block], block: Block, is_apart: bool) -> None:
    last = found[-1] if found else None
    if last is None:
        found.append(block)
    elif last.kind == block.kind == "list":
        last.text += ("\n\n" if is_apart else "\n") + block.text
    elif last.kind != "code" and block.kind != "text" and (not is_apart or last.text.rstrip().endswith(":")):
        last.text += ("\n\n" if is_apart else "\n") + block.text
        last.kind = block.kind
    elif last.kind == block.kind and block.kind != "code" and not is_apart:
        last.text += "\n" + block.text
    else:
        found.append(block)
