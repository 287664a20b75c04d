"""How far a long download is: one moving line on a terminal, a plain line for each tenth elsewhere."""

from __future__ import annotations

import sys
from threading import Lock
from typing import TextIO

MEGABYTE = 1_000_000


class Progress:
    """Counts bytes, from several threads if need be, and tells about them."""

    def __init__(self, label: str, total: int, out: TextIO | None = None) -> None:
        self._label, self._total, self._out = label, total, out or sys.stdout
        self._done, self._told, self._lock = 0, -1, Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._show()

    def restart(self, done: int = 0) -> None:
        """A source begins with `done` bytes already there."""
        with self._lock:
            self._done, self._told = done, -1
            self._show()

    def say(self, sentence: str) -> None:
        """A line of its own."""
        with self._lock:
            if self._out.isatty() and self._told >= 0:
                self._out.write("\n")
            self._out.write(f"{sentence}\n")
            self._out.flush()
            self._told = -1

    def _show(self) -> None:
        percent = min(100, self._done * 100 // self._total)
        step = percent if self._out.isatty() else percent // 10 * 10
        if step <= self._told:
            return
        self._told = step
        line = f"{self._label}: {percent} % of {self._total // MEGABYTE} MB"
        self._out.write(f"\r{line}  " if self._out.isatty() else f"{line}\n")
        if percent == 100 and self._out.isatty():
            self._out.write("\n")
        self._out.flush()
